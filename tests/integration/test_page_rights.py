"""Who may open what: every page of the URL configuration, tried by nobody, by strangers and by each role."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Membership, Role, User
from accounts.services import create_user
from tests.every_page import PAGES, Audience, Page, addresses, seed, unknown, url_of
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
# The token against forged requests, and the reference that the failure page shows.
_OF_THIS_REQUEST = re.compile(r'value="\w{64}"|"X-CSRFToken": "\w+"|<code>[\w-]+</code>')
SIGN_IN, FORBIDDEN, MISSING, NO_SUCH_METHOD, THROUGH = "sign-in", "403", "404", "405", "through"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody who tries; ``member``: of the teams that own the rows."""

    words: str
    roles: frozenset[Role] | None
    member: bool = False


NOBODY = Who(words="nobody", roles=None)
STRANGER = Who(words="another team's member", roles=frozenset({Role.API_DEVELOPER, Role.PUBLISHER, Role.APP_DEVELOPER}))
FOREIGN_ADMINISTRATOR = Who(words="an administrator of no team", roles=frozenset({Role.ADMINISTRATOR}))
WITHOUT_ROLE = Who(words="a member without a role", roles=frozenset(), member=True)
MEMBERS = [Who(words=f"a member, {role.label}", roles=frozenset({role}), member=True) for role in Role]
PEOPLE = [NOBODY, STRANGER, FOREIGN_ADMINISTRATOR, WITHOUT_ROLE, *MEMBERS]


def expected(page: Page, audience: Audience | None, who: Who) -> str:
    """The answer that the table promises."""
    asked = audience or page.audience
    if asked.signed_in and who.roles is None:
        return SIGN_IN
    roles = who.roles or frozenset()
    administrator = Role.ADMINISTRATOR in roles
    if asked.roles and not (asked.roles & roles or administrator):
        return FORBIDDEN
    if audience is None:
        return NO_SUCH_METHOD
    outside = page.rows and asked.of_team and not who.member and not (asked.administrators and administrator)
    return MISSING if asked.nobody_here or outside else THROUGH


def given(answer: Any) -> str:
    """The answer that came, in the words of ``expected``."""
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/?next="):
        return SIGN_IN
    if answer.status_code == 204:  # a part of a page that has nothing to show
        return MISSING
    return THROUGH if answer.status_code in {200, 286, 302, 422} else str(answer.status_code)


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def person(world: World, who: Who) -> User:
    assert who.roles is not None
    user = create_user(username=f"tries-{uuid.uuid4().hex[:8]}", password="correct horse battery", roles=who.roles)
    if who.member:
        for owner in (world.publisher, world.developer):
            assert owner.actor.team_id is not None
            Membership.objects.create(user=user, team_id=owner.actor.team_id)
    return user


def tried(browser: Client, method: str, name: str, rows: Mapping[str, str]) -> Any:
    """The answer; nothing that it changed stays."""
    body = {part: rows.get(value, value) for part, value in PAGES[name].body.items()}
    with transaction.atomic():
        answer = browser.generic(
            method,
            url_of(name, rows),
            urlencode(body) if method == "POST" else "",
            content_type="application/x-www-form-urlencoded",
        )
        transaction.set_rollback(True)
    return answer


def test_every_page_is_in_the_table() -> None:
    named = [name for _, name in addresses()]
    assert sorted(named) == sorted(set(named)), "two pages share a name"
    assert set(named) == PAGES.keys(), "tests/every_page.py says how to add a page"


def test_every_page_says_which_row_fills_each_part_of_its_address() -> None:
    for route, name in addresses():
        parts = {part.split(":")[1].split(">")[0] for part in route.split("<")[1:]}
        assert PAGES[name].rows.keys() == parts, name


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.words)
def test_every_page_answers_as_the_table_says(world: World, who: Who) -> None:
    rows = seed(world)
    user = None if who.roles is None else person(world, who)
    wrong = []
    for name, page in PAGES.items():
        for method, audience in (("GET", page.get), ("POST", page.post)):
            browser = Client()
            if user is not None:
                browser.force_login(user)
            promised = expected(page, audience, who)
            answer = given(tried(browser, method, name, rows))
            if answer != promised:
                wrong.append(f"{method} {name}: {answer} instead of {promised}")
    assert wrong == []


def test_a_stranger_cannot_tell_a_foreign_row_from_no_row(world: World) -> None:
    rows = seed(world)
    none = unknown(rows)
    browser = Client()
    browser.force_login(person(world, STRANGER))
    for name, page in PAGES.items():
        for method, audience in (("GET", page.get), ("POST", page.post)):
            if audience is not None and expected(page, audience, STRANGER) == MISSING:
                theirs = tried(browser, method, name, rows)
                nothing = tried(browser, method, name, none)
                assert given(theirs) == MISSING, (method, name)
                assert theirs.status_code == nothing.status_code, (method, name)
                assert text_of(theirs, rows.values()) == text_of(nothing, none.values()), (method, name)


def text_of(answer: Any, asked: Iterable[str]) -> str:
    """The page without what was asked for, and without what differs from one request to the next."""
    text: str = _OF_THIS_REQUEST.sub("", answer.content.decode())
    for value in asked:
        text = text.replace(f'"{value}"', "")
    return text
