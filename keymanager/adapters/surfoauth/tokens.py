"""Tokens: issue, look up, revoke. Scopes are separated by commas here, and are not limited by the server."""

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from common.errors import (
    ArchwayError,
    KeyManagerProtocolError,
    KeyManagerUnavailable,
)
from common.http import HttpClient, HttpRequest, HttpResponse, address_only, failed_answer
from common.http_values import Pairs
from keymanager.adapters.contract import Clock, Inactive, Introspection, TokenAnswer, TokenFacts, TokenRequest
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, text_of, whole_number
from keymanager.adapters.rfc.credentials import JSON, client_authentication
from keymanager.adapters.surfoauth.config import SurfOAuthConfig
from keymanager.adapters.surfoauth.facts import facts_of
from keymanager.adapters.surfoauth.refusals import refusal
from keymanager.adapters.surfoauth.resource_servers import LOOK_AGAIN_SECONDS, ResourceServers, Server

_UNLIMITED_GRANTS = frozenset({"client_credentials", "password"})
_AUTHENTICATION = frozenset({"client_id", "client_secret"})
_UNKNOWN_CLIENT = "The client_id is unknown"


class Tokens:
    """The token operations of one configured SurfOAuth."""

    def __init__(self, config: SurfOAuthConfig, http: HttpClient, clock: Clock, servers: ResourceServers) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._servers = servers

    def issue(self, asked: TokenRequest) -> TokenAnswer:
        """RFC 6749 section 3.2. Scopes that the client was not given are left out before they are asked for."""
        kept = tuple(pair for pair in asked.parameters if pair[0] not in _AUTHENTICATION and pair[0] != "scope")
        parameters = dict(asked.parameters)
        if "resource" in parameters:
            text = "SurfOAuth knows no resource indicators."
            return TokenAnswer(status=400, body={"error": "invalid_target", "error_description": text})
        scopes = tuple(dict.fromkeys(parameters.get("scope", "").split()))
        unlimited = parameters.get("grant_type") in _UNLIMITED_GRANTS
        if scopes and unlimited:
            return self._limited(asked, kept, scopes)
        joined = (("scope", ",".join(scopes)),) if scopes else ()
        return self._asked(asked, (*kept, *joined), repeatable=unlimited)

    def lives(self, client_id: str, client_secret: str) -> bool:
        """Whether these are good credentials: asked by a refresh token that does not exist."""
        request = self._as_client(
            TokenRequest(client_id=client_id, client_secret=client_secret),
            "token",
            (("grant_type", "refresh_token"), ("refresh_token", "none")),
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status == 401 or (response.status == 400 and _unknown_client(response.json_object_or_empty())):
            return False
        if response.status == 400:
            return True
        raise refusal(request, response, doing="to try a client secret")

    def look_up(self, token: str) -> Introspection:
        """``tokeninfo`` with the key of each resource server that can be the token's."""
        lately = self._clock.now() - LOOK_AGAIN_SECONDS
        tried: set[int] = set()
        for at_least_since in (0.0, lately) if self._servers.per_api else (0.0,):
            for server in self._servers.kept(at_least_since=at_least_since):
                if server.id in tried:
                    continue
                tried.add(server.id)
                found = self._looked_up_at(server, token)
                if found is not None:
                    return found
        return Inactive(reason="SurfOAuth does not know this token.")

    def revoke(self, asked: TokenRequest) -> TokenAnswer:
        """RFC 7009, and proved: SurfOAuth says 200 whatever it did, and does nothing for a refresh token."""
        token = dict(asked.parameters).get("token", "")
        refused = self._revoked(asked, token)
        if refused is not None:
            return refused
        if token and isinstance(self.look_up(token), TokenFacts):
            text = "The token is still good: it was not issued to this client."
            return TokenAnswer(status=400, body={"error": "unauthorized_client", "error_description": text})
        if token:
            self._use_up(asked, token)
        return TokenAnswer(status=200, body={})

    def _limited(self, asked: TokenRequest, kept: Pairs, scopes: tuple[str, ...]) -> TokenAnswer:
        """Asked without a scope, a token shows what the client was given; it will do when that is what is wanted."""
        whole = self._asked(asked, kept, repeatable=True)
        if not whole.ok:
            return whole
        allowed = tuple(scope for scope in scopes if scope in whole.scopes)
        if set(allowed) == whole.scopes and allowed:
            return whole
        with contextlib.suppress(ArchwayError):
            # Nobody has seen it, and it ends by itself.
            self._revoked(asked, str(whole.body["access_token"]))
        if not allowed:
            text = f"The client was not given: {', '.join(scopes)}"
            return TokenAnswer(status=400, body={"error": "invalid_scope", "error_description": text})
        return self._asked(asked, (*kept, ("scope", ",".join(allowed))), repeatable=True)

    def _asked(self, asked: TokenRequest, form: Pairs, *, repeatable: bool) -> TokenAnswer:
        request = self._as_client(asked, "token", form, repeatable=repeatable)
        response = self._http.send(request)
        if response.status != 200:
            return _oauth_error(request, response)
        body = response.json_object()
        if not text_of(body, "access_token"):
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered 200 without access_token")
        seconds = whole_number(body, "expires_in")
        if seconds == 0:
            # Here 0 is never; for everybody else it is at once, so it is left out.
            body = {name: value for name, value in body.items() if name != "expires_in"}
        return TokenAnswer(
            status=200, body=body, scopes=frozenset(text_of(body, "scope").split()), expires_in=seconds or None
        )

    def _as_client(self, asked: TokenRequest, endpoint: str, form: Pairs, *, repeatable: bool) -> HttpRequest:
        """By Basic whenever there is a secret: in the form, a wrong one is answered as if the request were wrong."""
        public = asked.token_endpoint_auth_method == "none" or not asked.client_secret
        client = client_authentication(
            "none" if public else "basic", asked.client_id, asked.client_secret, basic_encoding="raw"
        )
        return HttpRequest(
            method="POST",
            url=f"{self._config.base}/oauth2/{endpoint}",
            headers=(*JSON, *client.headers),
            form=(*form, *client.form),
            repeatable=repeatable,
        )

    def _looked_up_at(self, server: Server, token: str) -> Introspection | None:
        """What one resource server is told of a token; ``None`` when it is not of its clients."""
        own = client_authentication("basic", server.key, server.secret, basic_encoding="raw")
        request = HttpRequest(
            method="GET",
            url=f"{self._config.base}/v1/tokeninfo?access_token={quote(token, safe='')}",
            headers=(*JSON, *own.headers),
        )
        response = self._http.send(request)
        if response.status == 200:
            return facts_of(response, recipient=self._servers.identifier_of(server) or server.name)
        error = text_of(response.json_object_or_empty(), "error")
        if (response.status, error) == (404, "not_found"):
            return None
        if (response.status, error) == (410, "token_expired"):
            return Inactive(reason="SurfOAuth says that it has expired.")
        if response.status == 401 and self._servers.forget():
            raise KeyManagerUnavailable("The resource server's key is not accepted any more", retry_after=0.0)
        raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="to look a token up as our resource server")

    def _revoked(self, asked: TokenRequest, token: str) -> TokenAnswer | None:
        """Ask for a revocation; the refusal, or ``None`` when it was not refused."""
        request = self._as_client(asked, "revoke", (("token", token),), repeatable=True)
        response = self._http.send(request)
        if response.status != 200:
            return _oauth_error(request, response)
        if response.content_type == "text/html":
            raise KeyManagerProtocolError(f"{address_only(request.url)} answered a page instead of a revocation")
        return None

    def _use_up(self, asked: TokenRequest, token: str) -> None:
        """End what may be a refresh token: using it makes a new pair in its place, which is then revoked."""
        form = (("grant_type", "refresh_token"), ("refresh_token", token))
        pair = self._asked(asked, form, repeatable=False)
        if pair.ok:
            self._revoked(asked, str(pair.body["access_token"]))


