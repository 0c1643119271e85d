"""The connection check with a throw-away client: every step that an application will need, once."""

import secrets
from collections.abc import Callable, Iterator

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Inactive,
    KeyManagerAdapter,
    StepState,
    TokenRequest,
)
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.rfc.check import timed

_SCOPE = "archway.check"


class ThrowAway:
    """One client that is made, used and removed."""

    def __init__(self, adapter: KeyManagerAdapter) -> None:
        self._adapter = adapter
        self._metadata = ClientMetadata(
            client_name="Archway connection check",
            marker=f"check-{secrets.token_hex(8)}",
            scopes=frozenset({_SCOPE}),
        )
        self._handle = ClientHandle(client_id="")
        self._token = ""

    def steps(self) -> Iterator[CheckStep]:
        """One after the other; after a failure only the removal is tried."""
        made = timed("create a client", self._create)
        yield made
        later: list[tuple[str, Callable[[], str]]] = [
            ("get a token", self._ask),
            ("check the token", self._look_up),
            ("replace the secret", self._rotate),
        ]
        broken = made.state is StepState.FAILED
        for name, step in later:
            if broken:
                yield CheckStep(name=name, state=StepState.SKIPPED, reason="An earlier step failed.")
                continue
            done = timed(name, step)
            broken = done.state is StepState.FAILED
            yield done
        yield timed("remove the client", self._remove)

    def _create(self) -> str:
        self._handle = self._adapter.create_client(self._metadata).handle
        return f"Client {self._handle.client_id}"

    def _ask(self) -> str:
        given = self._adapter.issue_token(self._request(self._handle.client_secret))
        if not given.ok:
            words = text_of(given.body, "error_description") or text_of(given.body, "error")
            raise KeyManagerRejected(f"It gave no token (HTTP {given.status}): {words}", remote_status=given.status)
        if given.scopes != {_SCOPE}:
            raise KeyManagerProtocolError("It did not grant the scope that the client has.")
        self._token = text_of(given.body, "access_token")
        return "It has the scope that was asked for."

    def _look_up(self) -> str:
        answer = self._adapter.introspect(self._token)
        if isinstance(answer, Inactive):
            raise KeyManagerProtocolError(
                f"It calls its own fresh token bad: {answer.reason} Tokens are checked by keys only if the set "
                "hydra.jwt.access-token is published and access tokens are JWTs."
            )
        if answer.token_use != "access" or answer.client_id != self._handle.client_id:
            raise KeyManagerProtocolError("What it says of its own fresh token does not fit.")
        if _SCOPE not in answer.scopes:
            raise KeyManagerProtocolError("It does not say which scopes its own fresh token has.")
        return "Client and scopes are told."

    def _rotate(self) -> str:
        before = self._handle.client_secret
        self._handle = self._adapter.rotate_secret(self._handle, self._metadata).handle
        if Capability.OVERLAPPING_SECRETS not in self._adapter.capabilities:
            return "The old secret ended at once."
        if not self._adapter.issue_token(self._request(before)).ok:
            raise KeyManagerProtocolError("The old secret does not work beside the new one.")
        self._adapter.drop_old_secret(self._handle)
        if self._adapter.issue_token(self._request(before)).ok:
            raise KeyManagerProtocolError("The old secret still works after it was dropped.")
        return "Both secrets worked until the old one was dropped."

    def _remove(self) -> str:
        handle = self._handle
        if not handle.client_id:
            try:
                found = self._adapter.find_client(self._metadata.marker)
            except ArchwayError as exc:
                raise KeyManagerRejected(f"It is not known whether a client was made: {exc.message}") from exc
            if found is None:
                return "There is none."
            handle = found.handle
        self._adapter.delete_client(handle)
        if self._adapter.read_client(handle) is not None:
            raise KeyManagerProtocolError(f"The client {handle.client_id} is still there.")
        return ""

    def _request(self, secret: str) -> TokenRequest:
        return TokenRequest(
            client_id=self._handle.client_id,
            client_secret=secret,
            parameters=(("grant_type", "client_credentials"), ("scope", _SCOPE)),
        )
