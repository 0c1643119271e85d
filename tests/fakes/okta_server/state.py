"""What an Okta organisation remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.okta_server.errors import invalid, missing
from tests.fakes.vendor_server import random_id

METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


@dataclass(slots=True, kw_only=True)
class Secret:
    """One secret of an application."""

    id: str
    value: str
    created: float
    status: str = "ACTIVE"


@dataclass(slots=True, kw_only=True)
class App:
    """One application: the Apps API and dynamic registration are two views of it."""

    id: str
    client_id: str
    label: str
    created: float
    oauth: dict[str, Any]  # settings.oauthClient, which dynamic registration shows flat
    credentials: dict[str, Any]  # credentials.oauthClient without id and secret
    rest: dict[str, Any] = field(default_factory=dict)  # everything else of the Apps API
    status: str = "ACTIVE"
    secrets: list[Secret] = field(default_factory=list)

    @property
    def auth_method(self) -> str:
        """How it authenticates."""
        return str(self.credentials.get("token_endpoint_auth_method", "client_secret_basic"))

    @property
    def good_secrets(self) -> list[str]:
        """Values that authenticate now."""
        return [secret.value for secret in self.secrets if secret.status == "ACTIVE"]


@dataclass(slots=True, kw_only=True)
class Token:
    """One access token."""

    value: str
    client_id: str
    claims: dict[str, Any]
    active: bool = True


@dataclass(slots=True, kw_only=True)
class State:
    """Applications, scopes, policies with their rules, and tokens."""

    clock: Callable[[], float]
    apps: dict[str, App] = field(default_factory=dict)
    scopes: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)

    def app(self, name: str) -> App:
        """By application id or client id; 404 otherwise."""
        for app in self.apps.values():
            if name in (app.id, app.client_id):
                return app
        raise missing(name, "AppInstance")

    def add_app(self, app: App) -> App:
        """Keep a new application, its first secret made where it needs one."""
        self.apps[app.id] = app
        if app.auth_method in METHODS and not app.secrets:
            self.add_secret(app, random_id(64))
        return app

    def add_secret(self, app: App, value: str, status: str = "ACTIVE") -> Secret:
        """A third secret is refused, and so is one that is too short or long."""
        if len(app.secrets) >= 2:
            raise invalid("client_secret", "You've reached the maximum number of client secrets per client.")
        if not 14 <= len(value) <= 100:
            raise invalid("client_secret", "client_secret: The length must be between 14 and 100 characters.")
        # Time stands still in a fast test; the order must not.
        created = max([self.clock(), *(secret.created + 0.001 for secret in app.secrets)])
        secret = Secret(id=f"ocs{random_id(17)}", value=value, created=created, status=status)
        app.secrets.append(secret)
        return secret

    def check_client(self, label: str, oauth: dict[str, Any], but: App | None) -> None:
        """What Okta refuses whatever the interface; raises the summary as ``ValueError``."""
        if not label:
            raise ValueError("label: The field cannot be left blank")
        twins = [app for app in self.apps.values() if app is not but and app.label == label and app.status == "ACTIVE"]
        if twins:
            raise ValueError(
                f'label: An active OpenID Connect Client instance with the label "{label}" already exists.'
            )
        kind, grants = oauth.get("application_type", "web"), set(oauth.get("grant_types") or ())
        if kind == "service" and not grants <= {
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        }:
            raise ValueError("grant_types: Service clients only support the client_credentials grant.")
        if kind in ("web", "native") and not grants & {"authorization_code", "implicit", "password"}:
            raise ValueError(f"grant_types: 'authorization_code' is needed for a {kind} client.")
        if kind == "service" and oauth.get("response_types") != ["token"]:
            raise ValueError("response_types: Service clients need the response type 'token'.")
        if "authorization_code" in grants and not oauth.get("redirect_uris"):
            raise ValueError("redirect_uris: 'authorization_code' needs a redirect URI.")
        if but is not None and but.oauth.get("application_type") != kind:
            raise ValueError("application_type: The application type cannot be changed.")


def stamp(seconds: float) -> str:
    """A time as Okta writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
