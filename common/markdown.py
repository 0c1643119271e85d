"""Markdown that people typed or imported, as HTML that cannot be active."""

import re
from functools import cache, lru_cache
from typing import Final

from markdown_it import MarkdownIt

# One line in which nothing can mean anything to Markdown, as most descriptions are: it need not be parsed.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,.;:'\"()/?%$=+-]*")
# What is longer is a guide or an overview, on a page of its own; definitions say short things again and again.
_LONGEST_KEPT: Final = 1_000


@cache
def _parser() -> MarkdownIt:
    # No HTML passes, addresses that run scripts are refused by the parser, and pictures would load from elsewhere.
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def markdown_html(text: str) -> str:
    """The HTML of ``text``. HTML inside it is shown as text; a column's alignment is dropped, being an inline style."""
    if _PLAIN.fullmatch(text):
        words = text.rstrip().replace('"', "&quot;")
        return f"<p>{words}</p>\n"
    return short_text_html(text) if len(text) <= _LONGEST_KEPT else parsed(text)


@lru_cache(maxsize=1_024)
def short_text_html(text: str) -> str:
    """The same, kept in the process."""
    return parsed(text)


def parsed(text: str) -> str:
    """The same for every text, by the parser."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        token.attrs.pop("style", None)
        if token.type == "table_open":
            token.attrSet("class", "tbl")
        if token.type in {"heading_open", "heading_close"}:
            # The page has its own first and second level.
            token.tag = f"h{min(int(token.tag[1]) + 2, 6)}"
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html
