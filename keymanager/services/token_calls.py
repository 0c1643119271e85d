"""Calls about tokens that are passed on while somebody waits: they are synchronous by design."""

from typing import Final

from common.errors import NotSupported
from keymanager.adapters.contract import TOKEN_EXCHANGE, Capability, TokenAnswer, TokenFacts, TokenRequest
from keymanager.models import Credential
from keymanager.services.adapters import adapter_for

__all__ = [
    "UNSUPPORTED_TOKEN_TYPE",
    "TokenAnswer",
    "TokenFacts",
    "authorization_address",
    "issue_token",
    "revoke_token",
]

UNSUPPORTED_TOKEN_TYPE: Final = TokenAnswer(
    status=400,
    body={
        "error": "unsupported_token_type",
        "error_description": "The key manager has no revocation of tokens.",
    },
)


def issue_token(*, credential: Credential, client_secret: str, parameters: tuple[tuple[str, str], ...]) -> TokenAnswer:
    """The key manager's answer to a token request of this client (RFC 6749 section 3.2, RFC 8693 section 2).

    ``client_secret``: as the client presented it; it is sent in the way that the client is registered with.
    ``parameters``: the form without client authentication. Raises ``KeyManagerError``, and ``NotSupported`` for a token
    exchange at a key manager that has none.
    """
    adapter, request = adapter_for(credential.key_manager), _request(credential, client_secret, parameters)
    if ("grant_type", TOKEN_EXCHANGE) not in parameters:
        return adapter.issue_token(request)
    adapter.require(Capability.EXCHANGE_TOKEN)
    return adapter.exchange_token(request)


def revoke_token(*, credential: Credential, client_secret: str, parameters: tuple[tuple[str, str], ...]) -> TokenAnswer:
    """The same for a revocation (RFC 7009); ``UNSUPPORTED_TOKEN_TYPE`` where the key manager has none."""
    adapter = adapter_for(credential.key_manager)
    if Capability.REVOKE_TOKEN not in adapter.capabilities:
        return UNSUPPORTED_TOKEN_TYPE
    return adapter.revoke_token(_request(credential, client_secret, parameters))


def authorization_address(*, credential: Credential, query: str) -> str:
    """The authorization endpoint of the client's key manager with ``query`` (encoded). Raises ``NotSupported``."""
    adapter = adapter_for(credential.key_manager)
    if Capability.AUTHORIZATION_URL not in adapter.capabilities:
        raise NotSupported(f"{credential.key_manager.name} has no authorization endpoint.")
    return adapter.authorization_url(query)


def _request(credential: Credential, client_secret: str, parameters: tuple[tuple[str, str], ...]) -> TokenRequest:
    return TokenRequest(
        client_id=credential.client_id,
        client_secret=client_secret,
        token_endpoint_auth_method=credential.token_endpoint_auth_method,
        parameters=parameters,
    )
