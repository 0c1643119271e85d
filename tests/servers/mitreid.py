"""A real MITREid Connect 1.3.4 on Tomcat 9: RFC 7591 and 7592 for clients and for protected resources.

It comes from Maven Central, keeps everything in memory and starts with the clients and people of ``MitreidOptions``.
The unpacked application is shared by all runs; the issuer and the log settings of a run are system properties.
Registration is open to all. Only a client with the right to introspect may do so, and it sees of each token the
scopes that it has itself. The administration API (``admin_url``) wants the session of a person with that role.
"""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers import tomcat
from tests.servers.layout import INSTALLED
from tests.servers.maven import Artifact, fetch
from tests.servers.process import ServerDidNotStart, ServerProcess
from tests.servers.readiness import answers

VERSION = "1.3.4"
FOLDER = INSTALLED / "mitreid" / VERSION
TOMCAT = FOLDER / "tomcat"
WEBAPP = FOLDER / "webapp"
STAMP = FOLDER / "installed"
START_SECONDS = 180.0

_WEBAPP = Artifact(
    group="org.mitre",
    name="openid-connect-server-webapp",
    version=VERSION,
    packaging="war",
    sha256="0866e3b32b6b539f3c17ace1bfddd8d0be1f7ebd61968f696cf9ce8faeea8fbb",
)
_TOMCAT = Artifact(
    group="org.apache.tomcat",
    name="tomcat",
    version="9.0.89",
    packaging="tar.gz",
    sha256="cb8aed230aa2f15cc5c2439b044dd88d6ec8900e46d81ee63c4d1090c0937e32",
)
# Java had these in it until version 8, for which this server was written.
_FROM_OLDER_JAVA = (
    Artifact(
        group="javax.xml.bind",
        name="jaxb-api",
        version="2.3.1",
        sha256="88b955a0df57880a26a74708bc34f74dcaf8ebf4e78843a28b50eae945732b06",
    ),
    Artifact(
        group="com.sun.xml.bind",
        name="jaxb-core",
        version="2.3.0.1",
        sha256="d2ecba63615f317a11fb55c6468f6a9480f6411c10951d9881bafd9a9a8d0467",
    ),
    Artifact(
        group="com.sun.xml.bind",
        name="jaxb-impl",
        version="2.3.1",
        sha256="e6c9e0f1830fd5f7c30c25ecf5e2046c5668b06d304add89d2f027d5072297d0",
    ),
    Artifact(
        group="javax.activation",
        name="javax.activation-api",
        version="1.2.0",
        sha256="43fdef0b5b6ceb31b0424b208b930c74ab58fac2ceeb7b3f6fd3aeb8b5ca4393",
    ),
    Artifact(
        group="javax.annotation",
        name="javax.annotation-api",
        version="1.3.2",
        sha256="e04ba5195bcd555dc95650f7cc614d151e4bcd52d29a10b8aa2197f3ab89ab9b",
    ),
)
_PACKED_ISSUER = "http://localhost:8080/openid-connect-server-webapp/"
_OPTIONS = (
    "-Xmx512m",
    *("-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Djava.security.egd=file:/dev/urandom"),
    *("--add-opens", "java.base/java.lang=ALL-UNNAMED", "--add-opens", "java.base/java.util=ALL-UNNAMED"),
)
_UTF8 = """<filter><filter-name>utf8</filter-name>
<filter-class>org.springframework.web.filter.CharacterEncodingFilter</filter-class>
<init-param><param-name>encoding</param-name><param-value>UTF-8</param-value></init-param>
<init-param><param-name>forceEncoding</param-name><param-value>true</param-value></init-param></filter>
<filter-mapping><filter-name>utf8</filter-name><url-pattern>/*</url-pattern></filter-mapping>
"""
_JARS_WITH_TAGS = ("jstl-*.jar", "spring-webmvc-*.jar", "spring-security-taglibs-*.jar")


@dataclass(frozen=True, slots=True, kw_only=True)
class MitreidOptions:
    """What is there from the start: the names and secrets of the packed data.

    ``utf8``: Tomcat is told to answer in UTF-8; without that this server answers JSON in Latin-1.
    """

    gateway_client_id: str = "client"
    gateway_client_secret: str = "secret"
    admin_user: str = "admin"
    admin_password: str = "password"
    utf8: bool = True


class MitreidServer(ServerProcess):
    """A running MITREid Connect; the issuer ends with a slash."""

    def __init__(self, *, port: int, options: MitreidOptions, home: Path | None) -> None:
        super().__init__("mitreid", port=port, home=home)
        self.options = options
        base = f"http://127.0.0.1:{self.port}/oidc"
        self.issuer = f"{base}/"
        self.admin_url = base
        self.discovery_url = f"{base}/.well-known/openid-configuration"
        self.registration_endpoint = f"{base}/register"
        self.resource_endpoint = f"{base}/resource"
        self.token_endpoint = f"{base}/token"
        self.introspection_endpoint = f"{base}/introspect"
        self.revocation_endpoint = f"{base}/revoke"
        self.jwks_uri = f"{base}/jwk"


def install() -> None:
    """Fetches and unpacks what is not there yet. Raises ``CannotInstall``."""
    artifacts = (_WEBAPP, _TOMCAT, *_FROM_OLDER_JAVA)
    wanted = "\n".join(artifact.sha256 for artifact in artifacts)
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    files = [fetch(artifact) for artifact in artifacts]
    shutil.rmtree(WEBAPP, ignore_errors=True)
    with zipfile.ZipFile(files[0]) as packed:
        packed.extractall(WEBAPP)
    for jar in files[2:]:
        shutil.copy(jar, WEBAPP / "WEB-INF" / "lib")
    _replace(WEBAPP / "WEB-INF" / "server-config.xml", _PACKED_ISSUER, "#{systemProperties['mitreid.issuer']}")
    # One log line per SQL statement costs more than the statement.
    _replace(WEBAPP / "WEB-INF" / "data-context.xml", '"showSql" value="true"', '"showSql" value="false"')
    tomcat.unpack(files[1], TOMCAT)
    STAMP.write_text(wanted)


def start(*, port: int = 0, options: MitreidOptions | None = None, home: Path | None = None) -> MitreidServer:
    """Starts a MITREid Connect on ``port`` (0: a free one); returns when its discovery document is served.

    Raises ``ServerDidNotStart`` when it is not installed or does not come up.
    """
    if not STAMP.exists():
        raise ServerDidNotStart("MITREid Connect is not installed: run `python -m tests.servers.install mitreid`")
    chosen = options or MitreidOptions()
    server = MitreidServer(port=port, options=chosen, home=home)
    tomcat.prepare(
        server.home, tomcat=TOMCAT, webapp=WEBAPP, path="/oidc", port=server.port, jars_to_scan=_JARS_WITH_TAGS
    )
    if chosen.utf8:
        _replace(server.home / "conf" / "web.xml", "</web-app>", f"{_UTF8}</web-app>")
    arguments = (*_OPTIONS, f"-Dmitreid.issuer={server.issuer}")
    command = tomcat.command(server.home, tomcat=TOMCAT, options=arguments)
    server.start(command, ready=lambda: answers(server.discovery_url), seconds=START_SECONDS)
    return server


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ServerDidNotStart(f"{path.name} is not as expected: it has no {old}")
    path.write_text(text.replace(old, new))
