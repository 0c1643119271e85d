"""The ``okta`` adapter: the RFCs for tokens, Okta's own management for clients and scopes."""

from collections.abc import Iterator
from typing import Any, ClassVar

from common.errors import NotSupported
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
)
from keymanager.adapters.okta.api import OktaApi
from keymanager.adapters.okta.apps import Apps
from keymanager.adapters.okta.client_fields import OktaClientFields
from keymanager.adapters.okta.config import OktaConfig, knobs
from keymanager.adapters.okta.policies import Policies
from keymanager.adapters.okta.registration import DynamicRegistration
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.well_known import host_of, is_below, path_of

C = Capability


class OktaAdapter(ScopeRegistryAdapter):
    """One custom authorization server of an Okta organisation."""

    slug = "okta"
    label = "Okta"
    Config: ClassVar[type[Any]] = OktaConfig
    ClientFields: ClassVar[type[Any] | None] = OktaClientFields
    _managed: Apps | DynamicRegistration

    def __init__(self, config: OktaConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config
        self._settings = config
        self._api = OktaApi(config, http)
        self._registry = self._policies = Policies(config, self._api)
        self._apps = Apps(config, self._api)
        self._managed = self._apps if config.management == "apps" else DynamicRegistration(config, self._api)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By Okta's domains, or by the paths of an authorization server behind a domain of its own."""
        if is_below(host_of(found.issuer), "okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com"):
            return Recognised(reason="The issuer's host is one of Okta's.")
        paths = (path_of(found.jwks_uri), path_of(found.token_endpoint))
        if all(path.endswith(end) for path, end in zip(paths, ("/v1/keys", "/v1/token"), strict=True)):
            return Recognised(reason="Its addresses end with /v1/token and /v1/keys.")
        return None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Both interfaces manage clients; only the Apps API suspends them and holds two secrets."""
        apps = self._settings.management == "apps"
        held = {
            C.SUSPEND_CLIENT: apps,
            C.OVERLAPPING_SECRETS: apps and self._settings.secret_rotation == "overlap",
            C.SCOPES: self._settings.client_policies,
        }
        return (
            super().capabilities | {C.LIST_CLIENTS} | {capability for capability, declared in held.items() if declared}
        )

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then the access policy that limits it."""
        return self._limited(super().create_client(metadata), metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """Without its secret, which Okta does not show again."""
        found = super().read_client(handle)
        return found if found is None or not self._settings.client_policies else self._policies.with_observed(found)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then its policy. The application type can never change."""
        return self._limited(super().update_client(handle, metadata), metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """The policy first: with the client gone, nothing would lead to it any more."""
        if self._settings.client_policies:
            self._policies.remove(handle.client_id)
        super().delete_client(handle)

    def suspend_client(self, handle: ClientHandle) -> None:
        """An inactive application gets no tokens."""
        self.require(C.SUSPEND_CLIENT)
        self._apps.set_active(handle, active=False)

    def resume_client(self, handle: ClientHandle) -> None:
        """Undo ``suspend_client``."""
        self.require(C.SUSPEND_CLIENT)
        self._apps.set_active(handle, active=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret; with the Apps API the old one lives on if the configuration says so.

        A client that was found after a lost answer may have no policy yet, so it is limited here too.
        """
        return self._limited(self._managed.rotate(handle), metadata)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Deactivate and delete every secret but the handle's."""
        self.require(C.OVERLAPPING_SECRETS)
        self._apps.drop_old_secret(handle)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every OAuth client of the organisation, ours or not."""
        return self._managed.all()

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, lists, policies that would undo ours, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to list clients", self._check_clients)
        yield timed("access policies", self._check_policies)
        yield from TrialClient(self).steps()

    def _limited(self, registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
        if self._settings.client_policies:
            return self._policies.with_scopes(registered, metadata)
        ignored = {*registered.ignored, *(("scope",) if metadata.scopes else ())}
        return RegisteredClient(
            handle=registered.handle,
            observed=registered.observed,
            ignored=tuple(sorted(ignored)),
            client_secret_expires_at=registered.client_secret_expires_at,
        )

    def _check_clients(self) -> str:
        next(self._managed.all(), None)
        return "A client whose creation is not answered can be found again."

    def _check_policies(self) -> str:
        if not self._settings.client_policies:
            raise NotSupported("Scopes and policies are the Okta administrator's.")
        return self._policies.check()
