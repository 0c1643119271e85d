"""What the tests of registrations share: people, key managers on real servers, a worker whose clock can be moved."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from accounts.actor import Actor, actor_of
from accounts.models import Role
from accounts.services import create_user
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.models import Credential, KeyManager, Registration
from keymanager.registrations.engine import Engine, no_checkpoint
from keymanager.registrations.states import SETTLED
from keymanager.registrations.sweeping import sweep
from keymanager.services import credentials, key_managers
from subscriptions.models import Application
from subscriptions.services.applications import create_application
from tests.fakes.rfc_server import RfcServer
from tests.subscribed import subscribe_to


class Crash(BaseException):
    """The worker dies here."""


@dataclass(slots=True)
class MovedClock:
    """The machine's clock, some seconds ahead."""

    ahead: float = 0.0

    def now(self) -> float:
        """Epoch seconds."""
        return datetime.now(UTC).timestamp() + self.ahead

    def moment(self) -> datetime:
        """The time as the database keeps it."""
        return datetime.fromtimestamp(self.now(), UTC)


@dataclass(slots=True)
class Worker:
    """Runs the jobs that the sweep asks for, one after the other."""

    adapters: Callable[[KeyManager], KeyManagerAdapter] = key_managers.adapter_for
    clock: MovedClock = field(default_factory=MovedClock)
    runs: int = 0

    def process(self, registration_id: uuid.UUID, checkpoint: Callable[[str], None] = no_checkpoint) -> None:
        """One job."""
        self.runs += 1
        Engine(adapters=self.adapters, clock=self.clock, checkpoint=checkpoint, jitter=lambda: 0.5).process(
            registration_id
        )

    def sweep(self) -> int:
        """One sweep with the jobs that it asks for."""
        asked: list[str] = []

        def send(_: str, argument: str) -> bool:
            asked.append(argument)
            return True

        sweep(self.clock.moment(), send=send)
        for registration_id in asked:
            self.process(uuid.UUID(registration_id))
        return len(asked)

    def sweep_at(self, seconds: float) -> int:
        """Move the clock by so many seconds and sweep."""
        self.clock.ahead += seconds
        return self.sweep()

    def settle(self, *, rounds: int = 40, step: float = 200.0) -> None:
        """Sweep, moving the clock, until nothing more happens by itself."""
        for _ in range(rounds):
            self.clock.ahead += step
            self.sweep()
            if not Registration.objects.exclude(state__in=[state.value for state in SETTLED]).exists():
                return


def person(name: str, *roles: Role) -> Actor:
    """A person with roles, as an actor."""
    return actor_of(create_user(username=name, password="correct horse battery staple", roles=roles))


def rfc_key_manager(server: RfcServer, *, admin: Actor, slug: str = "fake", **changes: Any) -> KeyManager:
    """The fake server as a key manager."""
    config: dict[str, Any] = {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
    }
    keep_secrets = changes.pop("keep_secrets", True)
    return key_managers.create_key_manager(
        actor=admin, slug=slug, name=slug, adapter="rfc", config={**config, **changes}, keep_secrets=keep_secrets
    )


def application(actor: Actor, name: str = "Museum guide") -> Application:
    """An application of the actor's own team."""
    assert actor.team_id is not None
    return create_application(actor=actor, team_id=actor.team_id, name=name)


def wish(actor: Actor, owner: Application, key_manager: KeyManager, **changes: Any) -> Credential:
    """A credential that is wished for, of an application that is subscribed to APIs with the scopes it chooses."""
    subscribe_to(owner, *changes.get("scopes", ()))
    return credentials.request_credential(actor=actor, application=owner, key_manager=key_manager, **changes)


def choose(actor: Actor, credential: Credential, *scopes: str) -> Credential:
    """Other scopes for a credential, of an application that is subscribed to APIs with them."""
    subscribe_to(credential.application, *scopes)
    return credentials.change_credential(actor=actor, credential=credential, scopes=scopes)


def registration_of(credential: Credential) -> Registration:
    """The registration as it is now."""
    return Registration.objects.get(credential=credential)
