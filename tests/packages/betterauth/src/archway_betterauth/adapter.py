"""The adapter: clients by Better Auth's own calls, tokens as the RFCs say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import urlencode

from archway_betterauth.session import Session
from common.errors import InputError, KeyManagerRejected
from common.http import HttpClient
from common.http_values import HttpRequest, HttpResponse
from keymanager.adapters.config import knob
from keymanager.adapters.contract import (
    SCOPES,
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
    Verification,
)
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.answers import CLIENT_GONE, refusal, required_text, text_of
from keymanager.adapters.rfc.check import common_steps
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import client_authentication
from keymanager.adapters.token_rules import TokenRules, checked_by
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.verification import verified

_MARKER: Final = "software_id"
_GRANTS: Final = ("client_credentials", "authorization_code", "refresh_token")
_CLIENT_OPERATIONS: Final = frozenset(
    {
        Capability.CREATE_CLIENT,
        Capability.READ_CLIENT,
        Capability.UPDATE_CLIENT,
        Capability.DELETE_CLIENT,
        Capability.ROTATE_SECRET,
        Capability.FIND_CLIENT,
        Capability.LIST_CLIENTS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetterAuthConfig(TokenRules):
    """Where Better Auth is, and as whom Archway works there."""

    base_url: str = knob("Base URL", required=True, kind="url", help="With its base path, usually /api/auth.")
    email: str = knob("Archway's user: e-mail address", required=True, help="Owns every client that Archway makes.")
    password: str = knob("Archway's user: password", required=True, secret=True)
    audience: str = knob("Audience of every token", required=True, help="A resource there, open to every client.")
    token_validation: str = checked_by("jwt", "jwt")


class BetterAuthAdapter(RfcAdapter):
    """Better Auth 1.7 with ``@better-auth/oauth-provider``, ``jwt`` and ``bearer``."""

    slug = "betterauth"
    label = "Better Auth"
    Config = BetterAuthConfig

    def __init__(self, config: BetterAuthConfig, http: HttpClient, clock: Clock) -> None:
        base_url = config.base_url.rstrip("/")
        super().__init__(
            RfcConfig(
                issuer=base_url,
                registration="none",
                resource_style="any",
                jwt_introspection=False,
                revocation=False,
                **{rule.name: getattr(config, rule.name) for rule in fields(TokenRules)},
            ),
            http,
            clock,
        )
        self.config = config
        self._session = Session(base_url, config.email, config.password, http, clock)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths: nothing in its document names it."""
        if found.token_endpoint == f"{found.issuer}/oauth2/token" and found.issuer.endswith("/api/auth"):
            return Recognised(reason="The paths are those of Better Auth.")
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The base URL is the issuer."""
        return {"base_url": found.issuer}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """No revocation: every token is a JWT."""
        return super().capabilities | _CLIENT_OPERATIONS

    @property
    def kept_on_clients(self) -> frozenset[str]:
        """Scopes: a client gets only those that it was given."""
        return frozenset({SCOPES})

    def require_possible(self, metadata: ClientMetadata) -> None:
        """``InputError`` for a grant that Better Auth does not have."""
        for grant in metadata.grant_types:
            if grant not in _GRANTS:
                raise InputError.of("grant_types", f"Better Auth does not offer the grant {grant}.")

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """``POST /admin/oauth2/create-client``; the marker becomes the client's ``software_id``."""
        self.require_possible(metadata)
        asked = {
            **_wish(metadata),
            _MARKER: metadata.marker,
            "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        }
        request, response = self._session.call("POST", "/admin/oauth2/create-client", asked)
        answer = _answer(request, response, "register a client")
        handle = ClientHandle(client_id=text_of(answer, "client_id"), client_secret=text_of(answer, "client_secret"))
        return _registered(handle, answer, metadata, asked)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """``GET /oauth2/get-client``."""
        query = urlencode({"client_id": handle.client_id})
        request, response = self._session.call("GET", f"/oauth2/get-client?{query}")
        if response.status == 404:
            return None
        return RegisteredClient(handle=handle, observed=_observed(_answer(request, response, "read the client")))

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``PATCH /admin/oauth2/update-client``; how the client authenticates cannot be changed."""
        self.require_possible(metadata)
        asked = _wish(metadata)
        body = {"client_id": handle.client_id, "update": asked}
        request, response = self._session.call("PATCH", "/admin/oauth2/update-client", body)
        return _registered(handle, _changed(request, response, "change the client"), metadata, asked)

    def delete_client(self, handle: ClientHandle) -> None:
        """``POST /oauth2/delete-client``."""
        body = {"client_id": handle.client_id}
        request, response = self._session.call("POST", "/oauth2/delete-client", body, repeatable=True)
        if not response.ok and response.status != 404:
            raise refusal(request, response, doing="remove the client")

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``POST /oauth2/client/rotate-secret``; the old secret ends at once."""
        body = {"client_id": handle.client_id}
        request, response = self._session.call("POST", "/oauth2/client/rotate-secret", body)
        answer = _changed(request, response, "replace the client's secret")
        secret = required_text(answer, "client_secret", response)
        return RegisteredClient(handle=replace(handle, client_secret=secret), observed=_observed(answer))

    def find_client(self, marker: str) -> RegisteredClient | None:
        """Among our own clients: Better Auth has no search."""
        return next((client for client in self.list_clients() if client.observed.get(_MARKER) == marker), None)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """``GET /oauth2/get-clients``: those of Archway's user, without their secrets."""
        request, response = self._session.call("GET", "/oauth2/get-clients")
        if not response.ok:
            raise refusal(request, response, doing="list the clients")
        for answer in response.json_list():
            handle = ClientHandle(client_id=required_text(answer, "client_id", response))
            yield RegisteredClient(handle=handle, observed=_observed(answer))

    def verify_client(self, handle: ClientHandle) -> Verification:
        """By a read, and by an introspection as the client: a refresh is refused before the secret is looked at."""
        return verified(handle, self.read_client, self._secret_works)

    def _secret_works(self, handle: ClientHandle) -> bool | None:
        if not handle.client_secret:
            return None
        client = client_authentication("basic", handle.client_id, handle.client_secret, basic_encoding="form")
        request = HttpRequest(
            method="POST",
            url=self.metadata().introspection_endpoint,
            headers=client.headers,
            form=(("token", "made-up"),),
            repeatable=True,
        )
        response = self.http.send(request)
        if response.status == 401:
            return False
        if not response.ok:
            raise refusal(request, response, doing="try the client's secret")
        return True

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 6749, for the configured audience unless the request names a resource (RFC 8707): then it is a JWT.

        A token without a resource is opaque there, and Better Auth tells only its own client about it.
        """
        if all(name != "resource" for name, _ in request.parameters):
            request = replace(request, parameters=(*request.parameters, ("resource", self.config.audience)))
        return super().issue_token(request)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, and a throw-away client."""
        yield from common_steps(self)
        yield from TrialClient(self).steps()


def _wish(metadata: ClientMetadata) -> dict[str, Any]:
    """What both create and update take. Scopes of people and scopes of machines are two lists there."""
    scopes = sorted(metadata.scopes)
    wish: dict[str, Any] = {
        "client_name": metadata.client_name,
        "grant_types": list(metadata.grant_types),
        "response_types": ["code"] if "authorization_code" in metadata.grant_types else [],
        "scope": " ".join(scopes),
        "client_credentials_scopes": scopes if "client_credentials" in metadata.grant_types else [],
    }
    if metadata.redirect_uris:  # an empty list is refused there
        wish["redirect_uris"] = list(metadata.redirect_uris)
    return wish


def _registered(
    handle: ClientHandle, answer: Mapping[str, Any], metadata: ClientMetadata, asked: Mapping[str, Any]
) -> RegisteredClient:
    wanted = {**asked, "redirect_uris": list(metadata.redirect_uris)}
    wanted["token_endpoint_auth_method"] = metadata.token_endpoint_auth_method
    ignored = {_rfc_name(name) for name, value in wanted.items() if (answer.get(name) or []) != (value or [])}
    return RegisteredClient(handle=handle, observed=_observed(answer), ignored=tuple(sorted(ignored)))


def _rfc_name(name: str) -> str:
    return "scope" if name == "client_credentials_scopes" else name


def _observed(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in answer.items() if name != "client_secret"}


def _answer(request: HttpRequest, response: HttpResponse, doing: str) -> dict[str, Any]:
    """A client, as Better Auth tells of it."""
    if not response.ok:
        raise refusal(request, response, doing=doing)
    answer = response.json_object()
    required_text(answer, "client_id", response)
    return answer


def _changed(request: HttpRequest, response: HttpResponse, doing: str) -> dict[str, Any]:
    if response.status == 404:
        raise KeyManagerRejected("The client is gone at the key manager.", remote_code=CLIENT_GONE, remote_status=404)
    return _answer(request, response, doing)
