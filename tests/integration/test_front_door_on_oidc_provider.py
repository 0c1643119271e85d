"""Unmodified client libraries against the portal, in front of a real oidc-provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from keymanager.models import KeyManager, RevokedToken
from keymanager.services.key_managers import create_key_manager
from tests.integration.front_door_kit import (
    ADMINISTRATOR,
    CALLBACK,
    Person,
    Portal,
    make_client,
    make_person,
    work_until,
    worker,
)
from tests.servers import oidc_provider
from tests.subscribed import subscribe_to

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
OPAQUE = oidc_provider.OidcProviderOptions()
JWT = oidc_provider.OidcProviderOptions(token_format="jwt", rotate_registration_access_tokens=False)


@pytest.fixture(scope="module", params=[OPAQUE, JWT], ids=["opaque", "jwt"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[oidc_provider.OidcProviderServer]:
    home: Path = tmp_path_factory.mktemp("oidc-provider")
    started = oidc_provider.start(options=request.param, home=home)
    yield started
    started.stop()


@pytest.fixture
def key_manager(server: oidc_provider.OidcProviderServer) -> KeyManager:
    jwt = server.options.token_format == "jwt"
    return create_key_manager(
        actor=ADMINISTRATOR,
        slug="oidc-provider",
        name="oidc-provider",
        adapter="rfc",
        config={
            "preset": "oidc-provider",
            "issuer": server.issuer,
            "initial_access_token": server.options.initial_access_token,
            "introspection_client_id": server.options.gateway_client_id,
            "introspection_client_secret": server.options.gateway_client_secret,
            **({"token_validation": "jwt", "rotates_registration_token": False} if jwt else {}),
        },
    )


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


def test_a_machine_token_is_issued_introspected_and_revoked(
    portal: Portal, person: Person, key_manager: KeyManager
) -> None:
    client = make_client(person, key_manager, grant_types=("client_credentials",), redirect_uris=(), scopes=("read",))
    with OAuth2Session(client.client_id, client.client_secret, scope="read") as session:
        token = session.fetch_token(f"{portal.url}/token", grant_type="client_credentials")
        told = session.introspect_token(f"{portal.url}/introspect", token=token["access_token"]).json()
        revoked = session.revoke_token(f"{portal.url}/revoke", token=token["access_token"])
        afterwards = session.introspect_token(f"{portal.url}/introspect", token=token["access_token"]).json()

    assert (told["active"], told["client_id"], told["scope"]) == (True, client.client_id, "read")
    assert (revoked.status_code, RevokedToken.objects.count()) == (200, 1)
    assert afterwards == {"active": False}


def test_a_person_signs_in_and_the_code_and_the_refresh_token_work(
    portal: Portal, person: Person, key_manager: KeyManager
) -> None:
    client = make_client(
        person,
        key_manager,
        grant_types=("authorization_code", "refresh_token"),
        scopes=("openid", "offline_access", "read"),
    )
    verifier = generate_token(64)
    with OAuth2Session(
        client.client_id,
        client.client_secret,
        scope="openid offline_access read",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    ) as session:
        address, state = session.create_authorization_url(
            f"{portal.url}/authorize", code_verifier=verifier, prompt="consent"
        )
        arrived = oidc_provider.sign_in(address, stop_at=CALLBACK)
        token = session.fetch_token(
            f"{portal.url}/token", authorization_response=arrived, state=state, code_verifier=verifier
        )
        refreshed = session.refresh_token(f"{portal.url}/token", refresh_token=token["refresh_token"])

    told = portal.introspect(refreshed["access_token"], client)
    assert (told["active"], told["sub"]) == (True, "alice")


def test_a_program_registers_updates_and_deletes_its_client(
    portal: Portal, person: Person, key_manager: KeyManager
) -> None:
    document = {"client_name": "Tickets", "grant_types": ["client_credentials"], "scope": "read"}
    with worker():
        made = portal.http.post("/register", json=document, headers=person.headers).json()
        subscribe_to(key_manager.credentials.get(client_id=made["client_id"]).application, "read", "write")
        headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
        update = {**document, "client_id": made["client_id"], "scope": "read write"}
        changed = portal.http.put(made["registration_client_uri"], json=update, headers=headers)
        again = portal.http.put(made["registration_client_uri"], json={**update, "scope": "read"}, headers=headers)
    asked = {"grant_type": "client_credentials", "scope": "read"}
    auth = (made["client_id"], again.json()["client_secret"])
    token = portal.http.post("/token", data=asked, auth=auth)
    deleted = portal.http.delete(made["registration_client_uri"], headers=headers)
    refused = portal.http.post("/token", data=asked, auth=auth)
    work_until(lambda: key_manager.registrations.get(credential__client_id=made["client_id"]).state == "removed")

    assert (changed.status_code, changed.json()["scope"]) == (200, "read write")
    assert (again.status_code, again.json()["scope"]) == (200, "read")
    assert (token.status_code, deleted.status_code) == (200, 204)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
