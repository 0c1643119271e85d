"""No secret is in an answer, an audit row, an attempt, a problem or a log line; recognisable ones are looked for."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiToken, IdempotentAnswer
from keymanager.models import Credential, KeyManager, KeyManagerCheck, Registration, RegistrationAttempt
from keymanager.registrations.states import WORKABLE
from keymanager.services.checks import run_check
from subscriptions.models import AuditEvent, ChangeEvent
from tests.fakes.faults import Fault
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import Caller, World, fields_of, make_world
from tests.subscribed import subscribe_to

pytestmark = pytest.mark.django_db
SECRETS = {
    "initial_access_token": "SECRET-initial-9f31",
    "introspection_client_secret": "SECRET-introspection-77ac",
    "registration_client_secret": "SECRET-registration-e1d0",
    "introspection_token": "SECRET-bearer-40b2",
}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


class Heard:
    """Everything that callers were answered, and everything that was logged."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self.log = log
        self.answers: list[str] = []

    def keep(self, answer: Any) -> Any:
        """Remember an answer with its headers."""
        self.answers.append(f"{dict(answer.items())} {answer.content.decode()}")
        return answer

    def everything(self) -> dict[str, str]:
        """All that must hold no secret, by where it is."""
        tables: list[Any] = [AuditEvent, ChangeEvent, Registration, RegistrationAttempt, KeyManagerCheck, KeyManager]
        tables += [IdempotentAnswer, Credential, ApiToken]
        return {
            "answers": "\n".join(self.answers),
            "log": self.log.text,
            **{table.__name__: "\n".join(str(row) for row in table.objects.values()) for table in tables},
        }


def assert_nowhere(secret: str, heard: Heard) -> None:
    assert secret
    for where, text in heard.everything().items():
        assert secret not in text, f"a secret is in {where}"


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Heard:
    caplog.set_level(logging.DEBUG)
    return Heard(caplog)


def config_of(server: RfcServer) -> dict[str, Any]:
    return {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }


def test_settings_of_a_key_manager_are_nowhere_in_the_open(world: World, heard: Heard) -> None:
    config = {"issuer": "https://idp.example", "introspection_client_id": "gateway", **SECRETS}
    body = {"slug": "idp", "name": "IdP", "adapter": "rfc", "config": config}
    assert heard.keep(world.admin.post("/admin/key-managers/", body, Idempotency_Key="k")).status_code == 201
    heard.keep(world.admin.post("/admin/key-managers/", body, Idempotency_Key="k"))
    heard.keep(world.admin.post("/admin/key-managers/", body))
    heard.keep(world.admin.get("/admin/key-managers/"))
    path = "/admin/key-managers/idp/"
    for change in [
        {"config": {"issuer": f"https://user:{SECRETS['introspection_token']}@idp.example"}},
        {"config": {"introspection_auth": SECRETS["introspection_token"]}},
        {"config": {"initial_access_token": [SECRETS["initial_access_token"]]}},
        {"config": {"initial_access_token": SECRETS["initial_access_token"] + "\n"}},
    ]:
        assert heard.keep(world.admin.patch(path, change)).status_code == 400
    heard.keep(world.admin.patch(path, {"config": SECRETS}))
    heard.keep(world.admin.get("/admin/audit/"))
    assert world.admin.delete(path).status_code == 204
    for secret in SECRETS.values():
        assert_nowhere(secret, heard)


