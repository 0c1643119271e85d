"""The gallery of components: there in debug mode only, with every state of a registration."""

import re

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from keymanager.registrations.states import RegistrationState

pytestmark = pytest.mark.django_db


def test_the_gallery_exists_in_debug_mode_only(client: Client, settings: Settings) -> None:
    assert client.get("/style/").status_code == 404
    settings.DEBUG = True
    assert client.get("/style/").status_code == 200


def test_the_gallery_shows_a_registration_in_every_state(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    page = client.get("/style/").content.decode()
    shown = set(re.findall(r'data-state="([^"]+)"', page))
    assert shown == {state.value for state in RegistrationState} | {"refused, removal"}
    assert "Registration failed" in page
    assert "Removal failed" in page


def test_a_refused_form_of_the_gallery_names_its_fields(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    page = client.get("/style/").content.decode()
    for name in ("name", "site", "plan"):
        assert f'<a href="#id_refused-{name}">' in page
        assert f'id="id_refused-{name}_error"' in page
