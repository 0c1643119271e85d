"""The ``rfc`` adapter: any server that speaks the RFCs, its quirks told by configuration."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from common.errors import KeyManagerRejected
from common.http import HttpClient, HttpRequest
from keymanager.adapters import trial_client  # a module, not its class: each of the two can be imported first
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Introspection,
    KeyManagerAdapter,
    Recognised,
    RegisteredClient,
    RemoteResource,
    Resource,
    ScopeSpec,
    ServerMetadata,
    StepState,
    TokenAnswer,
    TokenRequest,
    Verification,
)
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.clients import Clients
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials, bearer
from keymanager.adapters.rfc.discovery import Discovery
from keymanager.adapters.rfc.facts import FactReader
from keymanager.adapters.rfc.glewlwyd import GlewlwydAdministration
from keymanager.adapters.rfc.keys import Keys
from keymanager.adapters.rfc.mitreid import MitreidScopes
from keymanager.adapters.rfc.mitreid_clients import MitreidClients
from keymanager.adapters.rfc.mitreid_resources import MitreidResources
from keymanager.adapters.rfc.presets import recognised_preset
from keymanager.adapters.rfc.tokens import Tokens

C = Capability


class RfcAdapter(KeyManagerAdapter):
    """RFC 8414, 7591, 7592, 6749, 7009, 7662, 7517 and OpenID Connect Discovery."""

    slug = "rfc"
    label = "OAuth 2.0 server (RFC 7591)"
    Config: ClassVar[type[Any]] = RfcConfig

    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self.knobs = config
        self._discovery = Discovery(config, http, clock)
        self._own = OwnCredentials(config, http, clock, self._discovery)
        self._facts = FactReader(config)
        self._clients = Clients(config, http, self._discovery, self._own)
        self._tokens = Tokens(config, http, self._discovery, self._own, self._facts)
        self._keys = Keys(http, clock, self._discovery, self._facts)
        self._mitreid_scopes = MitreidScopes(config, http)
        by_mitreid = config.scopes_api == "mitreid"
        self._administration = self._mitreid_scopes if by_mitreid else GlewlwydAdministration(config, http)
        self._mitreid_resources = MitreidResources(config, http)
        self._mitreid_clients = MitreidClients(config, http, self._discovery)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By the presets' servers."""
        return recognised_preset(found) if cls is RfcAdapter else None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """From the configuration alone, without a call."""
        knobs = self.knobs
        managed = knobs.registration == "managed"
        held = {
            C.CREATE_CLIENT: knobs.registration != "none",
            C.READ_CLIENT: managed,
            C.UPDATE_CLIENT: managed,
            C.DELETE_CLIENT: managed,
            C.ROTATE_SECRET: managed and (knobs.update_secret == "new" or knobs.clients_api != "none"),
            C.FIND_CLIENT: managed and knobs.clients_api != "none" and knobs.keeps_unknown_metadata,
            C.LIST_CLIENTS: knobs.clients_api != "none",
            C.VERIFY_CLIENT: True,
            C.ISSUE_TOKEN: True,
            C.INTROSPECT: True,
            C.REVOKE_TOKEN: knobs.revocation,
            C.AUTHORIZATION_URL: "authorization_code" in knobs.grant_types,
            C.METADATA: True,
            C.JWKS: knobs.token_validation == "jwt" or bool(knobs.jwks_uri or knobs.issuer or knobs.discovery_url),
            C.RESOURCES: knobs.resources_api != "none",
            C.SCOPES: knobs.scopes_api != "none",
            C.USER_CLAIMS: knobs.userinfo,
        }
        return frozenset(capability for capability, declared in held.items() if declared)

    @property
    def kept_on_clients(self) -> frozenset[str]:
        """Nothing where an update replaces the secret: a subscription must not stop a running program."""
        return frozenset() if self.knobs.update_secret == "new" else super().kept_on_clients

    @property
    def knows_opaque_tokens(self) -> bool:
        """Only with a right of our own at the introspection endpoint, or a token information endpoint."""
        return self.knobs.token_validation == "tokeninfo" or self.knobs.introspects

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7591."""
        self.require(C.CREATE_CLIENT)
        return self._with_scopes(self._clients.create(metadata), metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """RFC 7592; ``KeyManagerRejected`` (``registration_access_token_lost``) when the client lives on without us."""
        self.require(C.READ_CLIENT)
        return self._clients.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7592; ``KeyManagerRejected`` with ``client_gone`` or ``registration_access_token_lost``."""
        self.require(C.UPDATE_CLIENT)
        return self._with_scopes(self._clients.update(handle, metadata), metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """RFC 7592; a client that is gone is success, one that lives on without us is not."""
        self.require(C.DELETE_CLIENT)
        self._clients.delete(handle)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Through the configured administration API, or by an update where every update gives a new secret."""
        self.require(C.ROTATE_SECRET)
        if self.knobs.clients_api != "none":
            return self._mitreid_clients.rotate_secret(handle)
        return self._with_scopes(self._clients.rotate_secret(handle, metadata), metadata)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """Through the configured administration API."""
        self.require(C.FIND_CLIENT)
        return self._mitreid_clients.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Through the configured administration API."""
        self.require(C.LIST_CLIENTS)
        return self._mitreid_clients.all()

    def verify_client(self, handle: ClientHandle) -> Verification:
        """By a read if there is a registration access token, and by a refresh that cannot succeed."""
        return self._clients.verify(handle)

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 6749."""
        return self._tokens.issue(request)

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 7009."""
        self.require(C.REVOKE_TOKEN)
        return self._tokens.revoke(request)

    def introspect(self, token: str) -> Introspection:
        """RFC 7662 or token information; a JWT that the server does not introspect is checked by its keys."""
        if self.knobs.token_validation == "tokeninfo":
            return self._tokens.token_information(token)
        is_jwt = token.count(".") == 2 and token.startswith("eyJ")
        if is_jwt and not self.knobs.jwt_introspection:
            return self._keys.check(token)
        if not self.knobs.introspects:
            return self._keys.check(token)
        try:
            return self._tokens.introspect(token)
        except KeyManagerRejected as exc:
            if exc.remote_code != "unsupported_token_type":
                raise
            return self._keys.check(token)

    def authorization_url(self, query: str) -> str:
        """RFC 6749 section 4.1.1."""
        self.require(C.AUTHORIZATION_URL)
        endpoint = self._discovery.endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def metadata(self) -> ServerMetadata:
        """RFC 8414, kept for five minutes."""
        return self._discovery.metadata()

    def jwks(self) -> Mapping[str, Any]:
        """RFC 7517."""
        self.require(C.JWKS)
        return self._keys.jwks()

    def client_id_of(self, claims: Mapping[str, Any]) -> str:
        """By the configuration's ordered list."""
        return self._facts.client_id_of(claims)

    def scopes_of(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """By the configuration's ordered list."""
        return self._facts.scopes_of(claims)

    def register_resource(self, resource: Resource) -> RemoteResource:
        """Through the configured administration API."""
        self.require(C.RESOURCES)
        return self._mitreid_resources.register(resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """Through the configured administration API."""
        self.require(C.RESOURCES)
        return self._mitreid_resources.read(remote_id)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Through the configured administration API."""
        self.require(C.RESOURCES)
        return self._mitreid_resources.update(remote_id, resource)

    def delete_resource(self, remote_id: str) -> None:
        """Through the configured administration API."""
        self.require(C.RESOURCES)
        self._mitreid_resources.delete(remote_id)

    def register_scope(self, scope: ScopeSpec) -> None:
        """Through the configured administration API."""
        self.require(C.SCOPES)
        self._administration.register_scope(scope)

    def delete_scope(self, key: str) -> None:
        """Through the configured administration API."""
        self.require(C.SCOPES)
        self._administration.delete_scope(key)

    def list_scopes(self) -> frozenset[str]:
        """Through the configured administration API."""
        self.require(C.SCOPES)
        return self._administration.scope_keys()

    def user_claims(self, token: str) -> Mapping[str, Any]:
        """OpenID Connect Core section 5.3."""
        self.require(C.USER_CLAIMS)
        request = HttpRequest(
            method="GET", url=self._discovery.endpoint("userinfo_endpoint"), headers=(*JSON, *bearer(token))
        )
        response = self.http.send(request)
        if response.status != 200:
            raise refusal(request, response, doing="to tell about the user")
        return response.json_object()

    def check_client(self) -> ClientHandle | None:
        """The one that may register, rather than the one that introspects: some see their own tokens only."""
        knobs = self.knobs
        for name in ("registration", "introspection"):
            client_id = getattr(knobs, f"{name}_client_id")
            if client_id:
                return ClientHandle(client_id=client_id, client_secret=getattr(knobs, f"{name}_client_secret"))
        return None

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, scopes, the right to register, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        if self.knobs.scopes_api == "mitreid":
            yield timed("scopes in introspection", self._check_introspected_scopes)
        right = timed("right to register", self._check_registration)
        yield right
        if right.state is not StepState.FAILED:
            yield from trial_client.TrialClient(self).steps()

    def _with_scopes(self, registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
        if C.SCOPES not in self.capabilities:
            return registered
        return self._administration.with_scopes(registered, metadata.scopes)

    def _check_introspected_scopes(self) -> str:
        unseen = self._mitreid_scopes.unseen_scopes()
        if unseen:
            raise KeyManagerRejected(
                f"Our introspection client does not see the scopes {', '.join(sorted(unseen))}: give it those, or "
                "tokens will have none of them. Registering any scope does so."
            )
        return "Our introspection client sees every scope."

    def _check_registration(self) -> str:
        self.require(C.CREATE_CLIENT)
        self._discovery.endpoint("registration_endpoint")
        if self.knobs.initial_access_token_mode != "client_credentials":
            return "The throw-away client will prove it."
        if not self._own.registration():
            raise KeyManagerRejected("No token for registering was given", remote_code=OWN_CLIENT_REFUSED)
        return "A token for registering was given."
