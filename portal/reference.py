"""The reference pages of the docs folder: what the ``type`` of every problem document points to."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# Only these are served, whatever else is in the folder.
PAGES: Final = {
    "errors": "Errors",
    "refusals": "Refusals at the gateway",
    "oauth-endpoints": "OAuth endpoints",
    "validator": "The validator",
    "settings": "Settings",
    "secrets": "Secrets",
}
_LEFT_OUT_OF_ANCHORS = re.compile(r"[^\w\- ]")
_LINK = re.compile(r"(?P<page>[\w-]+)\.md")


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One reference page; 404 for every other name."""
    if name not in PAGES:
        raise Http404
    context = {"name": name, "title": PAGES[name], "pages": PAGES, "body": rendered(name)}
    return render(request, "portal/reference.html", context)


@lru_cache(maxsize=len(PAGES))
def rendered(name: str) -> SafeString:
    """The page as HTML: every row whose first code names something has that code as its id.

    HTML inside the Markdown is shown as text, so that nothing in it can be active.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((settings.BASE_DIR / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8"))
    anchors = _Anchors(given=set())
    for position, token in enumerate(tokens):
        if token.type == "table_open":
            token.attrSet("class", "tbl")
        elif token.type in {"th_open", "td_open"}:
            token.attrs.pop("style", None)  # what aligns a column would be an inline style
        elif token.type == "heading_open":
            words = tokens[position + 1].content
            anchors.give(token, _LEFT_OUT_OF_ANCHORS.sub("", words.lower()).replace(" ", "-"))
        elif token.type == "tr_open":
            anchors.give(token, _first_code(tokens[position:]))
        elif token.type == "inline":
            token.children = _with_served_links(token.children or [])
    html: str = parser.renderer.render(tokens, parser.options, {})
    return mark_safe(html)  # noqa: S308 - the text is ours, and HTML in it is off


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchors:
    given: set[str]

    def give(self, token: Token, anchor: str) -> None:
        """Give the token this id, unless it is empty or was given before."""
        if anchor and anchor not in self.given:
            self.given.add(anchor)
            token.attrSet("id", anchor)


def _first_code(tokens: Sequence[Token]) -> str:
    """The first cell of the row that is one code and nothing else, or ""."""
    for token in tokens:
        if token.type == "tr_close":
            break
        if token.type == "inline" and token.children and [child.type for child in token.children] == ["code_inline"]:
            return token.children[0].content
    return ""


def _with_served_links(children: Sequence[Token]) -> list[Token]:
    """Links to served pages lead there; of those to pages that are not served only the words stay."""
    kept = []
    dropped = False
    for child in children:
        if child.type == "link_open":
            address = _served(str(child.attrs.get("href", "")))
            dropped = not address
            child.attrSet("href", address)
        if not (dropped and child.type in {"link_open", "link_close"}):
            kept.append(child)
    return kept


def _served(link: str) -> str:
    """The address here of a link in a page, or ""."""
    target, hash_sign, anchor = link.partition("#")
    if not target or "://" in target:
        return link
    found = _LINK.fullmatch(posixpath.normpath(target))
    if found is None or found["page"] not in PAGES:
        return ""
    return f"{found['page']}{hash_sign}{anchor}"
