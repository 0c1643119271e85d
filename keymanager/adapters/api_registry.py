"""Adapters whose identity provider keeps our APIs as things of their own: one for all scopes, or one per version."""

from typing import Protocol

from keymanager.adapters.contract import Capability, RemoteResource, Resource, ScopeSpec
from keymanager.adapters.rfc.adapter import RfcAdapter

C = Capability


class ApiRegistry(Protocol):
    """The APIs that are ours at the identity provider."""

    def register(self, resource: Resource) -> RemoteResource:
        """Make it exist as asked."""
        ...

    def read(self, remote_id: str) -> RemoteResource | None:
        """``None`` when there is none."""
        ...

    def update(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Name and scopes."""
        ...

    def delete(self, remote_id: str) -> None:
        """One that is gone is success."""
        ...

    def register_scope(self, scope: ScopeSpec) -> None:
        """In the shared one."""
        ...

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        ...

    def scope_keys(self) -> frozenset[str]:
        """Of the shared one."""
        ...


class ApiRegistryAdapter(RfcAdapter):
    """The operations on APIs and scopes. A subclass sets ``_registry`` and declares ``SCOPES`` or ``RESOURCES``."""

    _registry: ApiRegistry

    def register_resource(self, resource: Resource) -> RemoteResource:
        """An API of its own."""
        self.require(C.RESOURCES)
        return self._registry.register(resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """``None`` when there is none."""
        self.require(C.RESOURCES)
        return self._registry.read(remote_id)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Name and scopes; the identifier can never change."""
        self.require(C.RESOURCES)
        return self._registry.update(remote_id, resource)

    def delete_resource(self, remote_id: str) -> None:
        """One that is gone is success."""
        self.require(C.RESOURCES)
        self._registry.delete(remote_id)

    def register_scope(self, scope: ScopeSpec) -> None:
        """A scope of the shared API."""
        self.require(C.SCOPES)
        self._registry.register_scope(scope)

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        self.require(C.SCOPES)
        self._registry.delete_scope(key)

    def list_scopes(self) -> frozenset[str]:
        """The scopes of the shared API."""
        self.require(C.SCOPES)
        return self._registry.scope_keys()
