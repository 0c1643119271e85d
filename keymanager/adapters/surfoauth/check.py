"""The connection check: who we are, the resource server, and a throw-away client that is made, used and deleted."""

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import (
    CheckStep,
    ClientMetadata,
    Inactive,
    KeyManagerAdapter,
    RegisteredClient,
    StepState,
    TokenRequest,
)
from keymanager.adapters.rfc.check import timed
from keymanager.adapters.surfoauth.administration import Administration
from keymanager.adapters.surfoauth.refusals import ADMIN_PRINCIPAL
from keymanager.adapters.surfoauth.resource_servers import ResourceServers


@dataclass(slots=True, kw_only=True)
class Check:
    """The steps, one after the other; what builds on a failed one is skipped."""

    adapter: KeyManagerAdapter
    administration: Administration
    servers: ResourceServers
    made: RegisteredClient | None = None
    token: str = ""

    def steps(self) -> Iterator[CheckStep]:
        """Each step when it is done."""
        self.administration.forget()
        self.servers.forget()
        failed = ""
        for name, step in (
            ("right to manage", self._principal),
            ("resource server", self._server),
            ("token information", self._made_up_token),
            ("create a client", self._create),
            ("get a token", self._token),
            ("look the token up", self._look_up),
        ):
            done = _skipped(name, failed) if failed else timed(name, step)
            failed = failed or (name if done.state is StepState.FAILED else "")
            yield done
        yield self._last(failed)

    def _last(self, failed: str) -> CheckStep:
        """Whatever failed, a client that was made is deleted."""
        name = "delete the client"
        step: Callable[[], str] = self._delete
        return timed(name, step) if self.made is not None else _skipped(name, failed)

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

    def _create(self) -> str:
        metadata = ClientMetadata(client_name="Connection check", marker=f"check-{uuid.uuid4()}")
        self.made = self.adapter.create_client(metadata)
        return f"Client {self.made.handle.client_id}"

    def _token(self) -> str:
        handle = self._client().handle
        answer = self.adapter.issue_token(
            TokenRequest(
                client_id=handle.client_id,
                client_secret=handle.client_secret,
                parameters=(("grant_type", "client_credentials"),),
            )
        )
        if not answer.ok:
            raise KeyManagerRejected(f"No token was given (HTTP {answer.status}): {answer.body.get('error', '')}")
        self.token = str(answer.body["access_token"])
        return f"It lives {answer.expires_in} seconds."

    def _look_up(self) -> str:
        facts = self.adapter.introspect(self.token)
        if isinstance(facts, Inactive) or facts.client_id != self._client().handle.client_id:
            raise KeyManagerProtocolError("The token of our own client is not known as such.")
        return "It is active, and the client's."

    def _delete(self) -> str:
        self.adapter.delete_client(self._client().handle)
        return ""

    def _client(self) -> RegisteredClient:
        if self.made is None:
            raise KeyManagerProtocolError("There is no client.")
        return self.made


def _skipped(name: str, failed: str) -> CheckStep:
    return CheckStep(name=name, state=StepState.SKIPPED, reason=f"The step before it failed: {failed}.")
