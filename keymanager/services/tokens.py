"""Getting a token for an application's own client, for the person in front of the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from common.errors import RuleError
from common.scopes import format_scope
from keymanager.adapters.contract import TokenRequest
from keymanager.models import Credential
from keymanager.registrations.states import Wish
from keymanager.sealing import unseal_secret
from keymanager.services.allowances import cut_scopes
from keymanager.services.key_managers import adapter_for


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token answer as the store shows it once; ``error`` is the key manager's OAuth error code, or ""."""

    status: int
    access_token: str = field(default="", repr=False)
    token_type: str = "Bearer"
    expires_in: int | None = None
    scope: str = ""
    error: str = ""
    error_description: str = ""


def application_token(*, credential: Credential, scopes: Sequence[str]) -> IssuedToken:
    """Ask the key manager for a client_credentials token (RFC 6749 section 4.4).

    ``scopes`` are cut to what the client may have. Raises ``InputError`` naming ``scopes`` when nothing is left of
    them, ``RuleError`` when the client is not registered or being removed, or its secret is not kept by the portal.
    """
    if credential.registration.wish == Wish.ABSENT:
        raise RuleError("The client is being removed.")
    if not credential.key_manager.takes_tokens:
        raise RuleError(f"The key manager {credential.key_manager.name} is switched off; its tokens are refused.")
    if not credential.client_id or credential.removed_at is not None:
        raise RuleError(f"The client is not registered yet; it is {credential.registration.state}.")
    if "client_credentials" not in credential.grant_types:
        raise RuleError("The client does not have the grant client_credentials.")
    if not credential.sealed_secret:
        raise RuleError(
            f"The portal does not keep client secrets of {credential.key_manager.name} (keep_secrets is off); "
            "use the secret that was shown once at the token endpoint."
        )
    parameters = [("grant_type", "client_credentials")]
    if scopes:
        parameters.append(("scope", format_scope(cut_scopes(credential, scopes, name="scopes"))))
    answer = adapter_for(credential.key_manager).issue_token(
        TokenRequest(
            client_id=credential.client_id,
            client_secret=unseal_secret(credential),
            token_endpoint_auth_method=credential.token_endpoint_auth_method,
            parameters=tuple(parameters),
        )
    )
    return IssuedToken(
        status=answer.status,
        access_token=str(answer.body.get("access_token", "")),
        token_type=str(answer.body.get("token_type", "Bearer")),
        expires_in=answer.expires_in,
        scope=" ".join(sorted(answer.scopes)),
        error=str(answer.body.get("error", "")),
        error_description=str(answer.body.get("error_description", "")),
    )
