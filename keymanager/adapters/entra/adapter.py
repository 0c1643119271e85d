"""The ``entra`` adapter: Microsoft Entra ID. Clients and APIs are applications, managed through Microsoft Graph."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from common.http import HttpClient
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
from keymanager.adapters.entra.apis import Apis
from keymanager.adapters.entra.client_mapping import application_body
from keymanager.adapters.entra.clients import Clients
from keymanager.adapters.entra.config import EntraConfig, oauth_knobs
from keymanager.adapters.entra.graph import Graph
from keymanager.adapters.entra.passwords import Passwords
from keymanager.adapters.entra.permissions import Permissions
from keymanager.adapters.entra.tokens import EntraTokens
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.credentials import OwnCredentials
from keymanager.adapters.rfc.discovery import Discovery
from keymanager.adapters.rfc.facts import FactReader
from keymanager.adapters.rfc.keys import Keys
from keymanager.adapters.rfc.tokens import Tokens
from keymanager.adapters.trial_client import MAKE, TrialClient
from keymanager.adapters.well_known import host_of, origin_of, path_of

C = Capability
_NO_TRIAL: Final = "The setting trial_client is off: a removed application stays in the recycle bin for 30 days."
_TENANT = re.compile(r"^/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/")
_SIGN_IN_HOSTS: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")


class EntraAdapter(KeyManagerAdapter):
    """One directory (tenant). It has no introspection and no revocation: tokens live until they expire."""

    slug = "entra"
    label = "Microsoft Entra ID"
    Config: ClassVar[type[Any]] = EntraConfig

    def __init__(self, config: EntraConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self.knobs = config
        knobs = oauth_knobs(config)
        self._discovery = Discovery(knobs, http, clock)
        own = OwnCredentials(knobs, http, clock, self._discovery)
        facts = FactReader(knobs)
        self._facts = facts
        self._keys = Keys(http, clock, self._discovery, facts)
        self._graph = Graph(config, http, own)
        self._apis = Apis(config, self._graph)
        permissions = Permissions(self._graph, self._apis)
        self._clients = Clients(config, self._graph, self._apis, Passwords(config, self._graph, clock), permissions)
        tokens = Tokens(knobs, http, self._discovery, own, facts)
        self._tokens = EntraTokens(config, tokens, self._keys, facts, self._apis)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By Microsoft's own members of the document."""
        if "cloud_instance_name" in found.raw or "msgraph_host" in found.raw:
            return Recognised(reason="It names a Microsoft cloud.")
        if host_of(found.token_endpoint) in _SIGN_IN_HOSTS:
            return Recognised(reason="Tokens are issued by one of Microsoft's hosts.")
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """Tenant, version and cloud are in the addresses. A document for all tenants names none."""
        tenant = _TENANT.search(path_of(found.token_endpoint))
        graph = text_of(found.raw, "msgraph_host")
        values: dict[str, Any] = {
            "issuer": found.issuer,
            "authority": origin_of(found.token_endpoint),
            "access_token_version": "v2.0" if found.issuer.endswith("/v2.0") else "v1.0",
        }
        if tenant:
            values["tenant_id"] = tenant[1].lower()
        if graph:
            values["graph_url"] = f"https://{graph}"
        return values

    @property
    def capabilities(self) -> frozenset[Capability]:
        """From the configuration alone, without a call."""
        always = {
            C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.SUSPEND_CLIENT, C.VERIFY_CLIENT,
            C.ROTATE_SECRET, C.FIND_CLIENT, C.LIST_CLIENTS, C.ISSUE_TOKEN, C.INTROSPECT, C.AUTHORIZATION_URL,
            C.METADATA, C.JWKS, C.RESOURCES, C.SCOPES,
        }  # fmt: skip
        return frozenset(always | ({C.OVERLAPPING_SECRETS} if self.knobs.two_secrets else set()))

    def require_possible(self, metadata: ClientMetadata) -> None:
        """What Entra ID can never have is refused before it is asked for."""
        application_body(metadata)

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """An upsert by our marker, so repeating it is safe."""
        return self._clients.create(metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """With the scopes that it was given."""
        return self._clients.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Name, redirect URIs and scopes; ``KeyManagerRejected`` with ``client_gone``."""
        return self._clients.update(handle, metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """Into the directory's recycle bin; a client that is gone is success."""
        self._clients.delete(handle)

    def suspend_client(self, handle: ClientHandle) -> None:
        """No new tokens; those issued live on until they expire."""
        self._clients.switch(handle, disabled=True)

    def resume_client(self, handle: ClientHandle) -> None:
        """Undo ``suspend_client``."""
        self._clients.switch(handle, disabled=False)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret; the old one ends now, or with ``two_secrets`` when it is dropped."""
        return self._clients.rotate(handle, metadata)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """End all our secrets but the last one."""
        self.require(C.OVERLAPPING_SECRETS)
        self._clients.drop_old_secrets(handle)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By the unique name that is made of the marker."""
        return self._clients.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """All applications with our tag."""
        return self._clients.list()

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Whether the directory knows it, and whether its secret gets a token of Microsoft Graph."""
        exists = self._clients.exists(handle.client_id)
        if not exists:
            return Verification(exists=False, secret_works=False)
        if not handle.client_secret:
            return Verification(exists=True, secret_works=None, notes=("There is no secret to try.",))
        works = self._tokens.secret_works(handle)
        notes = () if works else ("A secret that was made a moment ago can be refused for some seconds.",)
        return Verification(exists=True, secret_works=works, notes=notes)

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 6749, with scopes in Entra's words."""
        return self._tokens.issue(request)

    @property
    def knows_opaque_tokens(self) -> bool:
        """There is no introspection."""
        return False

    def introspect(self, token: str) -> Introspection:
        """Locally: signature, issuer, times and audience."""
        return self._tokens.introspect(token, self.clock.now())

    def authorization_url(self, query: str) -> str:
        """RFC 6749 section 4.1.1."""
        return f"{self._discovery.endpoint('authorization_endpoint')}?{self._tokens.translated_query(query)}"

    def metadata(self) -> ServerMetadata:
        """The document of the configured version, kept for five minutes."""
        return self._discovery.metadata()

    def jwks(self) -> Mapping[str, Any]:
        """RFC 7517."""
        return self._keys.jwks()

    def client_id_of(self, claims: Mapping[str, Any]) -> str:
        """``azp`` in tokens of version 2, ``appid`` in those of version 1."""
        return self._facts.client_id_of(claims)

    def scopes_of(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """``scp`` where there is a user, else ``roles``."""
        return self._facts.scopes_of(claims)

    def register_resource(self, resource: Resource) -> RemoteResource:
        """An application of its own, so that its tokens have an audience of their own."""
        return self._apis.register_resource(resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """By object id."""
        return self._apis.read_resource(remote_id)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Name and scopes."""
        return self._apis.update_resource(remote_id, resource)

    def delete_resource(self, remote_id: str) -> None:
        """One that is gone is success."""
        self._apis.delete_resource(remote_id)

    def register_scope(self, scope: ScopeSpec) -> None:
        """An app role and a delegated permission of the exposed API."""
        self._apis.register_scope(scope)

    def delete_scope(self, key: str) -> None:
        """Disabled first, then deleted."""
        self._apis.delete_scope(key)

    def list_scopes(self) -> frozenset[str]:
        """The exposed API's enabled app roles."""
        return self._apis.list_scopes()

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, scopes, the right to manage applications and, if configured, a client's whole life."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to manage applications", self._check_right)
        if self.knobs.trial_client:
            yield from TrialClient(self).steps()
        else:
            yield CheckStep(
                name=MAKE,
                state=StepState.SKIPPED,
                reason=_NO_TRIAL,
            )

    def _check_right(self) -> str:
        self._graph.call("GET", "/applications?$top=1", fine=(200,), doing="to list applications")
        return "Applications can be listed. The first client will prove the right to make one."
