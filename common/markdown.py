"""Markdown that people typed or imported, as HTML that cannot be active."""

from functools import cache

from markdown_it import MarkdownIt


@cache
def _parser() -> MarkdownIt:
    # No HTML passes, addresses that run scripts are refused by the parser, and pictures would load from elsewhere.
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def markdown_html(text: str) -> str:
    """The HTML of ``text``. HTML inside it is shown as text; a column's alignment is dropped, being an inline style."""
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
