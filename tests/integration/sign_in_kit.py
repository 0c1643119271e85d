"""What the tests of signing in elsewhere share."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from pytest_django.fixtures import Settings

PORTAL = "http://testserver"
ROLES = ["group:api-developers=api_developer", "group:app-developers=app_developer"]
KEYCLOAK_ROLES = [*ROLES, "role:portal-administrator=administrator", "role:portal-publisher=publisher"]


def use_provider(settings: Settings, *, issuer: str, client_id: str, client_secret: str, **more: Any) -> None:
    """Have the portal's people sign in at ``issuer``."""
    values = {
        "ARCHWAY_PUBLIC_URL": PORTAL,
        "ARCHWAY_OIDC_ISSUER": issuer,
        "ARCHWAY_OIDC_LABEL": "Example company",
        "ARCHWAY_OIDC_CLIENT_ID": client_id,
        "ARCHWAY_OIDC_CLIENT_SECRET": client_secret,
        "ARCHWAY_SIGN_IN_ROLES": KEYCLOAK_ROLES,
        "ARCHWAY_SIGN_IN_TEAMS": ["group:museum=Museum"],
        **more,
    }
    for name, value in values.items():
        setattr(settings, name, value)


def begin(browser: Client, *, to: str = "/account/") -> str:
    """Press the button; where the browser is sent."""
    answer = browser.get("/sign-in/openid/", {"next": to})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def come_back(browser: Client, arrived: str) -> Any:
    """Follow the provider's redirect to the portal."""
    parts = urlsplit(arrived)
    return browser.get(f"{parts.path}?{parts.query}")
