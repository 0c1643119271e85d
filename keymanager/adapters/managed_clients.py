"""Tokens by the RFCs, clients by a vendor's own management: what every adapter of that kind does alike."""

from typing import Protocol

from keymanager.adapters.contract import Capability, ClientHandle, ClientMetadata, RegisteredClient, Verification
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.verification import verified

C = Capability


class ManagedClients(Protocol):
    """The client operations of a vendor's management."""

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Make the client."""
        ...

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """``None`` when there is none."""
        ...

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        ...

    def delete(self, handle: ClientHandle) -> None:
        """One that is gone is success."""
        ...

    def find(self, marker: str) -> RegisteredClient | None:
        """By our marker."""
        ...


class ManagedClientsAdapter(RfcAdapter):
    """A subclass sets ``_managed``, and overrides an operation only where there is more to it."""

    _managed: ManagedClients

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the RFCs give, and what every management has."""
        managed = {C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.ROTATE_SECRET, C.FIND_CLIENT}
        return super().capabilities | managed

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """By management."""
        return self._managed.create(metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """By management, which shows no secret, or only to those who may see it."""
        return self._managed.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        return self._managed.update(handle, metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """A client that is gone is success."""
        self._managed.delete(handle)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By what the marker became there."""
        return self._managed.find(marker)

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its existence by management, its secret by using it."""
        return verified(handle, self._managed.read, self._secret_works)

    def _secret_works(self, handle: ClientHandle) -> bool | None:
        """By revoking a made-up token."""
        return self._clients.verify(handle).secret_works
