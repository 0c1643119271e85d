"""The habits in which identity providers differ, one switch per habit; the presets are what real servers did."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a fake identity provider behaves. The defaults follow the RFCs closely."""

    # Discovery (RFC 8414, OpenID Connect Discovery)
    issuer_path: str = ""  # "/realms/one": the issuer has a path
    openid_discovery: bool = True
    rfc8414_discovery: bool = True
    discovery_omits: frozenset[str] = frozenset()  # members left out of both documents
    html_for_unknown_paths: bool = False  # 200 and a login page instead of 404

    # Registration (RFC 7591)
    register_status: Literal[200, 201] = 201
    initial_token: Literal["none", "fixed", "client_credentials"] = "fixed"
    html_registration_errors: bool = False
    redirect_uris: Literal["optional", "for_code", "present", "non_empty"] = "optional"  # for_code: by response_types
    unknown_metadata: Literal["kept", "dropped", "echoed"] = "kept"  # echoed: in the answer, then forgotten
    kept_extra_metadata: frozenset[str] = frozenset()  # kept even when unknown metadata is not
    registration_scope: Literal["as_asked", "unknown_refused", "unknown_dropped", "fixed", "ignored"] = "as_asked"
    response_types_become: tuple[str, ...] | None = None
    secret_needs_auth_method: bool = False  # no token_endpoint_auth_method asked, no client_secret given
    awkward_secrets: bool = False  # secrets hold % + & # and a space
    secret_seconds: int = 0  # client_secret_expires_at, 0: never

    # Management (RFC 7592)
    management: bool = True
    delete_status: Literal[200, 204] = 204
    rotate_registration_access_token: bool = False
    new_secret_on_update: bool = False
    secret_in_read: bool = True
    secret_in_update: bool = True
    update_answers_metadata_only: bool = False  # no registration access token, no times
    management_refusal: Literal["401", "401_empty"] = "401"
    update_refuses_echo: bool = True  # the four server-owned members in a PUT are 400
    odd_read: bool = False  # another shape than registration answered, no scope, no registration access token
    foreign_token_destroys_it: bool = False  # a registration access token shown at another client's URL dies
    tokens_survive_client: bool = True

    # Client authentication (RFC 6749 2.3.1)
    basic_decoding: Literal["percent", "raw"] = "percent"
    only_registered_auth_method: bool = False
    wrong_client: Literal["401", "403_empty"] = "401"
    no_credentials: Literal["400", "401", "403_empty"] = "401"
    challenge: str = 'Basic realm="fake"'

    # Tokens (RFC 6749, 8707, 9068)
    token_format: Literal["opaque", "jwt"] = "opaque"
    token_type: str = "Bearer"
    grant_error: str = "unauthorized_client"  # a grant type that the client was not registered for
    empty_request_errors: bool = False  # 400 without a body for a bad grant_type or a missing token
    token_seconds: int = 600
    client_id_claim: str = "client_id"
    machine_sub: bool = True  # sub = client_id in a JWT of client_credentials
    password_grant: bool = True
    pkce_required: bool = False
    rotate_refresh_tokens: bool = False
    unknown_scope: Literal["dropped", "refused", "granted"] = "refused"
    foreign_scope: Literal["dropped", "refused", "granted"] = "refused"  # known, but not the client's
    nothing_left: Literal["granted_empty", "refused"] = "granted_empty"  # every asked scope was dropped
    scope_error: str = "invalid_scope"
    no_scope: Literal["none", "client_default", "all", "403_empty"] = "client_default"
    scope_in_answer: Literal["always", "when_not_empty", "never"] = "always"
    resource: Literal["ignored", "listed", "https_only", "any"] = "any"
    several_resources: bool = False
    audience_without_resource: Literal["none", "scopes", "issuer"] = "none"

    # Introspection (RFC 7662) and revocation (RFC 7009)
    introspection: bool = True
    introspection_auth: frozenset[str] = frozenset({"basic", "post"})  # and "bearer"
    introspection_refusal: Literal["401", "401_empty", "403_empty"] = "401"
    introspects_jwt: bool = True
    introspects_foreign: bool = False  # any client sees any token; otherwise its own, and the gateway's client all
    introspection_sub: bool = False  # sub for a machine's token
    introspection_omits: frozenset[str] = frozenset()
    revocation: bool = True
    revokes_jwt: bool = True
    revokes_foreign: Literal["refused", "ignored", "done"] = "refused"


OIDC_PROVIDER = Quirks(
    redirect_uris="for_code",
    unknown_metadata="dropped",
    kept_extra_metadata=frozenset({"archway_marker"}),
    registration_scope="unknown_refused",
    rotate_registration_access_token=True,
    foreign_token_destroys_it=True,
    no_credentials="400",
    grant_error="invalid_request",
    unknown_scope="dropped",
    no_scope="none",
    scope_in_answer="when_not_empty",
    resource="listed",
    introspects_jwt=False,
    revokes_jwt=False,
    password_grant=False,
    discovery_omits=frozenset(
        {"introspection_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported"}
    ),
)

GLEWLWYD = Quirks(
    rfc8414_discovery=False,
    register_status=200,
    initial_token="client_credentials",
    redirect_uris="non_empty",
    unknown_metadata="echoed",
    registration_scope="fixed",
    response_types_become=("code",),
    secret_needs_auth_method=True,
    delete_status=200,
    new_secret_on_update=True,
    odd_read=True,
    update_answers_metadata_only=True,
    management_refusal="401_empty",
    basic_decoding="raw",
    only_registered_auth_method=True,
    wrong_client="403_empty",
    no_credentials="403_empty",
    token_format="jwt",
    token_type="bearer",
    empty_request_errors=True,
    unknown_scope="dropped",
    foreign_scope="dropped",
    nothing_left="refused",
    scope_error="scope_invalid",
    no_scope="403_empty",
    resource="https_only",
    audience_without_resource="scopes",
    introspection_auth=frozenset({"basic", "bearer"}),
    introspection_refusal="401_empty",
    introspects_foreign=True,
    introspection_omits=frozenset({"iss"}),
    revokes_foreign="done",
)

LEMONLDAP = Quirks(
    rfc8414_discovery=False,
    html_for_unknown_paths=True,
    html_registration_errors=True,
    initial_token="none",
    management=False,
    unknown_scope="granted",
    foreign_scope="granted",
    resource="ignored",
    introspects_foreign=True,
    introspection_sub=True,
    revocation=False,
    no_credentials="400",
)

TOOLKIT = Quirks(
    rotate_registration_access_token=True,
    unknown_metadata="dropped",
    registration_scope="ignored",
    secret_in_read=False,
    secret_in_update=False,
    update_refuses_echo=False,
    tokens_survive_client=False,
    no_scope="all",
    challenge='Bearer realm="api"',
    introspection_auth=frozenset({"basic", "post", "bearer"}),
    introspection_refusal="403_empty",
    introspects_foreign=True,
    introspection_omits=frozenset({"iss", "iat", "jti", "token_type"}),
    revokes_foreign="ignored",
    several_resources=True,
)

ALLAUTH = Quirks(
    rfc8414_discovery=False,
    redirect_uris="non_empty",
    management=False,
    awkward_secrets=True,
    basic_decoding="raw",
    revokes_foreign="done",
)
