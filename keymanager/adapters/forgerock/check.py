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

_WHY_INACTIVE = {
    "introspection": (
        "This server lets a client introspect its own tokens only: an AM 7 client sees all with the scope "
        "am-introspect-all-tokens; at OpenAM set token_validation to tokeninfo, or to jwt with stateless tokens."
    ),
    "jwt": "Its access tokens are not JWTs signed with a published key: set token_validation to tokeninfo.",
    "tokeninfo": "Is the address of tokeninfo below the issuer that of this realm?",
}


class ThrowAway:
    """One client that is made, read, changed, used and removed. ``scope``: one that it may have, or ""."""

    def __init__(self, adapter: KeyManagerAdapter, *, token_validation: str, scope: str) -> None:
        self._adapter = adapter
        self._why = _WHY_INACTIVE[token_validation]
        self._scope = scope
        self._metadata = ClientMetadata(
            client_name="Archway connection check",
            marker=f"check-{secrets.token_hex(8)}",
            scopes=frozenset({scope} if scope else ()),
        )
        self._handle = ClientHandle(client_id="")
        self._token = ""

    def steps(self) -> Iterator[CheckStep]:
        """One after the other; after a failure only the removal is tried."""
        made = timed("create a client", self._create)
        yield made
        later: list[tuple[str, Callable[[], str]]] = [
            ("read the client", self._read),
            ("get a token", self._ask),
            ("check the token", self._look_up),
            ("change the client", self._change),
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

    def _read(self) -> str:
        if self._adapter.read_client(self._handle) is None:
            raise KeyManagerProtocolError("The client that was just made is not there.")
        return ""

    def _ask(self) -> str:
        given = self._adapter.issue_token(
            TokenRequest(
                client_id=self._handle.client_id,
                client_secret=self._handle.client_secret,
                parameters=(
                    ("grant_type", "client_credentials"),
                    *((("scope", self._scope),) if self._scope else ()),
                ),
            )
        )
        if not given.ok:
            words = text_of(given.body, "error_description") or text_of(given.body, "error")
            raise KeyManagerRejected(f"It gave no token (HTTP {given.status}): {words}", remote_status=given.status)
        self._token = text_of(given.body, "access_token")
        return f"Scopes granted: {' '.join(sorted(given.scopes)) or 'none'}"

    def _look_up(self) -> str:
        answer = self._adapter.introspect(self._token)
        if isinstance(answer, Inactive):
            raise KeyManagerProtocolError(f"It calls its own fresh token bad. {self._why}")
        if answer.token_use != "access" or answer.client_id != self._handle.client_id:
            raise KeyManagerProtocolError("What it says of its own fresh token does not fit.")
        return "Client and scopes are told."

    def _change(self) -> str:
        self._adapter.require(Capability.UPDATE_CLIENT)
        self._handle = self._adapter.update_client(self._handle, self._metadata).handle
        return ""

    def _rotate(self) -> str:
        self._adapter.require(Capability.ROTATE_SECRET)
        self._handle = self._adapter.rotate_secret(self._handle, self._metadata).handle
        if self._adapter.verify_client(self._handle).secret_works is not True:
            raise KeyManagerProtocolError("The new secret does not work.")
        return "The old secret ended at once."

    def _remove(self) -> str:
        handle = self._handle
        self._adapter.require(Capability.DELETE_CLIENT)
        if not handle.client_id:
            if Capability.FIND_CLIENT not in self._adapter.capabilities:
                return "None is known of; one that was made without an answer cannot be found by registration."
            try:
                found = self._adapter.find_client(self._metadata.marker)
            except ArchwayError as exc:
                raise KeyManagerRejected(f"It is not known whether a client was made: {exc.message}") from exc
            if found is None:
                return "There is none."
            handle = found.handle
        self._adapter.delete_client(handle)
        return ""
