"""Tokens at Hydra: ``audience`` for ``resource``, introspection on the other port, proven revocation."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from common.errors import InputError
from common.http import HttpClient
from keymanager.adapters.contract import Clock, Inactive, Introspection, TokenAnswer, TokenFacts, TokenRequest
from keymanager.adapters.hydra.api import HydraApi
from keymanager.adapters.hydra.config import is_usable_audience
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import Authentication, OwnCredentials
from keymanager.adapters.rfc.discovery import Discovery

_ONLY_URLS = "The key manager can tell audiences apart only if they are URLs with a host."
_USES = {"access_token": "access", "refresh_token": "refresh"}


class HydraRights(OwnCredentials):
    """Hydra's administration port asks for no client; a proxy before it may ask for a header."""

    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock, discovery: Discovery, api: HydraApi) -> None:
        super().__init__(config, http, clock, discovery)
        self._api = api

    def introspection(self) -> Authentication:
        """The header, if there is one."""
        return Authentication(headers=self._api.guard)


def with_audiences(request: TokenRequest) -> TokenRequest | TokenAnswer:
    """The request in Hydra's words, or the refusal of a resource that Hydra would take for another one.

    Hydra reads ``audience`` and ignores ``resource`` (RFC 8707), also one it does not know.
    """
    parameters: list[tuple[str, str]] = []
    for name, value in request.parameters:
        wanted = value.split() if name == "audience" else [value] if name == "resource" else []
        if not all(is_usable_audience(audience) for audience in wanted):
            return TokenAnswer(status=400, body={"error": "invalid_target", "error_description": _ONLY_URLS})
        parameters.append(("audience", value) if name == "resource" else (name, value))
    return replace(request, parameters=tuple(parameters))


def query_with_audiences(query: str) -> str:
    """An authorization request in Hydra's words. Raises ``InputError`` naming ``resource`` for a URN."""
    pairs = parse_qsl(query, keep_blank_values=True)
    resources = [value for name, value in pairs if name == "resource"]
    if not resources:
        return query
    if not all(is_usable_audience(resource) for resource in resources):
        raise InputError.of("resource", _ONLY_URLS)
    return urlencode([("audience" if name == "resource" else name, value) for name, value in pairs])


def with_use(answer: Introspection) -> Introspection:
    """Hydra calls refresh tokens active too; what does not say that it is an access token is none."""
    if isinstance(answer, Inactive):
        return answer
    stated = text_of(answer.claims, "token_use")
    return replace(answer, token_use=_USES.get(stated, stated or "unknown"))


def only_access(answer: Introspection) -> Introspection:
    """ID tokens are signed by published keys too, but they name no ``client_id``."""
    if isinstance(answer, TokenFacts) and not answer.client_id:
        return Inactive(reason="It is not an access token: it names no client_id.")
    return answer


def not_revoked() -> TokenAnswer:
    """RFC 7009 section 2.1: a token that was issued to another client is refused and the client is told."""
    words = "The token is still active: it was not issued to this client."
    return TokenAnswer(status=400, body={"error": "invalid_request", "error_description": words})
