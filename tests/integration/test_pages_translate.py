"""Every word that people read on a page can be translated: pages in a language that puts each message in brackets."""

import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from accounts.models import Membership, Role
from accounts.services import create_user
from tests.every_page import PAGES, TURNED_OFF, seed, url_of
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
OPEN, CLOSE = "⟦", "⟧"
SHOWN_ATTRIBUTES: Final = ("aria-label", "placeholder", "title", "alt", "data-l")
# What is copied, sent or typed is the same in every language.
SAME_EVERYWHERE: Final = {"code", "pre", "kbd", "script", "style", "textarea", "time"}
# What the rows are called and say, and names that are the same in every language.
_DATA: Final = re.compile(
    r"\b(Archway|[Mm]useum|Guide|[Rr]esident|The authorization server inside|culture|[Gg]old|Unlimited|Silver|Bronze"
    r"|Shared|ada|admin|archway|(api|app)-developer|Hello|Start(?= –|$)|Buy tickets|tickets:buy|hours|tickets|ok"
    r"|not_subscribed|https?://\S+|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|curl|Python|JavaScript|Java|UTC"
    r"|[A-Z][a-z]+ 20\d\d)\b"
)
# The pages of docs/ as they are; the audit log, which has facts as they were recorded.
AS_WRITTEN: Final = {"reference", "audit", "publisher-history"}
VOID: Final = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "use", "path", "source", "wbr"}


class Bracketed(gettext.NullTranslations):
    """A language whose every message is the English one in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message.rpartition(chr(4))[2]}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def to_language(self) -> str:
        """As Django's own translations say it."""
        return "en"

    language = to_language


class Outside(HTMLParser):
    """Collects the words of a page that no bracket surrounds."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth = 0
        self.path: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in SHOWN_ATTRIBUTES:
            self._note(_outside(given.get(name) or ""))
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self._note(_outside(given.get("value") or ""))
        if tag not in VOID:
            classes = given.get("class") or ""
            self.path.append("code" if {"mono", "chip", "secretline"} & set(classes.split()) else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.path:
            self.path.pop()

    def handle_data(self, data: str) -> None:
        seen = ""
        for character in data:
            self.depth += (character == OPEN) - (character == CLOSE)
            seen += character if self.depth == 0 and character != CLOSE else " "
        if not SAME_EVERYWHERE & set(self.path):
            self._note(seen)

    def _note(self, text: str) -> None:
        if re.search(r"[^\W\d_]{3}", _DATA.sub("", text)):
            self.words.append(" ".join(text.split()))


def _outside(text: str) -> str:
    return re.sub(f"{OPEN}.*?{CLOSE}", " ", text, flags=re.DOTALL)


@pytest.fixture
def bracketed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(trans_real)["_translations"], "en", Bracketed())
        translation.activate("en")
        yield
    translation.activate("en")  # the real one again


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_every_word_of_every_page_can_be_translated(world: World, bracketed: None) -> None:
    rows = seed(world)
    user = create_user(username="ada", password="correct horse battery", roles=list(Role))
    for owner in (world.publisher, world.developer):
        assert owner.actor.team_id is not None
        Membership.objects.create(user=user, team_id=owner.actor.team_id)
    browser = Client()
    browser.force_login(user)
    found: dict[str, set[str]] = {}
    for name, entry in PAGES.items():
        if entry.get in {None, TURNED_OFF} or name in AS_WRITTEN:
            continue
        answer = browser.get(url_of(name, rows), follow=True)
        if answer["Content-Type"].startswith("text/html"):
            outside = Outside()
            outside.feed(answer.content.decode())
            for words in outside.words:
                found.setdefault(words, set()).add(name)
    assert found == {}
