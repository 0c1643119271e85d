"""``/revoke``, ``/introspect`` and ``/tokeninfo`` over HTTP, in front of a fake identity provider."""

import hashlib
import time
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Role
from keymanager.models import Credential, KeyManager, RevokedToken
from subscriptions.models import ChangeEvent, ChangeKind
from subscriptions.services.applications import start_removal
from tests.fakes.faults import Fault
from tests.fakes.quirks import OIDC_PROVIDER, Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.front_door_kit import Client, Person, Portal, fake, make_client, make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(live_server: LiveServer, settings: Settings) -> Iterator[Portal]:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with Portal(live_server.url) as front:
        yield front


@pytest.fixture
def person() -> Person:
    return make_person("ada")


@pytest.fixture
def idp() -> Iterator[tuple[RfcServer, KeyManager]]:
    with fake() as running:
        yield running


@pytest.fixture
def client(idp: tuple[RfcServer, KeyManager], person: Person) -> Client:
    return make_client(person, idp[1])


def test_a_revoked_token_is_dead_at_the_gateway_and_at_the_key_manager(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    token = portal.token(client)["access_token"]

    answer = portal.http.post("/revoke", data={"token": token}, auth=client.basic)

    digest = hashlib.sha256(token.encode()).hexdigest()
    assert (answer.status_code, answer.content) == (200, b"")
    assert not idp[0].tokens[token].active
    assert RevokedToken.objects.get().token_sha256 == digest
    assert time.time() < RevokedToken.objects.get().expires_at.timestamp() < time.time() + 601
    assert ChangeEvent.objects.filter(kind=ChangeKind.TOKEN, object_id=digest).count() == 1
    assert portal.introspect(token, client) == {"active": False}


def test_a_token_of_another_client_is_not_revoked_and_the_answer_tells_nothing(portal: Portal, person: Person) -> None:
    with fake(Quirks(revokes_foreign="done")) as (server, key_manager):
        owner = make_client(person, key_manager, "owner")
        thief = make_client(person, key_manager, "thief")
        token = portal.token(owner)["access_token"]

        answer = portal.http.post("/revoke", data={"token": token}, auth=thief.basic)

        assert (answer.status_code, answer.content) == (200, b"")
        assert server.tokens[token].active
        assert not server.requests_of("revoke")
        assert not RevokedToken.objects.exists()


def test_a_jwt_that_the_key_manager_cannot_revoke_is_denied_all_the_same(portal: Portal, person: Person) -> None:
    with fake(Quirks(token_format="jwt", revokes_jwt=False), token_validation="jwt") as (server, key_manager):
        client = make_client(person, key_manager)
        token = portal.token(client)["access_token"]
        before = portal.introspect(token, client)

        answer = portal.http.post("/revoke", data={"token": token}, auth=client.basic)

        assert (before["active"], answer.status_code) == (True, 200)
        assert server.requests_of("revoke")
        assert portal.introspect(token, client) == {"active": False}


def test_whoever_does_not_know_the_secret_revokes_nothing(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    token = portal.token(client)["access_token"]

    answer = portal.http.post("/revoke", data={"token": token}, auth=(client.client_id, "wrong"))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert idp[0].tokens[token].active
    assert not RevokedToken.objects.exists()


def test_a_secret_that_we_have_no_digest_of_is_checked_by_the_key_manager_first(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    token = portal.token(client)["access_token"]
    Credential.objects.update(secret_sha256="")

    wrong = portal.http.post("/revoke", data={"token": token}, auth=(client.client_id, "wrong"))
    denied_by_wrong = RevokedToken.objects.exists()
    right = portal.http.post("/revoke", data={"token": token}, auth=client.basic)

    assert (wrong.status_code, denied_by_wrong) == (401, False)
    assert (right.status_code, RevokedToken.objects.count()) == (200, 1)


def test_a_token_that_the_key_manager_could_not_be_told_about_is_denied_and_the_answer_is_503(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    token = portal.token(client)["access_token"]
    idp[0].fault("revoke", Fault.refused(503))

    answer = portal.http.post("/revoke", data={"token": token}, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert RevokedToken.objects.exists()


def test_revoking_needs_a_token_and_a_client(portal: Portal, client: Client) -> None:
    without_token = portal.http.post("/revoke", data={"x": "y"}, auth=client.basic)
    without_client = portal.http.post("/revoke", data={"token": "t"})
    unknown_token = portal.http.post("/revoke", data={"token": "made-up"}, auth=client.basic)

    assert (without_token.status_code, without_token.json()["error"]) == (400, "invalid_request")
    assert (without_client.status_code, without_client.json()["error"]) == (401, "invalid_client")
    assert (unknown_token.status_code, unknown_token.content) == (200, b"")


@pytest.mark.parametrize(
    ("quirks", "config"),
    [
        (Quirks(), {}),
        (Quirks(token_format="jwt"), {"token_validation": "jwt"}),
        (OIDC_PROVIDER, {"preset": "oidc-provider"}),
    ],
    ids=["opaque", "jwt", "oidc-provider"],
)
def test_a_client_is_told_about_its_own_token(
    portal: Portal, person: Person, quirks: Quirks, config: dict[str, str]
) -> None:
    with fake(quirks, **config) as (server, key_manager):
        client = make_client(person, key_manager)
        token = portal.token(client, scope="read")["access_token"]

        answer = portal.introspect(token, client)
        by_tokeninfo = portal.http.post("/tokeninfo", data={"token": token}, auth=client.basic).json()

    assert answer == by_tokeninfo
    assert (answer["active"], answer["scope"], answer["client_id"]) == (True, "read", client.client_id)
    assert (answer["iss"], answer["key_manager"], answer["token_type"]) == (server.issuer, "fake", "Bearer")
    assert answer["application"] == {"id": str(client.credential.application_id), "name": "museum app"}
    assert answer["exp"] > time.time()


def test_another_clients_token_is_inactive(
    portal: Portal, person: Person, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    other = make_client(person, idp[1], "other app")
    token = portal.token(client)["access_token"]

    assert portal.introspect(token, other) == {"active": False}
    assert portal.introspect("made-up", client) == {"active": False}


def test_an_api_token_with_the_introspection_right_asks_about_any_token(portal: Portal, client: Client) -> None:
    token = portal.token(client)["access_token"]
    gateway = make_person("gateway", Role.ADMINISTRATOR, may_introspect=True)
    without = make_person("grace")

    allowed = portal.http.post("/introspect", data={"token": token}, headers=gateway.headers)
    refused = portal.http.post("/introspect", data={"token": token}, headers=without.headers)

    assert allowed.json()["client_id"] == client.client_id
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_asking_needs_credentials(portal: Portal, client: Client, secret: str) -> None:
    nobody = portal.http.post("/introspect", data={"token": "t"})
    wrong = portal.http.post("/introspect", data={"token": "t"}, auth=(client.client_id, secret))
    by_get = portal.http.get("/tokeninfo")

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Basic realm="archway"')
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (by_get.status_code, by_get.headers["www-authenticate"]) == (401, 'Bearer realm="archway"')


def test_tokeninfo_by_get_takes_the_token_in_the_header_only(portal: Portal, client: Client) -> None:
    token = portal.token(client)["access_token"]

    by_header = portal.http.get("/tokeninfo", headers={"Authorization": f"Bearer {token}"})
    by_query = portal.http.get("/tokeninfo", params={"token": token})

    assert by_header.json()["client_id"] == client.client_id
    assert (by_query.status_code, by_query.json()["error"]) == (400, "invalid_request")


def test_the_tokens_of_a_removed_application_are_inactive_at_once(
    portal: Portal, person: Person, client: Client
) -> None:
    token = portal.token(client)["access_token"]
    start_removal(actor=person.actor, application=client.credential.application)

    answer = portal.http.get("/tokeninfo", headers={"Authorization": f"Bearer {token}"})

    assert answer.json() == {"active": False}


def test_a_key_manager_that_does_not_answer_is_503_and_never_inactive(
    portal: Portal, idp: tuple[RfcServer, KeyManager], client: Client
) -> None:
    token = portal.token(client)["access_token"]
    idp[0].fault("introspect", Fault.refused(503))

    answer = portal.http.post("/introspect", data={"token": token}, auth=client.basic)

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
