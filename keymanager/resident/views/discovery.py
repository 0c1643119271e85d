"""Server metadata: OpenID Connect Discovery and RFC 8414, one document for both."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from keymanager.resident.answers import endpoint_view, json_answer
from keymanager.resident.catalogue import list_scopes
from keymanager.resident.client_metadata import supported_grants
from keymanager.resident.issuer import endpoint, issuer
from keymanager.resident.models import AUTH_METHODS, PUBLIC_AUTH_METHOD


def metadata() -> dict[str, Any]:
    """Everything that this server can do (RFC 8414 section 2)."""
    secret_methods = [method for method in AUTH_METHODS if method != PUBLIC_AUTH_METHOD]
    return {
        "issuer": issuer(),
        "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"),
        "registration_endpoint": endpoint("register"),
        "introspection_endpoint": endpoint("introspect"),
        "revocation_endpoint": endpoint("revoke"),
        "userinfo_endpoint": endpoint("userinfo"),
        "jwks_uri": endpoint("jwks"),
        "scopes_supported": [scope["key"] for scope in list_scopes()],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(supported_grants()),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "introspection_endpoint_auth_methods_supported": secret_methods,
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "preferred_username", "name", "email"],
        "prompt_values_supported": ["none", "login", "consent"],
    }


@endpoint_view("GET", "HEAD")
def server_metadata(request: HttpRequest) -> HttpResponse:
    """The metadata document."""
    response = json_answer(metadata())
    response["Cache-Control"] = "public, max-age=60"
    del response["Pragma"]
    return response
