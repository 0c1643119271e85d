"""The demo's second key manager: a real server, added through the same service as any other."""

from typing import Any

from accounts.actor import actor_of
from accounts.models import User
from keymanager.models import KeyManager
from keymanager.services.key_managers import create_key_manager

EXTERNAL_SLUG = "oidc-provider"
KEYCLOAK_SLUG = "keycloak"
EXTERNALS = (EXTERNAL_SLUG, KEYCLOAK_SLUG)
# Of a throw-away server on loopback.
EXTERNAL_REGISTRATION_TOKEN = "demo-initial-access-token"  # noqa: S105
EXTERNAL_GATEWAY_SECRET = "demo-gateway-secret"  # noqa: S105
_KEYCLOAK_SECRET = "archway-km-secret"  # noqa: S105 - as its realm file says


def add_external_key_manager(slug: str, issuer: str) -> None:
    """Make the row when it is missing."""
    if KeyManager.objects.filter(slug=slug).exists():
        return
    create_key_manager(
        actor=actor_of(User.objects.get(username="admin")),
        slug=slug,
        name="Keycloak" if slug == KEYCLOAK_SLUG else slug,
        adapter="keycloak" if slug == KEYCLOAK_SLUG else "rfc",
        config=_keycloak(issuer) if slug == KEYCLOAK_SLUG else _oidc_provider(issuer),
    )


def _oidc_provider(issuer: str) -> dict[str, Any]:
    return {
        "preset": "oidc-provider",
        "issuer": issuer,
        "initial_access_token": EXTERNAL_REGISTRATION_TOKEN,
        "introspection_client_id": "gateway",
        "introspection_client_secret": EXTERNAL_GATEWAY_SECRET,
        "keeps_unknown_metadata": True,
    }


def _keycloak(issuer: str) -> dict[str, Any]:
    return {"issuer": issuer, "client_id": "archway-km", "client_secret": _KEYCLOAK_SECRET}
