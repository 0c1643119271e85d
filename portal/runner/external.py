"""The demo's second key manager: a real oidc-provider, added through the same service as any other."""

from accounts.actor import actor_of
from accounts.models import User
from keymanager.models import KeyManager
from keymanager.services.key_managers import create_key_manager

EXTERNAL_SLUG = "oidc-provider"
# Of a throw-away server on loopback.
EXTERNAL_REGISTRATION_TOKEN = "demo-initial-access-token"  # noqa: S105
EXTERNAL_GATEWAY_SECRET = "demo-gateway-secret"  # noqa: S105


def add_external_key_manager(issuer: str) -> None:
    """Make the row when it is missing."""
    if KeyManager.objects.filter(slug=EXTERNAL_SLUG).exists():
        return
    create_key_manager(
        actor=actor_of(User.objects.get(username="admin")),
        slug=EXTERNAL_SLUG,
        name="oidc-provider",
        adapter="rfc",
        config={
            "preset": "oidc-provider",
            "issuer": issuer,
            "initial_access_token": EXTERNAL_REGISTRATION_TOKEN,
            "introspection_client_id": "gateway",
            "introspection_client_secret": EXTERNAL_GATEWAY_SECRET,
            "keeps_unknown_metadata": True,
        },
    )
