"""Tokens: issue (RFC 6749), revoke (RFC 7009), introspect (RFC 7662)."""

from collections.abc import Mapping
from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import HttpClient, HttpRequest, HttpResponse, address_only, failed_answer
from common.http_values import Pairs
from common.scopes import is_scope
from keymanager.adapters.contract import Inactive, Introspection, TokenAnswer, TokenRequest
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, is_page, refusal, text_of, whole_number
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials, bearer, client_authentication
from keymanager.adapters.rfc.discovery import Discovery
from keymanager.adapters.rfc.facts import FactReader

# A lost answer to these costs nothing: asking again issues another token. A code or a refresh token works only once.
_REPEATABLE_GRANTS = frozenset({"client_credentials", "password"})
# Spring Security's word, and no code of RFC 6749: its filter refuses a client before the endpoint is asked.
_FILTERED = "unauthorized"
_AUTHENTICATION = frozenset({"client_id", "client_secret"})


class Tokens:
    """The token operations of one configured server."""

    def __init__(
        self, config: RfcConfig, http: HttpClient, discovery: Discovery, own: OwnCredentials, facts: FactReader
    ) -> None:
        self._config = config
        self._http = http
        self._discovery = discovery
        self._own = own
        self._facts = facts

    def issue(self, asked: TokenRequest) -> TokenAnswer:
        """RFC 6749 section 3.2. An OAuth error is an answer; everything else that is not a token is an exception."""
        parameters = dict(asked.parameters)
        fault = self._resource_fault(asked.parameters)
        if fault:
            return TokenAnswer(status=400, body={"error": "invalid_target", "error_description": fault})
        request = self._as_client(
            "token_endpoint",
            asked,
            method=asked.token_endpoint_auth_method,
            repeatable=parameters.get("grant_type") in _REPEATABLE_GRANTS,
        )
        response = self._http.send(request)
        if response.status != 200:
            return _oauth_answer(request, response)
        body = response.json_object()
        if not text_of(body, "access_token"):
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered 200 without access_token")
        return TokenAnswer(
            status=200,
            body=body,
            scopes=self._granted(body, parameters.get("scope", "")),
            expires_in=whole_number(body, "expires_in"),
        )

    def revoke(self, asked: TokenRequest) -> TokenAnswer:
        """RFC 7009. 200 means that the token is not good any more, also when it never was."""
        method = self._config.revocation_auth
        request = self._as_client(
            "revocation_endpoint",
            asked,
            method=asked.token_endpoint_auth_method if method == "registered" else method,
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status not in (200, 204):
            return _oauth_answer(request, response)
        if is_page(response):
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered a page instead of a revocation")
        return TokenAnswer(status=200, body={})

    def introspect(self, token: str) -> Introspection:
        """RFC 7662, as ourselves."""
        own = self._own.introspection()
        request = HttpRequest(
            method="POST",
            url=self._discovery.endpoint("introspection_endpoint"),
            headers=(*JSON, *own.headers),
            form=(("token", token), ("token_type_hint", "access_token"), *own.form),
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status in (401, 403):
            error = refusal(request, response, code=OWN_CLIENT_REFUSED, doing="our right to introspect")
            raise self._own.refused("introspection", error)
        if response.status != 200:
            raise refusal(request, response, doing="the introspection")
        body = response.json_object()
        active = body.get("active")
        if not isinstance(active, bool):
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered 200 without active")
        if not active:
            return Inactive(reason="The key manager says that it is not active.")
        facts = self._facts.read(body)
        if facts.exp is None and self._config.refuses_endless_tokens:
            return Inactive(reason="It never expires: it is a token for registering, or a resource's own.")
        if not facts.scopes.isdisjoint(self._config.refused_scopes):
            return Inactive(reason="It is a token for managing a client, not for calling an API.")
        return facts

    def token_information(self, token: str) -> Introspection:
        """What the server tells the bearer about the token: no standard, but the same claims (``expires_in`` too)."""
        request = HttpRequest(method="GET", url=self._config.tokeninfo_endpoint, headers=(*JSON, *bearer(token)))
        response = self._http.send(request)
        if response.status in (400, 401):
            return Inactive(reason="The key manager does not know it (any more).")
        if response.status != 200:
            raise refusal(request, response, doing="to tell about the token")
        return self._facts.read(response.json_object())

    def _as_client(self, endpoint: str, asked: TokenRequest, *, method: str, repeatable: bool) -> HttpRequest:
        client = client_authentication(
            method, asked.client_id, asked.client_secret, basic_encoding=self._config.basic_encoding
        )
        kept = tuple(pair for pair in asked.parameters if pair[0] not in _AUTHENTICATION)
        return HttpRequest(
            method="POST",
            url=self._discovery.endpoint(endpoint),
            headers=(*JSON, *client.headers),
            form=(*kept, *client.form),
            repeatable=repeatable,
        )

    def _granted(self, body: Mapping[str, Any], asked: str) -> frozenset[str]:
        scope = body.get("scope")
        if isinstance(scope, str):
            return frozenset(scope.split())
        if self._config.absent_scope == "none":
            return frozenset()
        return frozenset(key for key in asked.split() if is_scope(key))

    def _resource_fault(self, parameters: Pairs) -> str:
        """Why the resource indicators (RFC 8707) cannot be sent to this server, or ""."""
        resources = [value for name, value in parameters if name == "resource"]
        style, most = self._config.resource_style, self._config.max_resources
        if not resources:
            return ""
        if style == "none":
            return "The key manager knows no resource indicators."
        if most and len(resources) > most:
            return f"The key manager takes at most {most} resource indicators."
        for resource in resources:
            is_url = resource.startswith(("https://", "http://"))
            if (style == "url" and not is_url) or (style == "urn" and not resource.startswith("urn:")):
                return f"The key manager takes resource indicators that are a {style.upper()} only."
        return ""


def _oauth_answer(request: HttpRequest, response: HttpResponse) -> TokenAnswer:
    """An OAuth error as it came. Where the server gave none, the endpoint and the status decide (RFC 6749 5.2)."""
    if response.status >= 500:
        raise failed_answer(request, response)
    challenge = response.header("www-authenticate")
    body = response.json_object_or_empty()
    if text_of(body, "error") and not (response.status == 401 and body["error"] == _FILTERED):
        return TokenAnswer(status=response.status, body=body, www_authenticate=challenge)
    if response.status in (401, 403):
        silent = {
            "error": "invalid_client",
            "error_description": "The key manager refused the client without a reason.",
        }
        basic = any(name == "Authorization" for name, _ in request.headers)
        return TokenAnswer(status=401, body=silent, www_authenticate=challenge or ("Basic" if basic else ""))
    if response.status == 400:
        silent = {"error": "invalid_request", "error_description": "The key manager refused without a reason."}
        return TokenAnswer(status=400, body=silent)
    raise refusal(request, response, doing="the request")
