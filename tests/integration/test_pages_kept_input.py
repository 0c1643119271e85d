"""A session that ends in the middle of a form: what was typed is there after the next sign-in, its secrets nowhere."""

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest
from django.test import Client

from administration.pages.config_forms import KeyManagerForm
from keymanager.adapters.config import DescribedField
from keymanager.adapters.registry import SHIPPED
from keymanager.services.configuration import config_fields
from subscriptions.models import Operation
from tests.integration.rest_kit import World, api_body, make_world
from tests.integration.test_pages_administration import SECRET, okta

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def typed_for(item: DescribedField) -> str:
    """Something that is not what the form begins with."""
    if item.kind == "boolean":
        return "" if item.default else "on"
    if item.kind == "integer":
        return "77"
    return next((one for one in item.choices if one != item.default), f"typed-{item.name}")


@pytest.mark.parametrize("slug", sorted(set(SHIPPED) - {"resident"}))
def test_the_form_of_a_key_manager_loses_nothing_but_its_secrets(world: World, client: Client, slug: str) -> None:
    url = f"/admin-portal/key-managers/add/{slug}/"
    typed = {f"config__{item.name}": typed_for(item) for item in config_fields(slug)}
    secrets = [value for item in config_fields(slug) if item.secret for value in [typed[f"config__{item.name}"]]]
    client.post(url, {name: value for name, value in {**typed, "name": "Partners", "slug": "x"}.items() if value})

    stored = str(dict(client.session.items()))
    client.force_login(world.admin.user)
    answer = client.get(url)

    form: KeyManagerForm = answer.context["form"]
    shown: dict[str, Any] = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    page = answer.content.decode()
    for item in config_fields(slug):
        name = f"config__{item.name}"
        if item.secret:
            assert typed[name] not in page
        else:
            assert ("on" if shown[name] is True else shown[name] or "") == typed[name], name
    assert shown["keep_secrets"] is False
    assert ("Secrets and files were not kept" in page) == bool(secrets)
    assert not [secret for secret in secrets if secret in stored]


def test_no_secret_is_in_the_kept_form_even_when_it_is_unpacked(world: World, client: Client) -> None:
    client.post("/admin-portal/key-managers/add/hydra/", {"name": "H", "config__admin_header_value": SECRET})
    client.force_login(world.admin.user)
    answer = client.get("/admin-portal/key-managers/add/hydra/")
    assert SECRET not in str(answer.context["form"].initial)
    assert SECRET not in answer.content.decode()


def test_a_change_of_a_key_manager_survives_too_and_the_mask_stays(world: World, client: Client) -> None:
    client.force_login(world.admin.user)
    client.post("/admin-portal/key-managers/add/okta/", okta(off="1"))
    client.logout()
    url = "/admin-portal/key-managers/okta/edit/"
    client.post(url, okta(name="Okta of the partners", config__api_token="*****"))
    client.force_login(world.admin.user)
    page = client.get(url).content.decode()
    assert 'value="Okta of the partners"' in page
    assert 'value="*****"' in page


def test_a_very_long_definition_survives(world: World, client: Client) -> None:
    paths = "\n".join(f"  /things/{number}:\n    get: {{}}" for number in range(30_000))
    text = f"openapi: 3.0.3\npaths:\n{paths}\n"
    client.post("/publisher/new/text/", {"definition": text})
    client.force_login(world.publisher.user)
    answer = client.get("/publisher/new/text/")
    assert answer.context["form"].initial["definition"] == text


def test_the_inspector_keeps_what_was_chosen_for_an_operation(world: World, client: Client) -> None:
    client.force_login(world.publisher.user)
    api = world.publisher.post("/publisher/apis/", api_body()).json()
    operation = Operation.objects.get(path="/tickets")
    url = f"/publisher/apis/{api['id']}/design/{operation.pk}/"
    client.logout()
    client.post(url, {"summary": "Typed in the inspector", "access": "scopes", "revision": "1"})
    client.force_login(world.publisher.user)
    assert "Typed in the inspector" in client.get(url).content.decode()


def test_a_button_pressed_after_the_session_ended_has_nothing_stored(world: World, client: Client) -> None:
    api = world.publisher.post("/publisher/apis/", api_body()).json()
    client.post(f"/publisher/apis/{api['id']}/move/", {"anything": "x" * 1000})
    assert "kept_input" not in client.session


def test_only_a_definition_may_fill_the_session_of_a_stranger(world: World, client: Client) -> None:
    long = token_hex(250_000)
    for url, is_kept in (("/publisher/new/text/", True), ("/apps/new/", False)):
        client.post(url, {"definition": long, "description": long})
        assert bool(client.session["kept_input"]["form"]) == is_kept, url
    client.force_login(world.developer.user)
    assert "this was too long to be kept" in client.get("/apps/new/").content.decode()
