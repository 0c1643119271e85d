"""Why a call was refused: one stable code each, with its HTTP status and a title for people.

``docs/reference/refusals.md`` lists every code; a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """Reason codes of refusals, as they stand in a refusal's body and in its stored verdict."""

    BAD_PATH = "bad_path"
    API_NOT_FOUND = "api_not_found"
    OPERATION_NOT_FOUND = "operation_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    API_BLOCKED = "api_blocked"
    TOKEN_MISSING = "token_missing"
    CREDENTIALS_MALFORMED = "credentials_malformed"
    SEVERAL_CREDENTIALS = "several_credentials"
    TOKEN_INVALID = "token_invalid"
    ALGORITHM_NOT_ACCEPTED = "algorithm_not_accepted"
    NOT_AN_ACCESS_TOKEN = "not_an_access_token"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REVOKED = "token_revoked"
    AUDIENCE_MISMATCH = "audience_mismatch"
    KEY_MANAGER_DISABLED = "key_manager_disabled"
    KEY_MANAGER_NOT_ACCEPTED = "key_manager_not_accepted"
    KEY_MANAGER_UNAVAILABLE = "key_manager_unavailable"
    CLIENT_UNKNOWN = "client_unknown"
    APPLICATION_REMOVED = "application_removed"
    NO_SANDBOX = "no_sandbox"
    NO_PRODUCTION = "no_production"
    NOT_SUBSCRIBED = "not_subscribed"
    SUBSCRIPTION_BLOCKED = "subscription_blocked"
    SUBSCRIPTION_PRODUCTION_BLOCKED = "subscription_production_blocked"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    PLAN_LIMIT_REACHED = "plan_limit_reached"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    ROLE_MISSING = "role_missing"
    VALIDATION_STEP_FAILED = "validation_step_failed"
    VALIDATOR_STALE = "validator_stale"
    VALIDATOR_STARTING = "validator_starting"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What every refusal with one code has in common.

    ``oauth_error``: the ``error`` of RFC 6750 section 3.1, or "" when the challenge (if any) carries none.
    ``retry_after``: seconds for ``Retry-After`` unless the refusal knows better; 0 means no such header.
    """

    status: int
    title: str
    oauth_error: str = ""
    retry_after: int = 0


def _bad_token(title: str) -> CodeFacts:
    return CodeFacts(status=401, title=title, oauth_error="invalid_token")


FACTS: Final[dict[str, CodeFacts]] = {
    Code.BAD_PATH: CodeFacts(status=400, title="The path is not one that the gateway reads without doubt"),
    Code.API_NOT_FOUND: CodeFacts(status=404, title="There is no API here"),
    Code.OPERATION_NOT_FOUND: CodeFacts(status=404, title="The API has no such path"),
    Code.METHOD_NOT_ALLOWED: CodeFacts(status=405, title="The path does not know this method"),
    Code.API_BLOCKED: CodeFacts(status=503, title="The API is blocked for now", retry_after=60),
    Code.TOKEN_MISSING: CodeFacts(status=401, title="An access token is needed"),
    Code.CREDENTIALS_MALFORMED: CodeFacts(
        status=400, title="The Authorization header is malformed", oauth_error="invalid_request"
    ),
    Code.SEVERAL_CREDENTIALS: CodeFacts(
        status=400, title="There is more than one Authorization header", oauth_error="invalid_request"
    ),
    Code.TOKEN_INVALID: _bad_token("The access token is not valid"),
    Code.ALGORITHM_NOT_ACCEPTED: _bad_token("The access token is signed in a way that is not accepted"),
    Code.NOT_AN_ACCESS_TOKEN: _bad_token("This is not an access token"),
    Code.TOKEN_EXPIRED: _bad_token("The access token has expired"),
    Code.TOKEN_REVOKED: _bad_token("The access token was revoked"),
    Code.AUDIENCE_MISMATCH: _bad_token("The access token is meant for another audience"),
    Code.KEY_MANAGER_DISABLED: _bad_token("The key manager that issued the token is disabled"),
    Code.KEY_MANAGER_NOT_ACCEPTED: CodeFacts(status=403, title="The API does not accept this key manager's tokens"),
    Code.KEY_MANAGER_UNAVAILABLE: CodeFacts(status=503, title="The key manager does not answer", retry_after=5),
    Code.CLIENT_UNKNOWN: _bad_token("The token's client is not (or no longer) known here"),
    Code.APPLICATION_REMOVED: _bad_token("The application is being removed"),
    Code.NO_SANDBOX: CodeFacts(status=403, title="The API has no sandbox"),
    Code.NO_PRODUCTION: CodeFacts(status=403, title="The API has no production endpoint"),
    Code.NOT_SUBSCRIBED: CodeFacts(status=403, title="The application is not subscribed to this API"),
    Code.SUBSCRIPTION_BLOCKED: CodeFacts(status=403, title="The subscription is blocked"),
    Code.SUBSCRIPTION_PRODUCTION_BLOCKED: CodeFacts(
        status=403, title="The subscription is blocked for production keys"
    ),
    Code.SUBSCRIPTION_INACTIVE: CodeFacts(status=403, title="The subscription is not active"),
    Code.PLAN_LIMIT_REACHED: CodeFacts(status=429, title="The plan's limit is reached", retry_after=1),
    Code.INSUFFICIENT_SCOPE: CodeFacts(
        status=403, title="The token does not carry a scope that this operation needs", oauth_error="insufficient_scope"
    ),
    Code.ROLE_MISSING: CodeFacts(
        status=403, title="The user has no role that the scope is bound to", oauth_error="insufficient_scope"
    ),
    Code.VALIDATION_STEP_FAILED: CodeFacts(status=503, title="The call could not be validated", retry_after=5),
    Code.VALIDATOR_STALE: CodeFacts(status=503, title="The validator is cut off from its database", retry_after=2),
    Code.VALIDATOR_STARTING: CodeFacts(status=503, title="The validator is starting", retry_after=1),
}
