"""A fake Hydra with an adapter on it, for the tests of the ``hydra`` adapter."""

from typing import Any

from common.http import AddressGuard, HttpClient, HttpLimits
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import ClientMetadata, RegisteredClient, StepState, TokenAnswer, TokenRequest
from keymanager.adapters.hydra import HydraAdapter, HydraConfig
from tests.conformance.world import ManualClock
from tests.fakes.hydra_server import HydraHabits, HydraServer

METADATA = ClientMetadata(client_name="Shop", marker="m-1", scopes=frozenset({"read"}))
LIMITS = HttpLimits(connect=2.0, read=0.5, total=1.0)
OVERLAP: dict[str, Any] = {"secret_rotation": "overlap"}


class Bench:
    """A fake Hydra, an adapter on it, and a clock that both read."""

    def __init__(self, habits: HydraHabits | None = None, **values: Any) -> None:
        self.clock = ManualClock(1_900_000_000.0)
        self.server = HydraServer(habits=habits, clock=self.clock.now)
        self.http = HttpClient(guard=AddressGuard.of("127.0.0.0/8"), limits=LIMITS)
        own = {"issuer": self.server.issuer, "admin_url": self.server.admin_url}
        self.adapter = HydraAdapter(parse_config(HydraConfig, {**own, **values}), self.http, self.clock)

    def ask(self, client: RegisteredClient, *parameters: tuple[str, str], secret: str = "") -> TokenAnswer:
        """A machine's token request."""
        return self.adapter.issue_token(
            TokenRequest(
                client_id=client.handle.client_id,
                client_secret=secret or client.handle.client_secret,
                parameters=(("grant_type", "client_credentials"), *parameters),
            )
        )

    def steps(self) -> dict[str, tuple[StepState, str]]:
        """The connection check by name of step."""
        return {step.name: (step.state, step.reason) for step in self.adapter.check()}

    def stop(self) -> None:
        self.http.close()
        self.server.stop()


def jwt_bench(benches: list[Bench], habits: HydraHabits) -> Bench:
    """One that checks tokens by keys."""
    benches.append(Bench(habits, token_validation="jwt"))
    return benches[-1]
