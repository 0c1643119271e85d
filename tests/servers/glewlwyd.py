"""A real Debian glewlwyd 2.7 as a key manager: JWT access tokens, and a dozen habits that are all its own.

Everything is set up by ``start``: schema, configuration file, an API key for the administration API, scopes, one
OpenID plugin, two static clients and a person. Base URL for adapters: ``issuer``; only the OpenID discovery path is
served. ``external_url`` in the configuration has no trailing slash: with one, every discovered URL has ``//``.

Registering: fetch a token as ``dcr_client_id`` (client_credentials, scope ``dcr``), send it as the initial access
token. Always send ``token_endpoint_auth_method``: without it the answer holds no client secret at all.
``gateway_client_id`` may introspect every token; so may any other client (that is how glewlwyd does it as soon as a
scope for introspection is configured; without one a client sees its own tokens only, others answer inactive).

Scopes over the administration API
----------------------------------
``admin_url`` is its root. Authentication: ``Authorization: token <admin_api_key>`` (a key never expires; a session
cookie from POST ``/auth/`` does after 10 minutes). Without, or with a wrong key: 401, empty body.

========================================= ===========================================================================
GET ``/scope/?limit=0``                   200, list of {name, display_name, description, password_required, ...};
                                          the default limit is 100; ``pattern`` filters by substring
GET ``/scope/{name}``                     200 with one of those; unknown: 404, empty body. ``%3A`` and ``:`` alike
POST ``/scope/``                          200, empty body. Body {name, display_name, description, password_required:
                                          false, scheme: {}}; only name is needed; a description of "" or null is
                                          refused, leave it out. There already: 400 {"error": ["scope already exists"]}.
                                          Any text is accepted as name, one with a space too
PUT ``/scope/{name}``                     200, empty body: a full replacement; unknown: 404
DELETE ``/scope/{name}``                  200, empty body; unknown: 404. Clients that have the scope keep it, and are
                                          still granted it
========================================= ===========================================================================

A new scope alone changes nothing: a client asking for it gets 400 ``scope_invalid``. To make it usable:

* by one client: GET ``/client/{client_id}``, append to its ``scope`` list, PUT the whole object to the same path
  (200). The PUT is a full replacement: a body without ``client_secret``, ``authorization_type`` and the rest removes
  them. Takes effect at once. Every RFC 7592 PUT puts the list back to the one that registration gives. Taking a
  scope away from a client is the same: deleting the scope does not do it.
* by clients registered from now on: GET ``/mod/plugin/oidc``, append to
  ``parameters["register-client-credentials-scope"]``, PUT it to the same path (200), then PUT
  ``/mod/plugin/oidc/reset`` (200): without the reset nothing changes.
"""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.process import ServerDidNotStart, ServerProcess, require_program
from tests.servers.readiness import answers

SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
MODULES = Path("/usr/lib/glewlwyd")
PLUGIN = "oidc"
INTROSPECTION_SCOPE = "introspect"
DEFAULT_SCOPES = ("read", "write", "museum:read", "museum:write")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlewlwydOptions:
    """How one glewlwyd is set up.

    ``scopes``: scopes that exist. ``client_scopes``: what every registered client gets, whatever it asked for.
    ``resource``: the one accepted RFC 8707 indicator. ``token_seconds``: lifetime of access tokens.
    """

    scopes: tuple[str, ...] = DEFAULT_SCOPES
    client_scopes: tuple[str, ...] = DEFAULT_SCOPES
    resource: str = "https://apis.example.org/"
    registration_scope: str = "dcr"
    dcr_client_id: str = "portal"
    dcr_client_secret: str = "portal-secret"
    gateway_client_id: str = "gateway"
    gateway_client_secret: str = "gateway-secret"
    username: str = "alice"
    password: str = "alice-password"
    token_seconds: int = 600


class GlewlwydServer(ServerProcess):
    """A running glewlwyd; ``admin_api_key`` is the key for its administration API at ``admin_url``."""

    def __init__(self, *, port: int, options: GlewlwydOptions, home: Path | None) -> None:
        super().__init__("glewlwyd", port=port, home=home)
        self.options = options
        self.base_url = f"http://localhost:{self.port}"
        self.admin_url = f"{self.base_url}/api"
        self.admin_api_key = ""
        self.issuer = f"{self.admin_url}/{PLUGIN}"
        self.discovery_url = f"{self.issuer}/.well-known/openid-configuration"
        self.registration_endpoint = f"{self.issuer}/register"
        self.token_endpoint = f"{self.issuer}/token"
        self.introspection_endpoint = f"{self.issuer}/introspect"
        self.revocation_endpoint = f"{self.issuer}/revoke"
        self.jwks_uri = f"{self.issuer}/jwks"

    def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of the administration API with the key: its parsed answer, ``None`` when that is empty.

        Raises ``urllib.error.HTTPError`` for any status from 400 up.
        """
        answer, _ = _call(self, method, path, body, {"Authorization": f"token {self.admin_api_key}"})
        return answer


def start(*, port: int = 0, options: GlewlwydOptions | None = None, home: Path | None = None) -> GlewlwydServer:
    """Starts and sets up a glewlwyd on ``port`` (0: a free one); returns when its discovery document is served.

    Raises ``ServerDidNotStart`` when it is not installed, does not come up or refuses its set-up.
    """
    program = require_program("glewlwyd")
    if not SCHEMA.exists():
        raise ServerDidNotStart(f"{SCHEMA} is missing: run `python -m tests.servers.install glewlwyd`")
    server = GlewlwydServer(port=port, options=options or GlewlwydOptions(), home=home)
    database = server.home / "glewlwyd.db"
    database.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    connection.executescript(f"PRAGMA synchronous=OFF; {SCHEMA.read_text()}")
    connection.close()
    configuration = server.home / "glewlwyd.conf"
    configuration.write_text(_configuration(server, database))
    server.start([program, f"--config-file={configuration}"], ready=lambda: answers(f"{server.base_url}/config"))
    try:
        _set_up(server)
        if not answers(server.discovery_url):
            raise ServerDidNotStart(f"{server.discovery_url} is not served.\n{server.log_tail()}")
    except urllib.error.HTTPError as exc:
        with exc:
            message = f"glewlwyd refused its set-up: {exc.url} {exc.code} {exc.read()!r}\n{server.log_tail()}"
        server.stop()
        raise ServerDidNotStart(message) from exc
    except BaseException:
        server.stop()
        raise
    return server


def _configuration(server: GlewlwydServer, database: Path) -> str:
    # use_secure_connection is left out on purpose: its mere presence, false too, makes this build want a certificate.
    return f"""
