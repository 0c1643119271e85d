"""The ``wso2is7`` adapter: the RFCs for tokens, dynamic registration for clients, the server's API for the rest."""

from collections.abc import Iterator
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.api_registry import ApiRegistryAdapter
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    RegisteredClient,
)
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.wso2.adapter import Wso2Server
from keymanager.adapters.wso2.management import ManagementApi, gone
from keymanager.adapters.wso2is7.api_resources import ApiResources
from keymanager.adapters.wso2is7.applications import Applications
from keymanager.adapters.wso2is7.clients import Clients
from keymanager.adapters.wso2is7.config import Wso2Is7Config, knobs

C = Capability
_PROBE = "/api/server/v1/applications?limit=1"


class Wso2Is7Adapter(Wso2Server, ApiRegistryAdapter):
    """One tenant of a WSO2 Identity Server 7."""

    slug = "wso2is7"
    label = "WSO2 Identity Server 7"
    untold = "7 or later"
    Config: ClassVar[type[Any]] = Wso2Is7Config
    _settings: Wso2Is7Config
    _managed: Clients

    def __init__(self, config: Wso2Is7Config, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config
        self._settings = config
        if config.management_auth == "oauth":
            self._api = ManagementApi.by_token(config.server, http, self._own, _PROBE)
        else:
            name, password = config.management_id, config.management_secret
            self._api = ManagementApi.by_user(config.server, http, name, password, _PROBE)
        self._managed = Clients(config, self._api)
        self._resources = ApiResources(config, self._api)
        self._registry = self._resources
        self._applications = Applications(config, self._api, self._resources)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Scopes live in the shared API resource, or inside the one of each API version."""
        registry = C.SCOPES if self._settings.resources == "shared" else C.RESOURCES
        return super().capabilities | {C.SUSPEND_CLIENT, C.LIST_CLIENTS, registry}

    # clients

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """The client and the scopes it may ask for."""
        found = self._managed.read(handle)
        return None if found is None else self._applications.with_observed(found)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        return self._applications.with_scopes(self._managed.update(handle, metadata), metadata)

    def suspend_client(self, handle: ClientHandle) -> None:
        """Disable its application."""
        self._applications.enable(self._present(handle).handle, enabled=False)

    def resume_client(self, handle: ClientHandle) -> None:
        """Enable its application."""
        self._applications.enable(self._present(handle).handle, enabled=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret: instead of the old one, which also ends all tokens of the client, or beside it."""
        scoped = self._applications.with_scopes(self._present(handle), metadata)
        made = self._applications.new_secret(scoped.handle)
        return RegisteredClient(
            handle=made.handle,
            observed=scoped.observed,
            ignored=scoped.ignored,
            client_secret_expires_at=made.client_secret_expires_at,
        )

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Delete all secrets but the newest."""
        self.require(C.OVERLAPPING_SECRETS)
        self._applications.drop_old_secrets(self._present(handle).handle)

    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        """By regenerating the secret, which ends every token and every older secret."""
        self.require(C.REVOKE_ALL)
        return self._applications.regenerated(self._present(handle).handle).handle

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every OAuth client of the tenant, ours or not."""
        return self._managed.all()

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the rights to manage, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage clients", self._check_clients)
        yield timed("right to manage API resources", self._check_resources)
        yield from TrialClient(self).steps()

    def _made(self, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then the scopes it may ask for."""
        return self._applications.with_scopes(super()._made(metadata), metadata)

    def _present(self, handle: ClientHandle) -> RegisteredClient:
        """The client, or ``KeyManagerRejected`` with ``client_gone``."""
        found = self._managed.read(handle)
        if found is None:
            raise gone(handle.client_id, 401)
        return found

    def _check_clients(self) -> str:
        self._api.prove_rights()
        return "Applications can be listed."

    def _check_resources(self) -> str:
        return f"{len(self._resources.ours())} of ours"
