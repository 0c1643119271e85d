"""What the tests of the portal's OAuth endpoints share: a portal on a socket, people, key managers, a worker."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2
from django.db import connections
from django.utils import timezone

from accounts.actor import Actor, actor_of
from accounts.models import Role, User
from accounts.services import create_api_token, create_user
from keymanager.jobs import process_registration
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.states import WORKABLE
from keymanager.services.adapters import close_adapters
from keymanager.services.credentials import request_credential
from keymanager.services.key_managers import create_key_manager
from subscriptions.services.applications import create_application
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.subscribed import subscribe_to

CALLBACK = "https://app.example.com/callback"
ALL_GRANTS = ("client_credentials", "authorization_code", "refresh_token", "password")
ADMINISTRATOR = Actor(name="admin", roles=frozenset({Role.ADMINISTRATOR}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user with an API token of the personal team."""

    user: User
    actor: Actor
    api_token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The API token as bearer token."""
        return {"Authorization": f"Bearer {self.api_token}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client and its secret."""

    credential: Credential
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def basic(self) -> tuple[str, str]:
        """For HTTP Basic."""
        return self.client_id, self.client_secret


def make_person(name: str, *roles: Role, may_introspect: bool = False) -> Person:
    """A user with these roles (default: app developer)."""
    user = create_user(username=name, password="correct horse battery", roles=roles or (Role.APP_DEVELOPER,))
    token = create_api_token(user=user, name="test", may_introspect=may_introspect)
    return Person(user=user, actor=actor_of(user, token.row), api_token=token.value)


def fake_key_manager(server: RfcServer, slug: str = "fake", **config: Any) -> KeyManager:
    """A key manager for a running fake."""
    return create_key_manager(
        actor=ADMINISTRATOR,
        slug=slug,
        name=slug.title(),
        adapter="rfc",
        config={
            "issuer": server.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
            "grant_types": list(ALL_GRANTS),
            "resource_style": "any",
            **config,
        },
    )


@contextmanager
def fake(quirks: Quirks | None = None, slug: str = "fake", **config: Any) -> Iterator[tuple[RfcServer, KeyManager]]:
    """A running fake and its key manager."""
    with RfcServer(quirks=quirks) as server:
        yield server, fake_key_manager(server, slug, **config)


def make_client(person: Person, key_manager: KeyManager, name: str = "museum app", **wanted: Any) -> Client:
    """An application with one client that is registered at the key manager."""
    assert person.actor.team_id is not None
    application = create_application(actor=person.actor, team_id=person.actor.team_id, name=name)
    subscribe_to(application, *wanted.get("scopes", ("read", "museum:read")))
    credential = request_credential(
        actor=person.actor,
        application=application,
        key_manager=key_manager,
        **{
            "environment": "production",
            "grant_types": ALL_GRANTS,
            "redirect_uris": (CALLBACK,),
            "scopes": ("read", "museum:read"),
            "token_endpoint_auth_method": "client_secret_basic",
            **wanted,
        },
    )
    work_until(lambda: bool(Credential.objects.get(pk=credential.pk).client_id))
    return client_of(person, credential)


def client_of(person: Person, credential: Credential) -> Client:
    """The client as its team sees it."""
    from keymanager.sealing import unseal_secret

    credential.refresh_from_db()
    return Client(credential=credential, client_id=credential.client_id, client_secret=unseal_secret(credential))


def work_once() -> None:
    """Carry out what is due, as a worker does when the queue has told it."""
    due = Registration.objects.filter(state__in=WORKABLE, next_try_at__lte=timezone.now())
    for pk in list(due.values_list("pk", flat=True)):
        process_registration(str(pk))


def work_until(done: Callable[[], bool], *, seconds: float = 15) -> None:
    """Carry out registrations in this thread until ``done``."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the registrations did not get there in time"
        work_once()


@contextmanager
def worker() -> Iterator[None]:
    """A worker beside the test: registrations are carried out as they come."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            work_once()
        connections.close_all()

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


class Portal:
    """The portal's endpoints over HTTP; a context manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        close_adapters()

    def token(self, client: Client, **form: Any) -> dict[str, Any]:
        """A successful token answer, by default by client_credentials."""
        answer = self.http.post("/token", data={"grant_type": "client_credentials", **form}, auth=client.basic)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def introspect(self, token: str, client: Client, **form: str) -> dict[str, Any]:
        """What a client is told about a token."""
        answer = self.http.post("/introspect", data={"token": token, **form}, auth=client.basic)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body