port={server.port}
bind_address="127.0.0.1"
external_url="{server.base_url}"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="INFO"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie,api_key"
profile_session_authentication="cookie"
login_api_enabled=true
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{MODULES}/user"
client_module_path="{MODULES}/client"
user_auth_scheme_module_path="{MODULES}/scheme"
plugin_module_path="{MODULES}/plugin"
hash_algorithm="SHA512"
database={{ type="sqlite3" path="{database}" }};
"""


def _set_up(server: GlewlwydServer) -> None:
    options = server.options
    _, cookie = _call(server, "POST", "/auth/", {"username": "admin", "password": "password"}, {})
    key, _ = _call(server, "POST", "/key/", {}, {"Cookie": cookie})
    server.admin_api_key = key["key"]
    for name in (options.registration_scope, INTROSPECTION_SCOPE, *options.scopes):
        body = {"name": name, "display_name": name, "password_required": False, "scheme": {}}
        server.admin("POST", "/scope/", body)
    plugin = {"module": "oidc", "name": PLUGIN, "display_name": "OpenID", "order_rank": 0, "readonly": False}
    server.admin("POST", "/mod/plugin/", {**plugin, "parameters": _plugin_parameters(server)})
    _add_client(server, options.gateway_client_id, options.gateway_client_secret, INTROSPECTION_SCOPE)
    _add_client(server, options.dcr_client_id, options.dcr_client_secret, options.registration_scope)
    person = {"username": options.username, "name": options.username, "password": options.password, "enabled": True}
    server.admin("POST", "/user/", {**person, "scope": ["openid", *options.scopes]})


def _add_client(server: GlewlwydServer, client_id: str, client_secret: str, scope: str) -> None:
    body = {
        "client_id": client_id,
        "client_secret": client_secret,
        "name": client_id,
        "confidential": True,
        "enabled": True,
        "scope": [scope],
        "authorization_type": ["client_credentials"],
        "token_endpoint_auth_method": ["client_secret_basic"],
        "redirect_uri": [],
    }
    server.admin("POST", "/client/", body)


def _plugin_parameters(server: GlewlwydServer) -> dict[str, Any]:
    options = server.options
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "iss": server.issuer,
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        "key": private.decode(),
        "cert": public.decode(),
        "jwks-show": True,
        "subject-type": "public",
        "access-token-duration": options.token_seconds,
        "refresh-token-duration": 86400,
        "code-duration": 600,
        "refresh-token-rolling": False,
        "allow-non-oidc": True,
        "auth-type-code-enabled": True,
        "auth-type-token-enabled": False,
        "auth-type-password-enabled": True,
        "auth-type-client-enabled": True,
        "auth-type-device-enabled": True,
        "auth-type-refresh-enabled": True,
        "pkce-allowed": True,
        "pkce-method-plain-allowed": False,
        "introspection-revocation-allowed": True,
        "introspection-revocation-allow-target-client": True,
        "introspection-revocation-auth-scope": [INTROSPECTION_SCOPE],
        "register-client-allowed": True,
        "register-client-auth-scope": [options.registration_scope],
        "register-client-credentials-scope": list(options.client_scopes),
        "register-client-management-allowed": True,
        "resource-allowed": True,
        "resource-scope": {scope: [options.resource] for scope in options.scopes},
        "resource-client-property": "",
        "resource-scope-and-client-property": False,
        "allowed-scope": ["openid"],
        "scope": [],
        "additional-parameters": [],
        "claims": [],
    }


def _call(
    server: GlewlwydServer, method: str, path: str, body: Mapping[str, Any] | None, headers: dict[str, str]
) -> tuple[Any, str]:
    request = urllib.request.Request(f"{server.admin_url}{path}", headers=headers, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
        cookie = answer.headers.get("Set-Cookie", "").split(";")[0]
        return (json.loads(text) if text else None), cookie
