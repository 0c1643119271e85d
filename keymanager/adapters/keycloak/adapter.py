"""The ``keycloak`` adapter: the RFCs for tokens, Keycloak's administration REST API (or its DCR) for clients."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from common.errors import KeyManagerProtocolError
from common.http import HttpClient
from keymanager.adapters.contract import (
    TOKEN_EXCHANGE,
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Introspection,
    Recognised,
    RegisteredClient,
    RemoteResource,
    Resource,
    ScopeSpec,
    ServerMetadata,
    TokenAnswer,
    TokenRequest,
    Verification,
)
from keymanager.adapters.keycloak.api import KeycloakApi, KeycloakRights, client_gone
from keymanager.adapters.keycloak.clients import KeycloakClients
from keymanager.adapters.keycloak.config import KeycloakConfig, knobs
from keymanager.adapters.keycloak.events import KeycloakEvents
from keymanager.adapters.keycloak.representation import check_names, without_openid
from keymanager.adapters.keycloak.scopes import ClientScopes
from keymanager.adapters.keycloak.tokens import AUDIENCE_RULE, only_access, with_rfc_error
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.clients import Clients
from keymanager.adapters.rfc.tokens import Tokens
from keymanager.adapters.trial_client import TrialClient

C = Capability
_OVERLAP_RULE = (
    "Keycloak needs the feature client-secret-rotation and a client policy with the executor secret-rotation."
)
_BY_ADMINISTRATION = frozenset(
    {
        C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.SUSPEND_CLIENT, C.ROTATE_SECRET,
        C.FIND_CLIENT, C.LIST_CLIENTS, C.REVOKE_ALL, C.RESOURCES, C.SCOPES, C.CHANGES,
    }
)  # fmt: skip


class KeycloakAdapter(RfcAdapter):
    """One realm."""

    slug = "keycloak"
    label = "Keycloak"
    Config: ClassVar[type[Any]] = KeycloakConfig
    introspection_hint = AUDIENCE_RULE

    def __init__(self, config: KeycloakConfig, http: HttpClient, clock: Clock) -> None:
        rfc = knobs(config)
        super().__init__(rfc, http, clock)
        self.config = config
        self._settings = config
        self._rights = KeycloakRights(rfc, http, clock, self._discovery)
        self._own = self._rights
        self._clients = Clients(rfc, http, self._discovery, self._own)
        self._tokens = Tokens(rfc, http, self._discovery, self._own, self._facts)
        self._api = KeycloakApi(config, http, self._own)
        self._client_scopes = ClientScopes(config, self._api)
        self._managed = KeycloakClients(config, self._api, self._client_scopes)
        self._events = KeycloakEvents(self._api, self._managed)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths: a realm, and the protocol below it."""
        if found.token_endpoint == f"{found.issuer}/protocol/openid-connect/token" and "/realms/" in found.issuer:
            return Recognised(reason="Its addresses are those of a Keycloak realm.")
        return None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Dynamic registration has no marker, no search, no new secret, no scopes."""
        settings = self._settings
        exchange = {C.EXCHANGE_TOKEN} if TOKEN_EXCHANGE in settings.grant_types else set()
        held = super().capabilities | exchange
        if settings.management == "dcr":
            return held
        held |= _BY_ADMINISTRATION
        return held | {C.OVERLAPPING_SECRETS} if settings.secret_rotation == "overlap" else held

    @property
    def _administers(self) -> bool:
        return self._settings.management == "admin"

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """Safe to repeat by administration; by dynamic registration it is not."""
        if self._administers:
            return self._managed.create(metadata)
        check_names(metadata)
        return super().create_client(without_openid(metadata))

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """With its secret."""
        return self._managed.read(handle) if self._administers else super().read_client(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        if self._administers:
            return self._managed.update(handle, metadata)
        check_names(metadata)
        # Keycloak answers 500 to a change of a client that is gone; a read says so.
        if super().read_client(handle) is None:
            raise client_gone(handle.client_id)
        return super().update_client(handle, without_openid(metadata))

    def delete_client(self, handle: ClientHandle) -> None:
        """Its tokens are inactive at once."""
        if self._administers:
            self._managed.delete(handle)
        else:
            super().delete_client(handle)

    def suspend_client(self, handle: ClientHandle) -> None:
        """Its tokens are inactive until it is resumed."""
        self.require(C.SUSPEND_CLIENT)
        self._managed.set_enabled(handle, enabled=False)

    def resume_client(self, handle: ClientHandle) -> None:
        """Tokens from before that have not expired are active again."""
        self.require(C.SUSPEND_CLIENT)
        self._managed.set_enabled(handle, enabled=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``ignored`` holds ``overlapping_secrets`` where overlap is configured and the realm ended the old secret."""
        self.require(C.ROTATE_SECRET)
        return self._managed.rotate(handle, metadata)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """At once."""
        self.require(C.OVERLAPPING_SECRETS)
        self._managed.drop_old_secret(handle)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By the client id that the marker gives. Raises where we are shown no clients at all."""
        self.require(C.FIND_CLIENT)
        return self._managed.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every client of the realm, ours or not."""
        self.require(C.LIST_CLIENTS)
        return self._managed.all()

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its secret where tokens are revoked, its existence by administration."""
        works = self._authenticates(handle) if handle.client_secret else None
        if not self._administers:
            return Verification(exists=True if works else None, secret_works=works)
        bare = ClientHandle(client_id=handle.client_id, remote_id=handle.remote_id)
        found = self._managed.read(bare)
        if found is None:
            return Verification(exists=False, secret_works=works)
        scope = self._settings.gateway_scope
        notes: tuple[str, ...] = ()
        if scope not in found.observed["default_client_scopes"]:
            notes = (f"It does not have the client scope {scope} by default, so its tokens look inactive to us.",)
        return Verification(exists=True, secret_works=works, notes=notes)

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """A wrong secret is ``invalid_client``, as everywhere else."""
        return with_rfc_error(super().issue_token(request))

    def exchange_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 8693. The client that asks must be in the audience of the token that it exchanges."""
        self.require(C.EXCHANGE_TOKEN)
        return self.issue_token(request)

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 7009. The token of another client is Keycloak's 400; only its own client can revoke it."""
        return with_rfc_error(super().revoke_token(request))

    def introspect(self, token: str) -> Introspection:
        """Inactive too when the token's audience does not name our client (``AUDIENCE_RULE``)."""
        return only_access(super().introspect(token))

    def revoke_all(self, handle: ClientHandle) -> None:
        """Every token issued up to this second of Keycloak's clock; those of the next one are good again."""
        self.require(C.REVOKE_ALL)
        self._managed.end_tokens(handle, until=self._rights.server_time() + 1)

    def jwks(self) -> Mapping[str, Any]:
        """Only keys for signatures: Keycloak publishes one for encryption, too."""
        document = super().jwks()
        keys = [key for key in document["keys"] if isinstance(key, dict) and key.get("use") == "sig"]
        return {**document, "keys": keys}

    def register_resource(self, resource: Resource) -> RemoteResource:
        """A client scope for the API, and an audience mapper on each of its scopes."""
        self.require(C.RESOURCES)
        return self._client_scopes.register_resource(resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """Which scopes have its audience."""
        self.require(C.RESOURCES)
        return self._client_scopes.read_resource(remote_id)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Audience mappers added and taken away."""
        self.require(C.RESOURCES)
        return self._client_scopes.update_resource(remote_id, resource)

    def delete_resource(self, remote_id: str) -> None:
        """With its audience mappers."""
        self.require(C.RESOURCES)
        self._client_scopes.delete_resource(remote_id)

    def register_scope(self, scope: ScopeSpec) -> None:
        """A client scope."""
        self.require(C.SCOPES)
        self._client_scopes.register(scope)

    def delete_scope(self, key: str) -> None:
        """``KeyManagerRejected`` (``scope_not_ours``) for one that Archway did not make."""
        self.require(C.SCOPES)
        self._client_scopes.delete(key)

    def list_scopes(self) -> frozenset[str]:
        """Every client scope of the realm that is a scope."""
        self.require(C.SCOPES)
        return self._client_scopes.keys()

    def changes_since(self, cursor: str) -> tuple[tuple[str, ...], str]:
        """From both event feeds, without what we did ourselves. Needs the role view-events."""
        self.require(C.CHANGES)
        return self._events.since(cursor)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, our roles, and the life of a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        if self._administers:
            yield timed("right to manage clients", self._check_rights)
            yield timed("audience of tokens", self._check_gateway_scope)
            yield timed("events", self._check_events)
        yield from TrialClient(self, unscoped=True, change=True, rotation=True, overlap_hint=_OVERLAP_RULE).steps()

    def check_client(self) -> None:
        """Our own client's tokens are not for itself, so they prove nothing: the throw-away client's do."""

    def _check_rights(self) -> str:
        self._managed.own_id()
        return "Clients are shown to us."

    def _check_gateway_scope(self) -> str:
        name = self._client_scopes.gateway()
        if not self._client_scopes.is_sound():
            raise KeyManagerProtocolError(
                f"The client scope {name} has no audience mapper that names {self._settings.client_id}."
            )
        return f"The client scope {name} puts us into the audience."

    def _check_events(self) -> str:
        self._events.readable()
        return "Changes that others make can be seen."

    def _authenticates(self, handle: ClientHandle) -> bool:
        """Try to revoke a made-up token, which harms nobody, by each method that it may be registered with."""
        parameters = (("token", secrets.token_urlsafe(24)), ("token_type_hint", "refresh_token"))
        return any(
            self.revoke_token(
                TokenRequest(
                    client_id=handle.client_id,
                    client_secret=handle.client_secret,
                    token_endpoint_auth_method=method,
                    parameters=parameters,
                )
            ).status
            == 200
            for method in ("client_secret_basic", "client_secret_post")
        )
