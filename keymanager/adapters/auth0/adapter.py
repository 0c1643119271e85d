"""The ``auth0`` adapter: the RFCs for tokens, the Management API for clients, grants and APIs."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from common.errors import KeyManagerProtocolError
from common.http import HttpClient, HttpRequest
from keymanager.adapters.api_registry import ApiRegistryAdapter
from keymanager.adapters.auth0.api import ManagementApi
from keymanager.adapters.auth0.client_fields import Auth0ClientFields
from keymanager.adapters.auth0.clients import Clients
from keymanager.adapters.auth0.config import Auth0Config, knobs
from keymanager.adapters.auth0.grants import ClientGrants
from keymanager.adapters.auth0.resources import ResourceServers
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Recognised,
    RegisteredClient,
    ServerMetadata,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.rfc.answers import refusal
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.credentials import JSON, client_authentication
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.well_known import host_of, is_below, path_of

C = Capability
_NAMES_AUDIENCE = frozenset({"audience", "resource"})


class Auth0Adapter(ApiRegistryAdapter):
    """One Auth0 tenant."""

    slug = "auth0"
    label = "Auth0"
    Config: ClassVar[type[Any]] = Auth0Config
    ClientFields: ClassVar[type[Any] | None] = Auth0ClientFields
    _managed: Clients

    def __init__(self, config: Auth0Config, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config
        self._settings = config
        self._api = ManagementApi(config, http, clock)
        self._managed = Clients(self._api)
        self._servers = ResourceServers(config, self._api, clock)
        self._registry = self._servers
        self._grants = ClientGrants(self._api, self._servers)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By Auth0's domain, or by what only Auth0 says of itself."""
        if is_below(host_of(found.issuer), "auth0.com"):
            return Recognised(reason="The issuer's host is one of Auth0's.")
        paths = (path_of(found.registration_endpoint), path_of(found.token_endpoint))
        if "mfa_challenge_endpoint" in found.raw or paths == ("/oidc/register", "/oauth/token"):
            return Recognised(reason="It names what only Auth0 has.")
        return None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Scopes live in the shared API, or inside the one of each API version."""
        shared = self._settings.resources == "shared"
        return super().capabilities | {C.LIST_CLIENTS, C.SCOPES if shared else C.RESOURCES}

    # clients

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then its grants."""
        return self._grants.with_scopes(super().create_client(metadata), metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """The client and the scopes of its grants."""
        found = super().read_client(handle)
        return None if found is None else self._grants.with_observed(found)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """The client, then its grants."""
        return self._grants.with_scopes(super().update_client(handle, metadata), metadata)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret instead of the old one. Auth0 says that it can take up to 30 seconds to work.

        A client that was found after a lost answer may have no grants yet, so they are looked at here too.
        """
        return self._grants.with_scopes(self._managed.rotate(handle), metadata)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every client of the tenant, ours or not."""
        return self._managed.all()

    # tokens

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 6749 with Auth0's ``audience``, which a client_credentials request cannot do without."""
        given = [value for name, value in request.parameters if name in _NAMES_AUDIENCE]
        others = tuple(pair for pair in request.parameters if pair[0] not in _NAMES_AUDIENCE)
        if len(set(given)) > 1:
            return _refused("invalid_target", "The key manager gives a token for one API only.")
        if not given and dict(others).get("grant_type") == "client_credentials":
            audience = self._audience(dict(others).get("scope", ""))
            if isinstance(audience, TokenAnswer):
                return audience
            given = [audience]
        named = (("audience", given[0]),) if given else ()
        return super().issue_token(replace(request, parameters=(*others, *named)))

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 7009 for refresh tokens; Auth0 answers 200 for an access token and lets it live, so that is refused."""
        parameters = dict(request.parameters)
        is_jwt = parameters.get("token", "").count(".") == 2
        if is_jwt or parameters.get("token_type_hint") == "access_token":
            return _refused("unsupported_token_type", "Auth0 revokes refresh tokens only; access tokens expire.")
        return super().revoke_token(request)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, scopes, lists, how our APIs sign, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield timed("right to list clients", self._check_clients)
        yield timed("signing of our APIs", self._check_signing)
        yield from TrialClient(self).steps()

    def _audience(self, scope: str) -> str | TokenAnswer:
        """The API that a token request without one is for, or why that cannot be told."""
        if self._settings.resources == "shared":
            return self._settings.audience
        if not scope.split():
            return _refused("invalid_request", "Name scopes, or the API as audience.")
        found = self._servers.audiences_with(scope.split())
        if not found:
            return _refused("invalid_scope", "No API at the key manager has all of these scopes.")
        if len(found) > 1:
            return _refused("invalid_target", "Several APIs have these scopes: name one as audience.")
        return found[0]

    def _secret_works(self, handle: ClientHandle) -> bool | None:
        own = client_authentication("post", handle.client_id, handle.client_secret, basic_encoding="form")
        request = HttpRequest(
            method="POST",
            url=self.knobs.revocation_endpoint,
            headers=JSON,
            form=(("token", secrets.token_urlsafe(24)), *own.form),
            repeatable=True,
        )
        response = self.http.send(request)
        if response.status in (401, 403):
            return False
        if not response.ok:
            raise refusal(request, response, doing="to try the secret")
        return True

    def _check_clients(self) -> str:
        next(self._managed.all(), None)
        return "A client whose creation is not answered can be found again."

    def _check_signing(self) -> str:
        servers = self._servers.ours()
        wrong = [
            server.identifier
            for server in servers
            if server.signing_alg and not server.signing_alg.startswith(("RS", "PS"))
        ]
        if wrong:
            raise KeyManagerProtocolError(f"Tokens for {', '.join(wrong)} are signed with a shared secret: set RS256.")
        return f"{len(servers)} APIs"


def _refused(error: str, description: str) -> TokenAnswer:
    body: Mapping[str, str] = {"error": error, "error_description": description}
    return TokenAnswer(status=400, body=body)
