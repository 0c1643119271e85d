"""What a page may weigh: 60 KB of scripts and 60 KB of styles before compression."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.models import Membership, Role
from accounts.services import create_user
from tests.every_page import PAGES, TURNED_OFF, seed, url_of
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db
MOST_BYTES = 60_000
SWAGGER_UI = "drf_spectacular_sidecar/"
_TAGS = {"script": r'<script[^>]* src="([^"]+)"', "style": r'<link rel="stylesheet" href="([^"]+)"'}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def weight(page: str, kind: str) -> int:
    """Bytes of the files of one kind that the page loads; Swagger UI does not count."""
    total = 0
    for url in re.findall(_TAGS[kind], page):
        name = url.removeprefix(django_settings.STATIC_URL)
        found = finders.find(name)
        assert isinstance(found, str), url
        if not name.startswith(SWAGGER_UI):
            total += Path(found).stat().st_size
    return total


def test_every_page_keeps_to_its_weight(world: World) -> None:
    rows = seed(world)
    user = create_user(username="ada", password="correct horse battery", roles=list(Role))
    for owner in (world.publisher, world.developer):
        assert owner.actor.team_id is not None
        Membership.objects.create(user=user, team_id=owner.actor.team_id)
    browser = Client()
    browser.force_login(user)
    for name, entry in PAGES.items():
        if entry.get in {None, TURNED_OFF} or entry.fragment:
            continue
        answer = browser.get(url_of(name, rows), follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        assert 0 < weight(page, "style") <= MOST_BYTES, name
        assert 0 < weight(page, "script") <= MOST_BYTES, name
