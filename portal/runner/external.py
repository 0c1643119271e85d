"""The demo's second key manager: a real server, added through the same service as any other."""

import json
from pathlib import Path
from typing import Any

from accounts.actor import actor_of
from accounts.models import User
from keymanager.models import KeyManager
from keymanager.services.key_managers import create_key_manager, update_key_manager

EXTERNAL_SLUG = "oidc-provider"
KEYCLOAK_SLUG = "keycloak"
EXTERNALS = (EXTERNAL_SLUG, KEYCLOAK_SLUG, "glewlwyd", "mitreid", "openam")
# Of a throw-away server on loopback.
EXTERNAL_REGISTRATION_TOKEN = "demo-initial-access-token"  # noqa: S105
EXTERNAL_GATEWAY_SECRET = "demo-gateway-secret"  # noqa: S105


def add_external_key_manager(slug: str, issuer: str, description: Path | None) -> None:
    """Make the row, or give it the settings that a server which began anew has now.

    ``description``: what ``tests.servers.run_idp`` wrote; without it, an oidc-provider with the secrets of the demo.
    """
    actor = actor_of(User.objects.get(username="admin"))
    demo: dict[str, Any] = {"adapter": "rfc", "config": _oidc_provider(issuer)}
    told = json.loads(description.read_text()) if description else demo
    known = KeyManager.objects.filter(slug=slug).first()
    if known is None:
        create_key_manager(actor=actor, slug=slug, name=slug, adapter=told["adapter"], config=told["config"])
    elif description:
        update_key_manager(actor=actor, key_manager=known, config=told["config"])


def _oidc_provider(issuer: str) -> dict[str, Any]:
    return {
        "preset": "oidc-provider",
        "issuer": issuer,
        "initial_access_token": EXTERNAL_REGISTRATION_TOKEN,
        "introspection_client_id": "gateway",
        "introspection_client_secret": EXTERNAL_GATEWAY_SECRET,
        "keeps_unknown_metadata": True,
    }
