"""Tokens: Entra speaks of one API at a time, and of its scopes with that API's address before them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from common.http_values import Pairs
from keymanager.adapters.contract import ClientHandle, Inactive, Introspection, TokenAnswer, TokenRequest
from keymanager.adapters.entra.apis import Apis
from keymanager.adapters.entra.config import EntraConfig
from keymanager.adapters.rfc.facts import FactReader
from keymanager.adapters.rfc.keys import Keys
from keymanager.adapters.rfc.tokens import Tokens

# Scopes of OpenID Connect, which belong to no API.
_PLAIN = frozenset({"openid", "profile", "email", "offline_access"})
_KEEP_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 10.0


class EntraTokens:
    """Token requests translated on their way in, granted scopes read from the token on the way out."""

    def __init__(self, config: EntraConfig, tokens: Tokens, keys: Keys, facts: FactReader, apis: Apis) -> None:
        self._config = config
        self._tokens = tokens
        self._keys = keys
        self._facts = facts
        self._apis = apis
        self._audiences: tuple[float, frozenset[str]] | None = None

    def issue(self, asked: TokenRequest) -> TokenAnswer:
        """RFC 6749. The answer is Entra's own; which scopes it stands for is told by the token itself."""
        resources = [value for name, value in asked.parameters if name == "resource"]
        if len(resources) > 1:
            words = "Entra ID issues a token for one API only."
            return TokenAnswer(status=400, body={"error": "invalid_target", "error_description": words})
        given = self._tokens.issue(replace(asked, parameters=self.translated(asked.parameters)))
        if not given.ok:
            return given
        return replace(given, scopes=self._facts.scopes_of(_claims(str(given.body["access_token"]))))

    def secret_works(self, handle: ClientHandle) -> bool:
        """Whether the client gets a token for Microsoft Graph, which every directory has."""
        scope = f"{self._config.graph_url.rstrip('/')}/.default"
        given = self._tokens.issue(
            TokenRequest(
                client_id=handle.client_id,
                client_secret=handle.client_secret,
                token_endpoint_auth_method="client_secret_post",
                parameters=(("grant_type", "client_credentials"), ("scope", scope)),
            )
        )
        return given.ok

    def translated(self, parameters: Pairs) -> Pairs:
        """``scope`` and ``resource`` in Entra's words.

        An application's own token always carries all that was given to it: that is asked for by ``.default``.
        """
        named = dict(parameters)
        uri = self._apis.uri_of(named["resource"]) if named.get("resource") else self._config.api_uri
        kept = tuple(pair for pair in parameters if pair[0] not in ("scope", "resource"))
        if named.get("grant_type") == "client_credentials":
            return (*kept, ("scope", f"{uri}/.default"))
        words = [_addressed(key, uri) for key in named.get("scope", "").split()]
        return (*kept, ("scope", " ".join(words))) if words else kept

    def translated_query(self, query: str) -> str:
        """An authorization request's query (RFC 6749 4.1.1), untouched where it speaks of no scope."""
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        if not any(name in ("scope", "resource") for name, _ in parameters):
            return query
        return urlencode(self.translated(parameters), quote_via=quote)

    def introspect(self, token: str, now: float) -> Introspection:
        """Checked with the tenant's keys, which sign tokens for every API there: it must be for one of ours."""
        facts = self._keys.check(token)
        if isinstance(facts, Inactive):
            return facts
        if not self._is_ours(frozenset(facts.aud), now):
            return Inactive(reason="It is for another API of the directory.")
        return facts

    def _is_ours(self, audience: frozenset[str], now: float) -> bool:
        if any(name == self._config.api_uri or name.startswith(f"{self._config.api_uri}-") for name in audience):
            return True
        kept = self._audiences
        age = _KEEP_SECONDS if kept is None else now - kept[0]
        known = kept[1] if kept is not None else frozenset[str]()
        if age >= _KEEP_SECONDS or (not audience & known and age >= _LOOK_AGAIN_SECONDS):
            known = frozenset(api.app_id for api in self._apis.all())
            self._audiences = (now, known)
        return bool(audience & known)


def _addressed(key: str, uri: str) -> str:
    return key if key in _PLAIN or "://" in key else f"{uri}/{key}"


def _claims(token: str) -> Mapping[str, Any]:
    """What a token that Entra just gave us says; {} when it is not readable."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
