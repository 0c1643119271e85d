"""The ``wso2is`` adapter: the RFCs for tokens, the key manager operations for clients, the scopes API for scopes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.api_registry import ScopeRegistryAdapter
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
from keymanager.adapters.wso2.config import knobs
from keymanager.adapters.wso2.management import ManagementApi
from keymanager.adapters.wso2.naming import preset_client_id
from keymanager.adapters.wso2is.clients import Clients
from keymanager.adapters.wso2is.config import GRANT_TYPES, Wso2IsConfig
from keymanager.adapters.wso2is.scopes import SCOPES, Scopes

C = Capability


class Wso2IsAdapter(Wso2Server, ScopeRegistryAdapter):
    """One tenant of a WSO2 Identity Server 5 or 6."""

    slug = "wso2is"
    label = "WSO2 Identity Server 5 and 6"
    untold = "5 or 6"
    Config: ClassVar[type[Any]] = Wso2IsConfig
    _managed: Clients

    def __init__(self, config: Wso2IsConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config, grant_types=GRANT_TYPES), http, clock)
        self.config = config
        self._settings = config
        self._api = ManagementApi.by_user(
            config.server, http, config.management_id, config.management_secret, f"{SCOPES}?startIndex=1&count=1"
        )
        self._managed = Clients(config, self._api, clock)
        self._registry = Scopes(self._api)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """There is no list of clients, and nothing to suspend one."""
        return super().capabilities | {C.SCOPES}

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret: instead of the old one, which also ends all tokens of the client, or beside it."""
        updated = self._managed.update(handle, metadata)
        made = self._managed.new_secret(updated.handle)
        return replace(updated, handle=made.handle, client_secret_expires_at=made.client_secret_expires_at)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Delete all secrets but the newest of ours."""
        self.require(C.OVERLAPPING_SECRETS)
        self._managed.drop_old_secrets(handle)

    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        """By regenerating the secret, which ends every token and every older secret."""
        self.require(C.REVOKE_ALL)
        return self._managed.regenerated(handle).handle

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the right to manage clients, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage clients", self._check_clients)
        yield from TrialClient(self).steps()

    def _check_clients(self) -> str:
        self._managed.read(ClientHandle(client_id=preset_client_id("check")))
        return "A made-up client is not there."
