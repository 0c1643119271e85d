"""What the front door says about itself: RFC 8414 metadata, and the keys of the backend JWT."""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from common.errors import InputError
from keymanager.front_door.answers import endpoint
from keymanager.models import KeyManager
from keymanager.registrations.rules import GRANT_TYPES
from keymanager.services.offered_grants import offered_grant_types
from keymanager.validation.signing import public_jwks

_CACHE = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
_SECRET_METHODS = ["client_secret_basic", "client_secret_post"]


@endpoint("GET", "HEAD")
def authorization_server_metadata(request: HttpRequest) -> HttpResponse:
    """RFC 8414. The tokens' own ``iss`` is the key manager's: this issuer names the front door only."""
    base = settings.ARCHWAY_PUBLIC_URL
    body = {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "registration_endpoint": f"{base}/register",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": _offered_somewhere(),
        "token_endpoint_auth_methods_supported": [*_SECRET_METHODS, "none"],
        "revocation_endpoint_auth_methods_supported": [*_SECRET_METHODS, "none"],
        "introspection_endpoint_auth_methods_supported": _SECRET_METHODS,
        "code_challenge_methods_supported": ["S256"],
        "service_documentation": f"{base}/api/v1/docs/",
    }
    return JsonResponse(body, headers=_CACHE)


def _offered_somewhere() -> list[str]:
    """What at least one key manager offers: a grant type that all refuse is not supported here."""
    offered: set[str] = set()
    for key_manager in KeyManager.objects.filter(enabled=True):
        # One whose stored configuration does not fit its adapter gives no tokens either.
        with suppress(InputError):
            offered |= offered_grant_types(key_manager)
    return [name for name in GRANT_TYPES if name in offered]


@endpoint("GET", "HEAD")
def jwks(request: HttpRequest) -> HttpResponse:
    """RFC 7517: the public keys that sign the backend JWT."""
    return JsonResponse(dict(public_jwks()), headers=_CACHE)
