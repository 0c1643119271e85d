"""Tokens at AM: who may look at which, and what their claims are called."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import HttpClient, HttpRequest, HttpResponse, address_only
from keymanager.adapters.contract import Clock, Inactive, Introspection, TokenAnswer, TokenFacts, TokenRequest
from keymanager.adapters.forgerock.config import ForgeRockConfig
from keymanager.adapters.rfc.answers import refusal, text_of, texts_of, whole_number
from keymanager.adapters.rfc.credentials import JSON, bearer

# RFC 6750 section 2.1.
_SENDABLE = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_SHOWN = ("client_id", "scope", "realm", "grant_type", "token_type", "tokenName")


class TokenInfo:
    """``/tokeninfo`` sees the token of every client and asks nobody who they are."""

    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        self._url = f"{config.issuer.rstrip('/')}/tokeninfo"
        self._issuer = config.issuer
        self._http = http
        self._clock = clock

    def look_up(self, token: str) -> Introspection:
        """The token goes in a header: the server would take it in the URL too, where it would be logged.

        Each granted scope is a member of the answer as well, so no member is read that a scope could be named like
        but those that the server itself always has.
        """
        if not _SENDABLE.fullmatch(token):
            return Inactive(reason="It is not a bearer token (RFC 6750 section 2.1).")
        request = HttpRequest(method="GET", url=self._url, headers=(*JSON, *bearer(token)))
        response = self._http.send(request)
        if response.status == 401 and text_of(response.json_object_or_empty(), "error") == "invalid_token":
            return Inactive(reason="The key manager says that it is not active.")
        if _cannot_read(token, response):
            return Inactive(reason="The key manager cannot read this JWT.")
        if response.status != 200:
            raise refusal(request, response, doing="to look up a token")
        body = response.json_object()
        return self._facts(response, body)

    def _facts(self, response: HttpResponse, body: Mapping[str, Any]) -> Introspection:
        """Of a stateless token the answer is its claims: no ``client_id``, and ``expires_in`` in milliseconds."""
        client_id = text_of(body, "client_id") or client_of_audience(body)
        exp, seconds = whole_number(body, "exp"), whole_number(body, "expires_in")
        if exp is None and seconds is not None:
            exp = int(self._clock.now()) + seconds
        if not client_id or exp is None or not isinstance(body.get("scope"), str | list):
            raise KeyManagerProtocolError(
                f"{address_only(response.url)} answered {response.status} without a client, a scope or a lifetime"
            )
        facts = TokenFacts(
            client_id=client_id,
            scopes=frozenset(word for text in texts_of(body, "scope") for word in text.split()),
            exp=exp,
            iss=self._issuer,
            claims={name: body[name] for name in _SHOWN if name in body},
        )
        return only_access(facts) if "tokenName" in body else facts


def _cannot_read(token: str, response: HttpResponse) -> bool:
    """A JWT that OpenAM did not make is an error of its own, told as 400 ``server_error``, never ``invalid_token``."""
    code = text_of(response.json_object_or_empty(), "error")
    return response.status == 400 and code == "server_error" and token.startswith("eyJ") and token.count(".") >= 2


def client_of_audience(claims: Mapping[str, Any]) -> str:
    """AM's JWTs name their client as the only audience; of several, none can be told to be it."""
    audience = texts_of(claims, "aud")
    return audience[0] if len(audience) == 1 else ""


def only_access(answer: Introspection) -> Introspection:
    """Access, refresh and ID tokens are signed by the same key: AM says in ``tokenName`` which one it is."""
    if isinstance(answer, TokenFacts) and text_of(answer.claims, "tokenName") != "access_token":
        return Inactive(reason="It is not an access token (tokenName).")
    return answer


def own_only(answer: Introspection) -> Introspection:
    """What ``active: false`` can mean here."""
    if isinstance(answer, Inactive):
        return Inactive(
            reason="The key manager says that it is not active, or it belongs to another client than ours, which we "
            "may not see (AM 7: the scope am-introspect-all-tokens; OpenAM: never)."
        )
    return answer


def without_token(answer: TokenAnswer, request: TokenRequest) -> TokenAnswer:
    """The refusal to revoke another client's token repeats the token."""
    token = dict(request.parameters).get("token", "")
    words = text_of(answer.body, "error_description")
    if not token or token not in words:
        return answer
    return replace(answer, body={**answer.body, "error_description": "The token was issued to another client."})
