"""Steps of a connection check that make, read, use and remove a client."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial

from common.errors import ArchwayError, KeyManagerProtocolError
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientMetadata,
    KeyManagerAdapter,
    RegisteredClient,
    StepState,
)
from keymanager.adapters.own_token import STEP, see_own_token
from keymanager.adapters.rfc.check import timed


class TrialClient:
    """One throw-away client. Whatever happens, it is removed if it was made."""

    def __init__(self, adapter: KeyManagerAdapter) -> None:
        self._adapter = adapter
        self._marker = f"check-{uuid.uuid4()}"
        self._made: RegisteredClient | None = None

    def steps(self) -> Iterator[CheckStep]:
        """Make, read, prove the secret, remove. Without a client the later steps are skipped."""
        yield timed("make a client", self._make)
        later: tuple[tuple[str, Callable[[RegisteredClient], str]], ...] = (
            ("read the client", self._read),
            ("use the client's secret", self._use),
            *(((STEP, self._introspect),) if self._adapter.knows_opaque_tokens else ()),
            ("remove the client", self._remove),
        )
        for name, step in later:
            made = self._made
            if made is None:
                yield CheckStep(name=name, state=StepState.SKIPPED, reason="No client was made.")
            else:
                yield timed(name, partial(step, made))

    def _make(self) -> str:
        try:
            self._made = self._adapter.create_client(
                ClientMetadata(client_name="Archway connection check", marker=self._marker)
            )
        except ArchwayError:
            self._clean_up()
            raise
        return f"Client {self._made.handle.client_id}"

    def _read(self, made: RegisteredClient) -> str:
        self._adapter.require(Capability.READ_CLIENT)
        if self._adapter.read_client(made.handle) is None:
            raise KeyManagerProtocolError("The client that was just made is not there.")
        return ""

    def _use(self, made: RegisteredClient) -> str:
        if self._adapter.verify_client(made.handle).secret_works is False:
            raise KeyManagerProtocolError("The secret of the client that was just made is refused (perhaps: not yet).")
        return ""

    def _introspect(self, made: RegisteredClient) -> str:
        return see_own_token(self._adapter, made.handle)

    def _remove(self, made: RegisteredClient) -> str:
        self._adapter.delete_client(made.handle)
        return ""

    def _clean_up(self) -> None:
        """A client may have been made although nobody said so."""
        if Capability.FIND_CLIENT not in self._adapter.capabilities:
            return
        try:
            found = self._adapter.find_client(self._marker)
            if found is not None:
                self._adapter.delete_client(found.handle)
        except ArchwayError:
            return
