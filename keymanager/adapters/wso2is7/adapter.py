"""The ``wso2is7`` adapter: the RFCs for tokens, dynamic registration for clients, the server's API for the rest."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.api_registry import ApiRegistryAdapter
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Recognised,
    RegisteredClient,
    ServerMetadata,
    Verification,
)
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.verification import verified
from keymanager.adapters.well_known import path_of
from keymanager.adapters.wso2is7.api_resources import ApiResources
from keymanager.adapters.wso2is7.applications import Applications
from keymanager.adapters.wso2is7.clients import Clients
from keymanager.adapters.wso2is7.config import ISSUER_PATH, Wso2Is7Config, knobs
from keymanager.adapters.wso2is7.management import ManagementApi, gone

C = Capability
_PROBE = "/api/server/v1/applications?limit=1"


class Wso2Is7Adapter(ApiRegistryAdapter):
    """One tenant of a WSO2 Identity Server 7."""

    slug = "wso2is7"
    label = "WSO2 Identity Server 7"
    Config: ClassVar[type[Any]] = Wso2Is7Config

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

    @classmethod
    def discovery_places(cls, url: str) -> tuple[str, ...]:
        """Its issuer is the token endpoint; people give the server's address too."""
        return (*super().discovery_places(url), f"{url.rstrip('/')}/oauth2/token/.well-known/openid-configuration")

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths."""
        ours = path_of(found.issuer).endswith(ISSUER_PATH) or "/api/identity/oauth2/" in found.registration_endpoint
        if ours and path_of(found.token_endpoint).endswith(ISSUER_PATH):
            return Recognised(reason="Its addresses are those of WSO2 Identity Server (7 or later cannot be told).")
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The server's address, which need not be the issuer's, is that of its token endpoint."""
        return {"issuer": found.issuer, "base_url": found.token_endpoint.removesuffix(ISSUER_PATH)}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Scopes live in the shared API resource, or inside the one of each API version."""
        overlap = {C.OVERLAPPING_SECRETS} if self._settings.secret_rotation == "overlap" else set()
        # Whoever checks with the keys alone never sees that a token has ended.
        ending = {C.REVOKE_ALL} if self._settings.token_validation != "jwt" else set()
        return (
            super().capabilities
            | overlap
            | ending
            | {
                C.CREATE_CLIENT,
                C.READ_CLIENT,
                C.UPDATE_CLIENT,
                C.DELETE_CLIENT,
                C.SUSPEND_CLIENT,
                C.ROTATE_SECRET,
                C.FIND_CLIENT,
                C.LIST_CLIENTS,
                C.SCOPES if self._settings.resources == "shared" else C.RESOURCES,
            }
        )

    # clients

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then the scopes it may ask for. A repeat takes over what an earlier attempt has left."""
        made = self._applications.with_scopes(self._managed.create(metadata), metadata)
        if made.handle.client_secret or metadata.token_endpoint_auth_method == "none":
            return made
        # One that was taken over, at a server that keeps only hashes of secrets.
        return self.rotate_secret(made.handle, metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """The client and the scopes it may ask for."""
        found = self._managed.read(handle)
        return None if found is None else self._applications.with_observed(found)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        return self._applications.with_scopes(self._managed.update(handle, metadata), metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """A client that is gone is success."""
        self._managed.delete(handle)

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

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker always gets."""
        return self._managed.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every OAuth client of the tenant, ours or not."""
        return self._managed.all()

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its existence by management, its secret by revoking a made-up token."""
        return verified(handle, self._managed.read, lambda bare: self._clients.verify(bare).secret_works)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the rights to manage, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage clients", self._check_clients)
        yield timed("right to manage API resources", self._check_resources)
        yield from TrialClient(self).steps()

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
