"""The ``resident`` adapter: our own embedded authorization server, which also answers the portal's management calls."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse, address_only
from keymanager.adapters.config import knob
from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    ClientMetadata,
    Clock,
    RegisteredClient,
    RemoteResource,
    Resource,
    ScopeSpec,
    Verification,
)
from keymanager.adapters.rfc import registration
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.answers import (
    CLIENT_GONE,
    MANAGEMENT_TOKEN_LOST,
    refusal,
    required_text,
    text_of,
    texts_of,
)
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON, bearer
from keymanager.adapters.token_rules import TokenRules, checked_by

C = Capability
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentConfig(TokenRules):
    """Where it is, and our right to manage it."""

    issuer: str = knob("Issuer", kind="url", required=True)
    management_token: str = knob("Management token", secret=True, required=True)
    access_token_format: str = knob("Access tokens are", "jwt", choices=("jwt", "opaque"))
    password_grant: bool = knob("Offers the password grant", False)
    token_validation: str = checked_by("auto", "auto", "introspection")


def _knobs(config: ResidentConfig) -> RfcConfig:
    issuer = config.issuer.rstrip("/")
    grant_types = ("client_credentials", "authorization_code", "refresh_token")
    return RfcConfig(
        issuer=issuer,
        grant_types=(*grant_types, "password") if config.password_grant else grant_types,
        token_endpoint=f"{issuer}/token",
        authorization_endpoint=f"{issuer}/authorize",
        registration_endpoint=f"{issuer}/register",
        introspection_endpoint=f"{issuer}/introspect",
        revocation_endpoint=f"{issuer}/revoke",
        jwks_uri=f"{issuer}/jwks",
        initial_access_token_mode="fixed",
        initial_access_token=config.management_token,
        keeps_unknown_metadata=True,
        rotates_registration_token=True,
        introspection_auth="bearer",
        introspection_token=config.management_token,
        token_validation=config.token_validation,
        resource_style="any",
        max_resources=0,
    )


class ResidentAdapter(RfcAdapter):
    """The RFCs, and below ``/manage`` what they do not have."""

    slug = "resident"
    label = "Resident authorization server"
    Config = ResidentConfig

    def __init__(self, config: ResidentConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(_knobs(config), http, clock)
        self.config = config

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All that the RFCs give, and management."""
        return super().capabilities | {
            C.ROTATE_SECRET,
            C.SUSPEND_CLIENT,
            C.FIND_CLIENT,
            C.LIST_CLIENTS,
            C.REVOKE_ALL,
            C.RESOURCES,
            C.SCOPES,
        }

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7591, with the configured format of access tokens."""
        return self._clients.create(self._with_format(metadata))

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7592; a client whose registration access token is lost is recovered first, which changes its secret."""
        wanted = self._with_format(metadata)
        try:
            return self._clients.update(handle, wanted)
        except KeyManagerRejected as exc:
            if exc.remote_code != MANAGEMENT_TOKEN_LOST:
                raise
            recovered = self._issued("recover", handle)
        return self._clients.update(recovered.handle, wanted)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """By our management right, so a lost registration access token does not matter."""
        request = self._manage("GET", f"clients/{_quoted(handle.client_id)}")
        response = self.http.send(request)
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(request, response, doing="to show the client")
        return registration.read(response, handle, self.knobs)

    def delete_client(self, handle: ClientHandle) -> None:
        """By our management right; a client that is gone is success."""
        self._call("DELETE", f"clients/{_quoted(handle.client_id)}", gone_is_fine=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret; the old one ends at once. A client that we can no longer manage is recovered."""
        return self._issued("rotate-secret" if handle.registration_access_token else "recover", handle)

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its existence by management, its secret by revoking a made-up token."""
        bare = ClientHandle(client_id=handle.client_id, client_secret=handle.client_secret)
        if self.read_client(bare) is None:
            return Verification(exists=False, secret_works=False if handle.client_secret else None)
        if not handle.client_secret:
            return Verification(exists=True, secret_works=None, notes=("There is no secret to try.",))
        return Verification(exists=True, secret_works=super().verify_client(bare).secret_works)

    def suspend_client(self, handle: ClientHandle) -> None:
        """No new tokens, and those issued are inactive."""
        self._call("POST", f"clients/{_quoted(handle.client_id)}/suspend")

    def resume_client(self, handle: ClientHandle) -> None:
        """Undo ``suspend_client``."""
        self._call("POST", f"clients/{_quoted(handle.client_id)}/resume")

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By marker, without secrets: ``rotate_secret`` with that handle gives a new secret and management token."""
        return next(self._page({"marker": marker})[0], None)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """All clients, page by page, without secrets."""
        cursor = ""
        while True:
            found, cursor = self._page({"cursor": cursor, "limit": str(_PAGE)})
            yield from found
            if not cursor:
                return

    def revoke_all(self, handle: ClientHandle) -> None:
        """Revoke every token of a client; a client that is gone has none."""
        self._call("POST", f"clients/{_quoted(handle.client_id)}/revoke-tokens", gone_is_fine=True)

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make the scope exist."""
        self._call("PUT", f"scopes/{_quoted(scope.key)}", {"description": scope.description})

    def delete_scope(self, key: str) -> None:
        """Delete the scope."""
        self._call("DELETE", f"scopes/{_quoted(key)}", gone_is_fine=True)

    def list_scopes(self) -> frozenset[str]:
        """Keys of all scopes."""
        entries = self._call("GET", "scopes").json_object().get("scopes")
        return frozenset(text_of(entry, "key") for entry in _objects(entries))

    def register_resource(self, resource: Resource) -> RemoteResource:
        """Make the resource exist; its identifier is its id."""
        return self.update_resource(resource.identifier, resource)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Make the resource what ``resource`` says."""
        body = {"name": resource.name, "scopes": sorted(resource.scopes)}
        self._call("PUT", f"resources/{_quoted(remote_id)}", body)
        return RemoteResource(remote_id=remote_id, identifier=remote_id, scopes=resource.scopes)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """Read a resource."""
        response = self._call("GET", f"resources/{_quoted(remote_id)}", gone_is_fine=True)
        if response.status == 404:
            return None
        return RemoteResource(
            remote_id=remote_id, identifier=remote_id, scopes=frozenset(texts_of(response.json_object(), "scopes"))
        )

    def delete_resource(self, remote_id: str) -> None:
        """Delete a resource."""
        self._call("DELETE", f"resources/{_quoted(remote_id)}", gone_is_fine=True)

    def _with_format(self, metadata: ClientMetadata) -> ClientMetadata:
        extra = {"access_token_format": self.config.access_token_format, **metadata.extra}
        return ClientMetadata(
            client_name=metadata.client_name,
            marker=metadata.marker,
            grant_types=metadata.grant_types,
            response_types=metadata.response_types,
            redirect_uris=metadata.redirect_uris,
            token_endpoint_auth_method=metadata.token_endpoint_auth_method,
            scopes=metadata.scopes,
            extra=extra,
        )

    def _issued(self, action: str, handle: ClientHandle) -> RegisteredClient:
        response = self._call("POST", f"clients/{_quoted(handle.client_id)}/{action}")
        body = response.json_object()
        if action == "rotate-secret":
            required_text(body, "client_secret", response)
        return RegisteredClient(
            handle=registration.merged(handle, body, secret=text_of(body, "client_secret")),
            observed=registration.observed(body),
        )

    def _page(self, query: Mapping[str, str]) -> tuple[Iterator[RegisteredClient], str]:
        wanted = urlencode({name: value for name, value in query.items() if value})
        response = self._call("GET", f"clients?{wanted}")
        body = response.json_object()
        found = (
            RegisteredClient(
                handle=ClientHandle(client_id=required_text(entry, "client_id", response)),
                observed=registration.observed(entry),
            )
            for entry in _objects(body.get("clients"))
        )
        return found, text_of(body, "next_cursor")

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, gone_is_fine: bool = False
    ) -> HttpResponse:
        request = self._manage(method, path, body)
        response = self.http.send(request)
        if response.ok or (gone_is_fine and response.status == 404):
            return response
        if response.status == 404:
            raise KeyManagerRejected(
                f"{address_only(request.url)} does not exist", remote_code=CLIENT_GONE, remote_status=404
            )
        raise refusal(request, response)

    def _manage(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> HttpRequest:
        # A secret that was replaced and not received is unknown; everything else here can be made twice.
        issues = method == "POST" and path.endswith(("rotate-secret", "recover"))
        return HttpRequest(
            method=method,
            url=f"{self.knobs.issuer}/manage/{path}",
            headers=(*JSON, *bearer(self.config.management_token)),
            json=body,
            repeatable=not issues,
        )


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list. Raises ``KeyManagerProtocolError`` when it is not a list."""
    if not isinstance(value, list):
        raise KeyManagerProtocolError("The resident authorization server answered without its list")
    return [entry for entry in value if isinstance(entry, dict)]


def _quoted(name: str) -> str:
    return quote(name, safe="")
