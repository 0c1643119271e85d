"""The ``surfoauth`` adapter."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from common.errors import KeyManagerRejected
from common.http import HttpClient
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Inactive,
    Introspection,
    KeyManagerAdapter,
    RegisteredClient,
    RemoteResource,
    Resource,
    ScopeSpec,
    ServerMetadata,
    TokenAnswer,
    TokenRequest,
    Verification,
)
from keymanager.adapters.surfoauth.administration import Administration
from keymanager.adapters.surfoauth.bodies import observed, wanted
from keymanager.adapters.surfoauth.check import Check
from keymanager.adapters.surfoauth.client_fields import SurfOAuthClientFields
from keymanager.adapters.surfoauth.clients import Clients
from keymanager.adapters.surfoauth.config import GRANTS, SurfOAuthConfig
from keymanager.adapters.surfoauth.facts import user_claims_of
from keymanager.adapters.surfoauth.resource_servers import ResourceServers, Server, check_scope, lock_of
from keymanager.adapters.surfoauth.tokens import Tokens

C = Capability
_SCOPE = re.compile(r"(?<![^&])scope=([^&]*)")


class SurfOAuthAdapter(KeyManagerAdapter):
    """Resource servers with their clients, tokens that are looked up, scopes that only we limit."""

    slug = "surfoauth"
    label = "SurfOAuth"
    Config: ClassVar[type[Any]] = SurfOAuthConfig
    ClientFields: ClassVar[type[Any] | None] = SurfOAuthClientFields

    def __init__(self, config: SurfOAuthConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._base = config.base
        self._administration = Administration(config, http, clock)
        self._servers = ResourceServers(config, self._administration, clock)
        self._tokens = Tokens(config, http, clock, self._servers)
        self._clients = Clients(config, self._administration, self._servers, self._tokens)

    @classmethod
    def discovery_places(cls, url: str) -> tuple[str, ...]:
        """SurfOAuth describes itself nowhere."""
        return ()

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The address that a person gave."""
        return {"base_url": found.issuer}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """With one resource server for all, scopes are kept one by one; with one per API, by API."""
        return frozenset(
            {
                C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.VERIFY_CLIENT, C.ROTATE_SECRET,
                C.FIND_CLIENT, C.LIST_CLIENTS, C.ISSUE_TOKEN, C.INTROSPECT, C.REVOKE_TOKEN, C.AUTHORIZATION_URL,
                C.METADATA, C.USER_CLAIMS, C.REVOKE_ALL, C.RESOURCES if self._servers.per_api else C.SCOPES,
            }
        )  # fmt: skip

    def require_possible(self, metadata: ClientMetadata) -> None:
        """What SurfOAuth can never have is refused before it is asked for."""
        wanted(self.config, metadata)

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """Named after the marker, so that its client id is the marker."""
        return self._clients.create(metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """With its secret: SurfOAuth shows it."""
        return self._clients.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Everything but client id and secret; a move to another API's resource server gives a new secret."""
        return self._clients.update(handle, metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """With its tokens."""
        self._clients.delete(handle)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """The old secret ends at once; tokens stay unless the client is made again (``rotation``)."""
        return self._clients.rotate(handle, metadata)

    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        """The client is made again under its client id, with a new secret."""
        return self._clients.revoke_all(handle)

    def verify_client(self, handle: ClientHandle) -> Verification:
        """By a read, or by its secret."""
        return self._clients.verify(handle)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By a list of all clients: meant for recovery."""
        return self._clients.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Of our resource servers, without secrets."""
        for remote in self._clients.all():
            handle = ClientHandle(client_id=remote.client_id, remote_id=remote.remote_id)
            yield RegisteredClient(handle=handle, observed=observed(remote))

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 6749."""
        return self._tokens.issue(request)

    def introspect(self, token: str) -> Introspection:
        """By ``tokeninfo``."""
        return self._tokens.look_up(token)

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 7009."""
        return self._tokens.revoke(request)

    def authorization_url(self, query: str) -> str:
        """RFC 6749 section 4.1.1, with the scopes separated as SurfOAuth wants them."""
        return f"{self._base}/oauth2/authorize?{_SCOPE.sub(_with_commas, query)}"

    def metadata(self) -> ServerMetadata:
        """From the configuration: SurfOAuth describes itself nowhere."""
        return ServerMetadata(
            issuer=self._base,
            token_endpoint=f"{self._base}/oauth2/token",
            authorization_endpoint=f"{self._base}/oauth2/authorize",
            revocation_endpoint=f"{self._base}/oauth2/revoke",
            grant_types_supported=GRANTS,
            token_endpoint_auth_methods_supported=("client_secret_basic", "client_secret_post", "none"),
        )

    def user_claims(self, token: str) -> Mapping[str, Any]:
        """Name, roles, groups and attributes of the person; nothing for a machine's token."""
        facts = self._tokens.look_up(token)
        if isinstance(facts, Inactive):
            raise KeyManagerRejected(facts.reason, remote_code="invalid_token", remote_status=404)
        return user_claims_of(facts)

    def register_scope(self, scope: ScopeSpec) -> None:
        """In the shared resource server; descriptions are not kept there."""
        self.require(C.SCOPES)
        key = check_scope(scope.key)
        self._servers.change(self._servers.home().id, lambda scopes: (*scopes, key))

    def delete_scope(self, key: str) -> None:
        """SurfOAuth takes it from the clients too; one that got it at the same moment is looked after."""
        self.require(C.SCOPES)
        home = self._servers.home()
        with lock_of(self._base, home.id):
            self._servers.change(home.id, lambda scopes: (scope for scope in scopes if scope != key))
            self._clients.take_scope_away(home.id, key)

    def list_scopes(self) -> frozenset[str]:
        """Of the shared resource server."""
        self.require(C.SCOPES)
        return frozenset(self._servers.home().scopes)

    def register_resource(self, resource: Resource) -> RemoteResource:
        """A resource server of its own; found again by its name, so this is safe to repeat."""
        self.require(C.RESOURCES)
        name = self._servers.prefixed(resource.identifier)
        found = self._servers.named(name) or self._servers.register(name, resource.name, resource.scopes)
        return self.update_resource(str(found.id), resource)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """By its number."""
        self.require(C.RESOURCES)
        server = self._servers.read(int(remote_id))
        return None if server is None else self._resource(server)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Scopes and description; scopes that it loses are taken from its clients."""
        self.require(C.RESOURCES)
        wanted = sorted(resource.scopes)
        changed = self._servers.change(int(remote_id), lambda _: wanted, description=resource.name)
        return self._resource(changed)

    def delete_resource(self, remote_id: str) -> None:
        """Raises ``KeyManagerRejected`` while clients live in it: they would be deleted with it."""
        self.require(C.RESOURCES)
        left = self._clients.of_server(int(remote_id))
        if left:
            text = f"{len(left)} clients at SurfOAuth belong to this API and would be deleted with it."
            raise KeyManagerRejected(text, remote_code="resource_in_use")
        self._servers.delete(int(remote_id))

    def check(self) -> Iterator[CheckStep]:
        """Step by step, with a throw-away client."""
        yield from Check(adapter=self, administration=self._administration, servers=self._servers).steps()

    def _resource(self, server: Server) -> RemoteResource:
        return RemoteResource(
            remote_id=str(server.id),
            identifier=self._servers.identifier_of(server) or server.name,
            scopes=frozenset(server.scopes),
        )


def _with_commas(found: re.Match[str]) -> str:
    scopes = unquote_plus(found[1]).split()
    return found[0] if len(scopes) < 2 else f"scope={re.sub(r'(?:%20|[+])+', '%2C', found[1].strip('+'))}"