def _unknown_client(body: Mapping[str, Any]) -> bool:
    return text_of(body, "error_description") == _UNKNOWN_CLIENT


def _oauth_error(request: HttpRequest, response: HttpResponse) -> TokenAnswer:
    """An OAuth error as it came, but for two that other programs would not understand."""
    if response.status >= 500:
        raise failed_answer(request, response)
    challenge = response.header("www-authenticate")
    body = response.json_object_or_empty()
    error = text_of(body, "error")
    if response.status == 400 and _unknown_client(body):
        return TokenAnswer(status=401, body={**body, "error": "invalid_client"}, www_authenticate=challenge)
    if error == "invaid_request":
        # The server's own spelling, for a redirect_uri that does not fit the code.
        return TokenAnswer(status=response.status, body={**body, "error": "invalid_grant"}, www_authenticate=challenge)
    if error:
        return TokenAnswer(status=response.status, body=body, www_authenticate=challenge)
    if response.status in (401, 403):
        words = {"error": "invalid_client", "error_description": "SurfOAuth refused the client."}
        return TokenAnswer(status=401, body=words, www_authenticate=challenge or "Basic")
    if response.status == 400:
        words = {"error": "invalid_request", "error_description": "SurfOAuth refused without a reason."}
        return TokenAnswer(status=400, body=words)
    raise refusal(request, response, doing="the request")
