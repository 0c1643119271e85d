"""Scopes asked at ``/token`` and ``/authorize`` are cut to what the client may have (RFC 6749 section 3.3)."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from keymanager.models import KeyManager
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.front_door_kit import CALLBACK, Client, Portal, fake, make_client, make_person

pytestmark = pytest.mark.django_db(transaction=True)
MACHINE = {"grant_type": "client_credentials"}


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def idp() -> Iterator[tuple[RfcServer, KeyManager]]:
    with fake() as running:
        yield running


@pytest.fixture
def client(idp: tuple[RfcServer, KeyManager]) -> Client:
    return make_client(make_person("ada"), idp[1])


def asked_there(idp: tuple[RfcServer, KeyManager]) -> list[str]:
    """The scopes of the token requests that reached the key manager."""
    return [request.form.get("scope", "") for request in idp[0].requests_of("token")]


def test_what_the_client_may_not_have_is_not_asked_for_and_the_answer_says_so(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    answer = portal.token(client, scope="read admin:everything museum:read")
    assert set(answer["scope"].split()) == {"read", "museum:read"}
    assert asked_there(idp) == ["read museum:read"]


def test_when_nothing_is_left_it_is_invalid_scope_and_names_the_scopes(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    answer = portal.http.post("/token", data={**MACHINE, "scope": "admin:everything"}, auth=client.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert "admin:everything" in answer.json()["error_description"]
    assert asked_there(idp) == []


def test_a_scope_is_gone_with_the_subscription(portal: Portal, client: Client) -> None:
    client.credential.application.subscriptions.all().delete()
    answer = portal.http.post("/token", data={**MACHINE, "scope": "read"}, auth=client.basic)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_no_scope_asks_for_what_the_key_manager_gives_by_default(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    portal.token(client)
    assert asked_there(idp) == [""]


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [("openid read", "openid read"), ("openid other read profile", "openid read profile"), ("openid", "openid")],
)
def test_at_the_authorization_endpoint_openid_scopes_pass_and_foreign_ones_are_left_out(
    portal: Portal, client: Client, asked: str, passed_on: str
) -> None:
    query = {"response_type": "code", "client_id": client.client_id, "redirect_uri": CALLBACK, "scope": asked}
    answer = portal.http.get("/authorize", params={**query, "state": "a b+c"})
    sent = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (sent["scope"], sent["state"], sent["redirect_uri"]) == ([passed_on], ["a b+c"], [CALLBACK])


def test_at_the_authorization_endpoint_nothing_left_is_invalid_scope(portal: Portal, client: Client) -> None:
    query = {"response_type": "code", "client_id": client.client_id, "scope": "other", "state": "s"}
    answer = portal.http.get("/authorize", params=query)
    location = urlsplit(answer.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == CALLBACK
    assert parse_qs(location.query) == {"error": ["invalid_scope"], "state": ["s"]}


def test_a_key_manager_that_says_no_scope_does_not_hide_that_some_were_cut(portal: Portal) -> None:
    with fake(Quirks(scope_in_answer="never"), slug="silent") as (_, key_manager):
        client = make_client(make_person("grace"), key_manager)
        assert portal.token(client, scope="read other")["scope"] == "read"
