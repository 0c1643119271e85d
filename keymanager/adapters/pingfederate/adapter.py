"""The ``pingfederate`` adapter: the RFCs at the runtime, clients and scopes by one of two management interfaces."""

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
    Recognised,
    RegisteredClient,
    ServerMetadata,
    StepState,
)
from keymanager.adapters.pingfederate.admin_clients import AdminClients
from keymanager.adapters.pingfederate.config import PingFederateConfig, oauth_knobs
from keymanager.adapters.pingfederate.management import Management
from keymanager.adapters.pingfederate.mapping import common_members
from keymanager.adapters.pingfederate.scopes import Scopes
from keymanager.adapters.pingfederate.service_clients import ServiceClients
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import MAKE, TrialClient
from keymanager.adapters.well_known import path_of

C = Capability


class PingFederateAdapter(ScopeRegistryAdapter):
    """We choose client ids and secrets, so nothing can be made twice and no answer holds a secret."""

    slug = "pingfederate"
    label = "PingFederate"
    Config: ClassVar[type[Any]] = PingFederateConfig
    _managed: AdminClients | ServiceClients

    def __init__(self, config: PingFederateConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(oauth_knobs(config), http, clock)
        self.config = config
        self._settings = config
        management = Management(config, http)
        self._admin = AdminClients(config, management)
        by_admin_api = config.management == "admin_api"
        self._managed = self._admin if by_admin_api else ServiceClients(config, management)
        self._registry = Scopes(config, management)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths."""
        if path_of(found.token_endpoint).endswith("/as/token.oauth2"):
            return Recognised(reason="Tokens are issued at /as/token.oauth2.")
        return None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Scopes and two secrets only by the administrative API."""
        by_admin_api = self._settings.management == "admin_api"
        held = {
            C.SUSPEND_CLIENT: True,
            C.LIST_CLIENTS: True,
            C.SCOPES: by_admin_api,
            C.OVERLAPPING_SECRETS: by_admin_api and self._settings.two_secrets,
        }
        return super().capabilities | {capability for capability, declared in held.items() if declared}

    def require_possible(self, metadata: ClientMetadata) -> None:
        """What PingFederate can never have is refused before it is asked for."""
        common_members(metadata, self._settings.scope_kind)

    def suspend_client(self, handle: ClientHandle) -> None:
        """Disable the client."""
        self._managed.switch(handle, enabled=False)

    def resume_client(self, handle: ClientHandle) -> None:
        """Enable the client."""
        self._managed.switch(handle, enabled=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret; the old one ends now, or after the configured retention."""
        answer = self._managed.rotate(handle, metadata)
        ends = int(self.clock.now()) + 60 * self._settings.retention if self._settings.retention else 0
        return replace(answer, old_secret_expires_at=ends)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """End the retained secret before its time."""
        self.require(C.OVERLAPPING_SECRETS)
        self._admin.drop_old_secrets(handle)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every client whose id is one of ours."""
        return self._managed.list()

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the right to manage and, if configured, a client's whole life."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage clients", self._managed.probe)
        if self._settings.trial_client:
            yield from TrialClient(self).steps()
        else:
            yield CheckStep(name=MAKE, state=StepState.SKIPPED, reason="The setting trial_client is off.")
