"""A real OpenAM 16 on Tomcat 11, an open fork of ForgeRock AM, with its embedded directory.

The unpacked application is shared by all runs. Every run is set up anew: a folder that was set up before starts later
than an empty one, because the server waits a fixed minute for its directory, and holds its own path and host name.
``localhost`` is its name everywhere; issuer and URLs are made of it. The embedded directory is kept on loopback too,
but for one port: its set-up opens a random one for Java's remote calls on every address, which no setting prevents.

* ``amadmin`` is its administrator, and what Archway signs in as.
* ``archway-dcr`` is a client whose token is sent to register clients: registration is not open to all.
* There is a person ``demo``, password ``changeit``, as after any set-up.
"""

import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import tomcat
from tests.servers.layout import INSTALLED
from tests.servers.maven import Artifact, fetch
from tests.servers.process import ServerDidNotStart, ServerProcess, free_port

VERSION = "16.0.5"
FOLDER = INSTALLED / "openam" / VERSION
TOMCAT = FOLDER / "tomcat"
WEBAPP = FOLDER / "webapp"
STAMP = FOLDER / "installed"
START_SECONDS = 240.0
SET_UP_SECONDS = 400.0
ROOT_SUFFIX = "dc=openam,dc=example,dc=test"

_WEBAPP = Artifact(
    group="org.openidentityplatform.openam",
    name="openam-server",
    version=VERSION,
    packaging="war",
    sha256="4162ecc8c6bf10c256862795eb348d090b8fda4a5ebc9f4217e45c2650ef8316",
)
_TOMCAT = Artifact(
    group="org.apache.tomcat",
    name="tomcat",
    version="11.0.24",
    packaging="tar.gz",
    sha256="10efed90bf330114af66279e43dcf211ecfcf7b88e618757954ac88329600cba",
)
_OPTIONS = (
    *("-Xmx1g", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Djava.security.egd=file:/dev/urandom"),
    *("--add-exports", "java.base/sun.security.util=ALL-UNNAMED"),
    *("--add-exports", "java.security.jgss/sun.security.krb5=ALL-UNNAMED"),
    *("--add-exports", "java.base/sun.security.x509=ALL-UNNAMED"),
    *("--add-exports", "java.base/sun.security.tools.keytool=ALL-UNNAMED"),
    *("--add-exports", "java.xml/com.sun.org.apache.xerces.internal.dom=ALL-UNNAMED"),
)
_JARS_WITH_TAGS = ("jakarta.servlet.jsp.jstl-2*.jar", "esapi*.jar")
_DIRECTORY = WEBAPP / "WEB-INF" / "template" / "opendj" / "opendj.zip"
_DIRECTORY_SETTINGS = "template/config/config.ldif"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAmOptions:
    """How one OpenAM is set up. ``scopes``: what dynamic registration may give a client."""

    scopes: tuple[str, ...] = ("openid", "museum:read", "museum:write")
    admin_user: str = "amadmin"
    admin_password: str = "admin-password-1"
    dcr_client_id: str = "archway-dcr"
    dcr_client_secret: str = "archway-dcr-secret"
    token_seconds: int = 600


class OpenAmServer(ServerProcess):
    """A running OpenAM; ``base_url`` has no trailing slash."""

    def __init__(self, *, port: int, options: OpenAmOptions, home: Path | None) -> None:
        super().__init__("openam", port=port, home=home)
        self.options = options
        self.base_url = f"http://localhost:{self.port}/openam"
        self.issuer = f"{self.base_url}/oauth2"
        self.token_endpoint = f"{self.issuer}/access_token"
        self.registration_endpoint = f"{self.issuer}/connect/register"

    def session(self, user: str, password: str) -> str:
        """A new session of a person, by name and password."""
        headers = {
            "X-OpenAM-Username": user,
            "X-OpenAM-Password": password,
            "Accept-API-Version": "resource=2.0, protocol=1.0",
        }
        return str(call("POST", f"{self.base_url}/json/authenticate", {}, headers)["tokenId"])

    def administer(self, method: str, path: str, body: object = None) -> Any:
        """A call with every right below ``/json``. Raises ``urllib.error.HTTPError`` for any status from 400 up."""
        own = {
            "iPlanetDirectoryPro": self.session(self.options.admin_user, self.options.admin_password),
            "Accept-API-Version": "resource=1.0, protocol=1.0",
        }
        return call(method, f"{self.base_url}/json{path}", body, own)

    def make_tokens_stateless(self, stateless: bool) -> None:
        """From now on tokens are JWTs, or opaque again; those that were issued keep their form."""
        path = "/realm-config/services/oauth-oidc"
        provider = self.administer("GET", path)
        core = {**provider["coreOAuth2Config"], "statelessTokensEnabled": stateless}
        self.administer("PUT", path, {**provider, "coreOAuth2Config": core})


def install() -> None:
    """Fetches and unpacks what is not there yet. Raises ``CannotInstall``."""
    artifacts = (_WEBAPP, _TOMCAT)
    wanted = "\n".join(artifact.sha256 for artifact in artifacts)
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    files = [fetch(artifact) for artifact in artifacts]
    shutil.rmtree(WEBAPP, ignore_errors=True)
    with zipfile.ZipFile(files[0]) as packed:
        packed.extractall(WEBAPP)
    _keep_directory_on_loopback()
    tomcat.unpack(files[1], TOMCAT)
    STAMP.write_text(wanted)


def start(*, port: int = 0, options: OpenAmOptions | None = None, home: Path | None = None) -> OpenAmServer:
    """Starts and sets up an OpenAM on ``port`` (0: a free one); returns when it issues tokens, in about a minute.

    Raises ``ServerDidNotStart`` when it is not installed, does not come up or refuses its set-up.
    """
    if not STAMP.exists():
        raise ServerDidNotStart("OpenAM is not installed: run `python -m tests.servers.install openam`")
    server = OpenAmServer(port=port, options=options or OpenAmOptions(), home=home)
    configuration = server.home / "config"
    shutil.rmtree(configuration, ignore_errors=True)
    tomcat.prepare(
        server.home, tomcat=TOMCAT, webapp=WEBAPP, path="/openam", port=server.port, jars_to_scan=_JARS_WITH_TAGS
    )
    places = ("com.iplanet.services.configpath", "com.sun.identity.configuration.directory")
    java = (*_OPTIONS, *(f"-D{place}={configuration}" for place in places))
    command = tomcat.command(server.home, tomcat=TOMCAT, options=java)
    server.start(command, ready=lambda: _waits_for_set_up(server), seconds=START_SECONDS)
    try:
        _configure(server, configuration)
        _set_up(server)
    except urllib.error.HTTPError as exc:
        with exc:
            message = f"OpenAM refused its set-up: {exc.url} {exc.code} {exc.read()!r}\n{server.log_tail()}"
        server.stop()
        raise ServerDidNotStart(message) from exc
    except BaseException:
        server.stop()
        raise
    return server


def call(method: str, url: str, body: object, headers: Mapping[str, str]) -> Any:
    """One call with JSON both ways. Raises ``urllib.error.HTTPError`` for any status from 400 up."""
    request = urllib.request.Request(url, method=method, headers={**headers, "Content-Type": "application/json"})
    if body is not None:
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def _keep_directory_on_loopback() -> None:
    """The packed settings of the embedded directory listen on every address."""
    with zipfile.ZipFile(_DIRECTORY) as packed:
        parts = {entry: packed.read(entry) for entry in packed.infolist()}
    rewritten = _DIRECTORY.with_suffix(".new")
    with zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry, content in parts.items():
            packed.writestr(entry, _on_loopback(content) if entry.filename == _DIRECTORY_SETTINGS else content)
    rewritten.replace(_DIRECTORY)


def _on_loopback(settings: bytes) -> bytes:
    address = b"ds-cfg-listen-address: 127.0.0.1"
    settings = settings.replace(b"ds-cfg-listen-address: 0.0.0.0", address)
    return settings.replace(b"ds-cfg-listen-port: 1689", b"ds-cfg-listen-port: 1689\n" + address)


def _waits_for_set_up(server: OpenAmServer) -> bool:
    """It redirects everything to the page of its set-up."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(f"{server.base_url}/isAlive.jsp", timeout=5):
            return False
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code == 302
    except OSError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _configure(server: OpenAmServer, folder: Path) -> None:
    """Without a directory of its own there is no OpenAM: this call makes it."""
    password = server.options.admin_password
    form = {
        "SERVER_URL": f"http://localhost:{server.port}",
        "DEPLOYMENT_URI": "/openam",
        "acceptLicense": "true",
        "BASE_DIR": str(folder),
        "locale": "en_US",
        "PLATFORM_LOCALE": "en_US",
        "ADMIN_PWD": password,
        "ADMIN_CONFIRM_PWD": password,
        "AMLDAPUSERPASSWD": "directory-password-2",
        "AMLDAPUSERPASSWD_CONFIRM": "directory-password-2",
        "DATA_STORE": "embedded",
        "DIRECTORY_SSL": "SIMPLE",
        "DIRECTORY_SERVER": "localhost",
        **{f"DIRECTORY_{name}PORT": str(free_port()) for name in ("", "ADMIN_", "JMX_")},
        "ROOT_SUFFIX": ROOT_SUFFIX,
        "DS_DIRMGRDN": "cn=Directory Manager",
        "DS_DIRMGRPASSWD": "manager-password-3",
    }
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{server.base_url}/config/configurator", body, timeout=SET_UP_SECONDS) as answer:
        if b"Configuration complete" not in answer.read():
            raise ServerDidNotStart(f"OpenAM did not finish its set-up.\n{server.log_tail()}")


def _set_up(server: OpenAmServer) -> None:
    """The OAuth provider of the root realm, and the client for registering."""
    options = server.options
    provider = {
        "advancedOAuth2Config": {
            "supportedScopes": [*options.scopes, "default"],
            "defaultScopes": ["default"],
            "tokenSigningAlgorithm": "RS256",
        },
        "coreOAuth2Config": {
            "accessTokenLifetime": options.token_seconds,
            "statelessTokensEnabled": False,
        },
        "advancedOIDCConfig": {"allowDynamicRegistration": False, "generateRegistrationAccessTokens": True},
    }
    server.administer("POST", "/realm-config/services/oauth-oidc?_action=create", provider)
    client = {
        "_id": options.dcr_client_id,
        "userpassword": options.dcr_client_secret,
        "com.forgerock.openam.oauth2provider.clientType": "Confidential",
        "com.forgerock.openam.oauth2provider.scopes": ["[0]=default"],
        "com.forgerock.openam.oauth2provider.defaultScopes": ["[0]=default"],
    }
    server.administer("POST", "/realm-config/agents/OAuth2Client?_action=create", client)