def walk(world: World, heard: Heard, server: RfcServer) -> tuple[str, list[str]]:
    """A client's whole life with every kind of trouble on the way; returns its id and the secrets that it had."""
    secrets: list[str] = []
    server.fault("register", Fault.refused(503))
    server.fault("register", Fault.refused(400, error="invalid_client_metadata"))
    made = heard.keep(
        world.developer.post("/store/applications/", {"name": "A", "credentials": [{"key_manager": "fake"}]})
    )
    path = f"/store/credentials/{made.json()['credentials'][0]['id']}/"
    credential = Credential.objects.get()

    def work() -> None:
        waiting = Registration.objects.filter(state__in=WORKABLE)
        waiting.update(next_try_at=timezone.now())
        world.work()
        for client in server.clients.values():
            secrets.extend([client.client_secret, client.registration_access_token])

    for _ in range(3):
        work()
        heard.keep(world.developer.get(path))
        heard.keep(world.developer.post(f"{path}retry/"))
    work()
    assert world.developer.get(path).json()["state"] == "active"
    subscribe_to(credential.application, "read")
    heard.keep(world.developer.patch(path, {"scopes": ["read"]}))
    server.fault("update", Fault.refused(401, error="invalid_token"))
    work()
    heard.keep(world.developer.get(path))
    heard.keep(world.developer.post(f"{path}retry/"))
    work()
    secrets.append(world.developer.post(f"{path}reveal-secret/").json()["client_secret"])
    heard.keep(world.developer.post(f"{path}token/", {"scopes": ["forbidden scope"]}))
    issued = world.developer.post(f"{path}token/", {})
    assert issued.status_code == 200, issued.json()
    secrets.append(issued.json()["access_token"])
    return str(credential.pk), secrets


def test_a_clients_secrets_and_tokens_are_nowhere_in_the_open(world: World, heard: Heard) -> None:
    with RfcServer() as server:
        world.add_key_manager("fake", config=config_of(server))
        heard.keep(world.admin.post("/admin/key-managers/fake/check/"))
        run_check(KeyManagerCheck.objects.get().pk)
        heard.keep(world.admin.get("/admin/key-managers/fake/check/"))
        credential_id, secrets = walk(world, heard, server)
        read_all(world.admin, heard, "/admin/registrations/", "/admin/audit/", "/admin/key-managers/")
        registration = Registration.objects.get(credential__pk=credential_id)
        heard.keep(world.admin.get(f"/admin/registrations/{registration.pk}/"))
        assert RegistrationAttempt.objects.count() > 3
        for secret in {*secrets, server.initial_access_token, server.gateway_client_secret}:
            assert_nowhere(secret, heard)


def read_all(caller: Caller, heard: Heard, *paths: str) -> None:
    """Read whole lists."""
    for path in paths:
        assert heard.keep(caller.get(f"{path}?page_size=200")).status_code == 200


def test_the_token_of_the_caller_is_nowhere_in_the_open(world: World, heard: Heard) -> None:
    heard.keep(world.developer.post("/store/applications/", {"name": "A"}, Idempotency_Key="k"))
    heard.keep(world.developer.post("/store/applications/", {"name": ""}))
    heard.keep(world.developer.get("/admin/audit/"))
    broken = Caller(user=world.developer.user, actor=world.developer.actor, token=world.developer.token + "x")
    assert heard.keep(broken.get("/store/applications/")).status_code == 401
    assert_nowhere(world.developer.token, heard)


def test_a_password_in_a_url_is_not_said_back(world: World, heard: Heard) -> None:
    secret = "SECRET-in-a-url-5c"
    url = f"https://user:{secret}@127.0.0.1:9/openapi.yaml"
    body = {"name": "A", "version": "1", "context": "/a", "definition_url": url}
    assert heard.keep(world.publisher.post("/publisher/apis/", body)).status_code == 400
    assert heard.keep(world.admin.post("/admin/key-managers/discover/", {"url": url})).status_code == 400
    endpoints = {"production": url}
    bodies = {**body, "definition_url": "", "operations": [{"method": "GET", "path": "/"}], "endpoints": endpoints}
    assert heard.keep(world.publisher.post("/publisher/apis/", bodies)).status_code == 400
    wanted = {"key_manager": "resident", "grant_types": ["authorization_code"], "redirect_uris": [url]}
    refused = heard.keep(world.developer.post("/store/applications/", {"name": "A", "credentials": [wanted]}))
    assert (refused.status_code, set(fields_of(refused))) == (400, {"credentials[0].redirect_uris"})
    assert_nowhere(secret, heard)
