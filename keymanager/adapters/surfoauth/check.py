"""The connection check: who we are, the resource server, and a throw-away client that is made, used and deleted."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import (
    CheckStep,
    Inactive,
    KeyManagerAdapter,
    StepState,
)
from keymanager.adapters.rfc.check import timed
from keymanager.adapters.surfoauth.administration import Administration
from keymanager.adapters.surfoauth.refusals import ADMIN_PRINCIPAL
from keymanager.adapters.surfoauth.resource_servers import ResourceServers
from keymanager.adapters.trial_client import MAKE, TrialClient


@dataclass(slots=True, kw_only=True)
class Check:
    """The steps, one after the other; what builds on a failed one is skipped."""

    adapter: KeyManagerAdapter
    administration: Administration
    servers: ResourceServers

    def steps(self) -> Iterator[CheckStep]:
        """Each step when it is done."""
        self.administration.forget()
        self.servers.forget()
        failed = ""
        for name, step in (
            ("right to manage", self._principal),
            ("resource server", self._server),
            ("token information", self._made_up_token),
        ):
            done = _skipped(name, failed) if failed else timed(name, step)
            failed = failed or (name if done.state is StepState.FAILED else "")
            yield done
        if failed:
            yield _skipped(MAKE, failed)
        else:
            yield from TrialClient(self.adapter, unscoped=True).steps()

    def _principal(self) -> str:
        who = self.administration.principal()
        if who.get("adminPrincipal") is True:
            raise KeyManagerRejected(
                f"{who['name']} is an administrator: it would take every resource server that it changes from its "
                "owner. Use a client that is none.",
                remote_code=ADMIN_PRINCIPAL,
            )
        return f"We are {who['name']}."

    def _server(self) -> str:
        server = self.servers.home()
        return f"{server.name} (id {server.id}) with {len(server.scopes)} scopes"

    def _made_up_token(self) -> str:
        if not isinstance(self.adapter.introspect(secrets.token_urlsafe(32)), Inactive):
            raise KeyManagerProtocolError("It calls a made-up token active.")
        return "A made-up token is inactive."


def _skipped(name: str, failed: str) -> CheckStep:
    return CheckStep(name=name, state=StepState.SKIPPED, reason=f"The step before it failed: {failed}.")
