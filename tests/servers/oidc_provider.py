"""A real npm oidc-provider 9, as a key manager that is not ours. ``start`` also serves the demo.

What it does: RFC 8414 and OIDC discovery, RFC 7591 with a fixed initial access token, RFC 7592, client_credentials,
authorization_code with PKCE, refresh_token (for the scope ``offline_access``), RFC 7662 (the client ``gateway`` sees
every token, any other client its own), RFC 7009, RFC 8707 for the listed resources. It keeps the metadata
``archway_marker`` with each client. People sign in with any name on its development page: see ``sign_in``.

Its scopes are one fixed list. A scope that a portal publishes later is unknown to it: registering a client that asks
for one is refused (400), and a token request drops it without a word. So name every scope that will be used in
``scopes``; there is no call that adds one to a running server.

JWT access tokens: oidc-provider makes them for resource servers only, so in that mode the first resource is the
default one and also the ``aud`` of a token that was asked without ``resource``. It then neither introspects nor
revokes them (400 unsupported_token_type). Opaque tokens carry an ``aud`` only when ``resource`` was asked.

Introspecting a live opaque token that a person was given through a client which has been deleted since is a 500 (the
library looks the client up and does not find it); a machine's token of a deleted client introspects as active.
"""

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.servers.form_browser import FormBrowser
from tests.servers.install import node_program
from tests.servers.layout import NODE_MODULES, NODE_PACKAGE, CannotInstall
from tests.servers.process import ServerDidNotStart, ServerProcess
from tests.servers.readiness import answers

DEFAULT_SCOPES = (
    *("openid", "offline_access", "read", "write", "museum:read", "museum:write"),
    *("events:read", "events:write", "tickets:read", "tickets:write"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProviderOptions:
    """How one oidc-provider behaves.

    ``rotate_registration_access_tokens``: an update (PUT) answers with a new one and the old one is dead at once.
    ``resources``: identifiers (URL or URN) accepted as ``resource``; each one knows all of ``scopes``.
    ``token_seconds``: lifetime of access tokens. ``clients_file``: keeps clients through a restart; "" keeps none.
    ``people``: claims of persons by subject; with any, there are the scopes ``profile`` and ``email`` to ask for them.
    """

    token_format: Literal["opaque", "jwt"] = "opaque"
    rotate_registration_access_tokens: bool = True
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    resources: tuple[str, ...] = ("urn:archway:apis", "https://apis.example.org/")
    initial_access_token: str = "initial-access-token"
    gateway_client_id: str = "gateway"
    gateway_client_secret: str = "gateway-secret"
    extra_client_metadata: tuple[str, ...] = ("archway_marker",)
    token_seconds: int = 600
    clients_file: str = ""
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class OidcProviderServer(ServerProcess):
    """A running oidc-provider; everything a key manager's configuration needs is an attribute or in ``options``."""

    def __init__(self, *, port: int, options: OidcProviderOptions, home: Path | None) -> None:
        super().__init__("oidc-provider", port=port, home=home)
        self.options = options
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.discovery_url = f"{self.issuer}/.well-known/openid-configuration"
        self.registration_endpoint = f"{self.issuer}/reg"
        self.token_endpoint = f"{self.issuer}/token"
        self.introspection_endpoint = f"{self.issuer}/token/introspection"
        self.revocation_endpoint = f"{self.issuer}/token/revocation"
        self.jwks_uri = f"{self.issuer}/jwks"
        self.authorization_endpoint = f"{self.issuer}/auth"


def start(*, port: int = 0, options: OidcProviderOptions | None = None, home: Path | None = None) -> OidcProviderServer:
    """Starts an oidc-provider on ``port`` (0: a free one) and returns when its discovery document is served.

    Raises ``ServerDidNotStart`` when it is not installed or does not come up. ``home`` keeps ``server.log``.
    """
    try:
        node = node_program()
    except CannotInstall as exc:
        raise ServerDidNotStart(str(exc)) from exc
    if not (NODE_MODULES / "oidc-provider").is_dir():
        raise ServerDidNotStart("oidc-provider is not installed: run `python -m tests.servers.install oidc-provider`")
    chosen = options or OidcProviderOptions()
    server = OidcProviderServer(port=port, options=chosen, home=home)
    environment = {
        "PORT": str(server.port),
        "ISSUER": server.issuer,
        "OIDC_PROVIDER_MODULES": str(NODE_MODULES),
        "TOKEN_FORMAT": chosen.token_format,
        "RAT_ROTATION": "on" if chosen.rotate_registration_access_tokens else "off",
        "SCOPES": " ".join(chosen.scopes),
        "RESOURCES": " ".join(chosen.resources),
        "INITIAL_ACCESS_TOKEN": chosen.initial_access_token,
        "GATEWAY_CLIENT_ID": chosen.gateway_client_id,
        "GATEWAY_CLIENT_SECRET": chosen.gateway_client_secret,
        "EXTRA_CLIENT_METADATA": " ".join(chosen.extra_client_metadata),
        "TOKEN_SECONDS": str(chosen.token_seconds),
        "CLIENTS_FILE": chosen.clients_file,
        "PEOPLE": json.dumps(chosen.people),
    }
    server.start(
        [node, NODE_PACKAGE / "server.mjs"], ready=lambda: answers(server.discovery_url), environment=environment
    )
    return server


def sign_in(authorization_url: str, *, username: str = "alice", stop_at: str) -> str:
    """Signs a person in and consents, as a browser does; returns the redirect URL that starts with ``stop_at``.

    ``authorization_url``: a whole RFC 6749 4.1.1 request. ``stop_at``: the client's ``redirect_uri``, which is not
    called. Raises ``RuntimeError`` with the page when the server shows an error.
    """
    browser = FormBrowser(stop_at)
    page = browser.open(authorization_url)
    while browser.arrived is None:
        form = re.search(r'<form[^>]* action="([^"]+)"[^>]*>\s*<input type="hidden" name="prompt" value="(\w+)"', page)
        if form is None:
            raise RuntimeError(f"no form to submit on the page:\n{re.sub(r'<style.*?</style>', '', page, flags=re.S)}")
        fields = {"prompt": form.group(2), "login": username, "password": "any"}
        page = browser.open(form.group(1), urllib.parse.urlencode(fields).encode())
    return browser.arrived
