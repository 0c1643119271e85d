"""The connection check with a throw-away client: made, read, used, given a new secret, removed."""

import uuid
from collections.abc import Callable, Iterator

from common.errors import KeyManagerProtocolError, KeyManagerRejected, NotSupported
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    KeyManagerAdapter,
    StepState,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.own_token import STEP, see_own_token
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.rfc.check import timed


class ThrowAway:
    """One client."""

    def __init__(self, adapter: KeyManagerAdapter) -> None:
        self._adapter = adapter
        self._metadata = ClientMetadata(client_name="Archway connection check", marker=f"check-{uuid.uuid4()}")
        self._handle = ClientHandle(client_id="")

    def steps(self) -> Iterator[CheckStep]:
        """After a failure only the removal is tried."""
        made = timed("make a client", self._make)
        yield made
        failed = made.state is StepState.FAILED
        later: tuple[tuple[str, Callable[[], str]], ...] = (
            ("read the client", self._read),
            (STEP, lambda: see_own_token(self._adapter, self._handle)),
            ("replace the secret", self._rotate),
        )
        for name, step in later:
            if failed:
                yield CheckStep(name=name, state=StepState.SKIPPED, reason="An earlier step failed.")
                continue
            done = timed(name, step)
            failed = done.state is StepState.FAILED
            yield done
        yield timed("remove the client", self._remove)

    def _make(self) -> str:
        self._handle = self._adapter.create_client(self._metadata).handle
        return f"Client {self._handle.client_id}"

    def _read(self) -> str:
        found = self._adapter.read_client(self._handle)
        if found is None:
            raise KeyManagerProtocolError("The client that was just made is not there.")
        self._handle = found.handle
        return ""

    def _rotate(self) -> str:
        self._adapter.require(Capability.ROTATE_SECRET)
        before = self._handle
        self._handle = self._adapter.rotate_secret(before, self._metadata).handle
        given = self._asked(self._handle)
        if not given.ok:
            words = text_of(given.body, "error_description") or text_of(given.body, "error")
            raise KeyManagerRejected(f"The new secret is refused (HTTP {given.status}): {words}")
        if Capability.OVERLAPPING_SECRETS not in self._adapter.capabilities:
            return "The old secret ended at once."
        if not self._asked(before).ok:
            raise KeyManagerProtocolError(
                "The old secret does not work beside the new one: Keycloak needs the feature client-secret-rotation "
                "and a client policy with the executor secret-rotation."
            )
        self._adapter.drop_old_secret(self._handle)
        if self._asked(before).ok:
            raise KeyManagerProtocolError("The old secret still works after it was dropped.")
        return "Both secrets worked until the old one was dropped."

    def _remove(self) -> str:
        handle = self._handle
        if not handle.client_id:
            self._adapter.require(Capability.FIND_CLIENT)
            found = self._adapter.find_client(self._metadata.marker)
            if found is None:
                raise NotSupported("No client was made.")
            handle = found.handle
        self._adapter.delete_client(handle)
        return ""

    def _asked(self, handle: ClientHandle) -> TokenAnswer:
        return self._adapter.issue_token(
            TokenRequest(
                client_id=handle.client_id,
                client_secret=handle.client_secret,
                parameters=(("grant_type", "client_credentials"),),
            )
        )
