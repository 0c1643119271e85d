"""Adapters whose identity provider keeps our scopes, or our APIs as things of their own."""

from typing import Protocol

from keymanager.adapters.contract import Capability, RemoteResource, Resource, ScopeSpec
from keymanager.adapters.managed_clients import ManagedClientsAdapter

C = Capability


class ScopeRegistry(Protocol):
    """The scopes at the identity provider."""

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make it exist with this description."""
        ...

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        ...

    def scope_keys(self) -> frozenset[str]:
        """All of them."""
        ...


class ApiRegistry(ScopeRegistry, Protocol):
    """The APIs that are ours at the identity provider: one with all scopes, or one for each version."""

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


class ScopeRegistryAdapter(ManagedClientsAdapter):
    """The operations on scopes. A subclass sets ``_registry`` and declares ``SCOPES``."""

    _registry: ScopeRegistry

    def register_scope(self, scope: ScopeSpec) -> None:
        """With this description."""
        self.require(C.SCOPES)
        self._registry.register_scope(scope)

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        self.require(C.SCOPES)
        self._registry.delete_scope(key)

    def list_scopes(self) -> frozenset[str]:
        """All that the identity provider knows, or those of our shared API."""
        self.require(C.SCOPES)
        return self._registry.scope_keys()


class ApiRegistryAdapter(ScopeRegistryAdapter):
    """The operations on APIs too. A subclass declares ``SCOPES`` or ``RESOURCES``."""

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
