"""Unmodified OAuth client libraries against the portal, in front of a fake and of the resident key manager."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from django.test import Client as Browser
from oauthlib.oauth2 import BackendApplicationClient
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from requests_oauthlib import OAuth2Session

from keymanager.resident.catalogue import put_scope
from keymanager.services.key_managers import ensure_resident
from tests.integration.front_door_kit import CALLBACK, Client, Person, Portal, fake, make_client, make_person

pytestmark = pytest.mark.django_db(transaction=True)
GRANTS = ("client_credentials", "authorization_code", "refresh_token")


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture(params=["fake", "resident"])
def client(request: pytest.FixtureRequest, portal: Portal, person: Person) -> Iterator[Client]:
    wanted: dict[str, Any] = {"grant_types": GRANTS, "scopes": ("read",)}
    if request.param == "resident":
        put_scope(key="read", description="Read")
        yield make_client(person, ensure_resident(), **wanted)
    else:
        with fake() as (_, key_manager):
            yield make_client(person, key_manager, **wanted)


def approve(portal: Portal, person: Person, address: str) -> str:
    """What the person's browser does: follow to the key manager, approve there, end at the callback address."""
    answer = portal.http.get(address)
    assert answer.status_code == 302, answer.text
    target = answer.headers["location"]
    if target.startswith(portal.url):
        browser = Browser()
        browser.force_login(person.user)
        return str(browser.post(target.removeprefix(portal.url), {"allow": "yes"})["Location"])
    return str(httpx2.get(target).headers["location"])


def test_authlib_gets_introspects_and_revokes_a_machine_token(portal: Portal, client: Client) -> None:
    with AuthlibSession(client.client_id, client.client_secret, scope="read") as session:
        token = session.fetch_token(f"{portal.url}/token", grant_type="client_credentials")
        told = session.introspect_token(f"{portal.url}/introspect", token=token["access_token"]).json()
        revoked = session.revoke_token(
            f"{portal.url}/revoke", token=token["access_token"], token_type_hint="access_token"
        )
        afterwards = session.introspect_token(f"{portal.url}/introspect", token=token["access_token"]).json()

    assert (token["token_type"], token["scope"]) == ("Bearer", "read")
    assert (told["active"], told["client_id"]) == (True, client.client_id)
    assert revoked.status_code == 200
    assert afterwards == {"active": False}


def test_authlib_walks_the_authorization_code_flow_with_pkce_and_refreshes(
    portal: Portal, person: Person, client: Client
) -> None:
    verifier = generate_token(64)
    with AuthlibSession(
        client.client_id,
        client.client_secret,
        scope="read",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",
    ) as session:
        address, state = session.create_authorization_url(f"{portal.url}/authorize", code_verifier=verifier)
        arrived = approve(portal, person, address)
        token = session.fetch_token(
            f"{portal.url}/token", authorization_response=arrived, state=state, code_verifier=verifier
        )
        refreshed = session.refresh_token(f"{portal.url}/token", refresh_token=token["refresh_token"])

    assert dict(parse_qsl(urlsplit(arrived).query))["state"] == state
    assert token["access_token"] != refreshed["access_token"]
    assert portal.introspect(refreshed["access_token"], client)["active"] is True


def test_requests_oauthlib_gets_a_machine_token(portal: Portal, client: Client) -> None:
    with OAuth2Session(client=BackendApplicationClient(client.client_id, scope=["read"])) as session:
        token = session.fetch_token(f"{portal.url}/token", client_secret=client.client_secret)

    assert token["scope"] == ["read"]
    assert portal.introspect(token["access_token"], client)["active"] is True


def test_requests_oauthlib_walks_the_authorization_code_flow_with_pkce_and_refreshes(
    portal: Portal, person: Person, client: Client
) -> None:
    with OAuth2Session(client.client_id, redirect_uri=CALLBACK, scope=["read"], pkce="S256") as session:
        address, _ = session.authorization_url(f"{portal.url}/authorize")
        arrived = approve(portal, person, address)
        token = session.fetch_token(
            f"{portal.url}/token", authorization_response=arrived, client_secret=client.client_secret
        )
        refreshed = session.refresh_token(
            f"{portal.url}/token",
            refresh_token=token["refresh_token"],
            auth=(client.client_id, client.client_secret),
        )

    assert portal.introspect(refreshed["access_token"], client)["active"] is True


def test_authlib_without_a_secret_walks_the_flow_of_a_public_client(portal: Portal, person: Person) -> None:
    with fake() as (_, key_manager):
        public = make_client(
            person,
            key_manager,
            token_endpoint_auth_method="none",
            grant_types=("authorization_code", "refresh_token"),
            scopes=("read",),
        )
        verifier = generate_token(64)
        with AuthlibSession(
            public.client_id,
            scope="read",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        ) as session:
            address, state = session.create_authorization_url(f"{portal.url}/authorize", code_verifier=verifier)
            arrived = approve(portal, person, address)
            token = session.fetch_token(
                f"{portal.url}/token", authorization_response=arrived, state=state, code_verifier=verifier
            )
            refreshed = session.refresh_token(f"{portal.url}/token", refresh_token=token["refresh_token"])

    assert refreshed["access_token"] != token["access_token"]
