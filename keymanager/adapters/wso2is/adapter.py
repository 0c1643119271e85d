"""The ``wso2is`` adapter: the RFCs for tokens, the key manager operations for clients, the scopes API for scopes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Recognised,
    RegisteredClient,
    ScopeSpec,
    ServerMetadata,
    Verification,
)
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.verification import verified
from keymanager.adapters.well_known import path_of
from keymanager.adapters.wso2is.clients import Clients
from keymanager.adapters.wso2is.config import ISSUER_PATH, Wso2IsConfig, knobs
from keymanager.adapters.wso2is.scopes import SCOPES, Scopes
from keymanager.adapters.wso2is7.management import ManagementApi
from keymanager.adapters.wso2is7.naming import preset_client_id

C = Capability


class Wso2IsAdapter(RfcAdapter):
    """One tenant of a WSO2 Identity Server 5 or 6."""

    slug = "wso2is"
    label = "WSO2 Identity Server 5 and 6"
    Config: ClassVar[type[Any]] = Wso2IsConfig

    def __init__(self, config: Wso2IsConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config
        self._settings = config
        self._api = ManagementApi.by_user(
            config.server, http, config.management_id, config.management_secret, f"{SCOPES}?startIndex=1&count=1"
        )
        self._managed = Clients(config, self._api, clock)
        self._scopes = Scopes(self._api)

    @classmethod
    def discovery_places(cls, url: str) -> tuple[str, ...]:
        """Its issuer is the token endpoint; people give the server's address too."""
        return (*super().discovery_places(url), f"{url.rstrip('/')}/oauth2/token/.well-known/openid-configuration")

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths."""
        ours = path_of(found.issuer).endswith(ISSUER_PATH) or "/api/identity/oauth2/" in found.registration_endpoint
        if ours and path_of(found.token_endpoint).endswith(ISSUER_PATH):
            return Recognised(reason="Its addresses are those of WSO2 Identity Server (5 or 6 cannot be told).")
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The server's address, which need not be the issuer's, is that of its token endpoint."""
        return {"issuer": found.issuer, "base_url": found.token_endpoint.removesuffix(ISSUER_PATH)}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """There is no list of clients, and nothing to suspend one."""
        overlap = {C.OVERLAPPING_SECRETS} if self._settings.secret_rotation == "overlap" else set()
        # Whoever checks with the keys alone never sees that a token has ended.
        ending = {C.REVOKE_ALL} if self._settings.token_validation != "jwt" else set()
        managed = {C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.ROTATE_SECRET, C.FIND_CLIENT}
        return super().capabilities | managed | overlap | ending | {C.SCOPES}

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """A repeat takes over what an earlier attempt has left."""
        made = self._managed.create(metadata)
        if made.handle.client_secret or metadata.token_endpoint_auth_method == "none":
            return made
        # One that was taken over, at a server that keeps only hashes of secrets.
        return self.rotate_secret(made.handle, metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """``None`` when there is none."""
        return self._managed.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        return self._managed.update(handle, metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """A client that is gone is success."""
        self._managed.delete(handle)

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

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker always gets."""
        return self._managed.find(marker)

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its existence by management, its secret by revoking a made-up token."""
        return verified(handle, self._managed.read, lambda bare: self._clients.verify(bare).secret_works)

    def register_scope(self, scope: ScopeSpec) -> None:
        """A scope of the tenant."""
        self._scopes.register(scope)

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        self._scopes.delete(key)

    def list_scopes(self) -> frozenset[str]:
        """Every scope of the tenant, ours or not."""
        return self._scopes.keys()

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the right to manage clients, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage clients", self._check_clients)
        yield from TrialClient(self).steps()

    def _check_clients(self) -> str:
        self._managed.read(ClientHandle(client_id=preset_client_id("check")))
        return "A made-up client is not there."
