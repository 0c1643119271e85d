"""What the gateway is asked to serve: plain values, made from published API versions by the caller."""

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from common.errors import ConfigurationError

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?", re.ASCII)
_BASE: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*", re.ASCII)
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+){2,}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A backend: ``http(s)://host[:port][/base]``; the other fields are its parts. Else ``ConfigurationError``."""

    url: str
    secure: bool = field(init=False)
    host: str = field(init=False)
    port: int = field(init=False)
    base: str = field(init=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as exc:
            raise ConfigurationError("An upstream's URL is not a URL.") from exc
        host = parts.hostname or ""
        base = parts.path.rstrip("/")
        readable = (
            parts.scheme in {"http", "https"}
            and (_HOST.fullmatch(host) or is_ip_address(host))
            and port != 0
            and _BASE.fullmatch(base)
            and not (parts.username or parts.password or parts.query or parts.fragment)
        )
        if not readable:
            raise ConfigurationError("An upstream's URL must be http(s)://host[:port][/base], without credentials.")
        secure = parts.scheme == "https"
        for name, value in (
            ("secure", secure),
            ("host", host),
            ("port", port or (443 if secure else 80)),
            ("base", base),
        ):
            object.__setattr__(self, name, value)

    @property
    def authority(self) -> str:
        """The Host header (RFC 9110 section 7.2): the port stands there unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: upstreams with the same origin share connections."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayApi:
    """One published API version.

    ``id``: its UUID, as text. ``prefix``: ``context/version``, such as ``/museum/1.0.0``. An environment without an
    upstream is refused at the gateway. ``forward_token``: False removes ``Authorization`` before the backend.
    """

    id: str
    prefix: str
    production: Upstream | None
    sandbox: Upstream | None
    forward_token: bool = False
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        segments = self.prefix.split("/")
        if not _PREFIX.fullmatch(self.prefix) or "." in segments or ".." in segments:
            raise ConfigurationError(f"The gateway cannot serve the path prefix {self.prefix!r}.")
        if not 0 < self.timeout_seconds <= 3600:
            raise ConfigurationError("An API's timeout must be between 0 and 3600 seconds.")


def default_ca_file() -> str:
    """The machine's bundle of trusted certificate authorities, or "" when there is none."""
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if candidate and Path(candidate).is_file():
            return candidate
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """How the gateway runs.

    ``portal_url``: the portal's address, for the ``type`` of the gateway's own problem documents.
    ``validator_socket``: a Unix socket of the validator on this machine, instead of host and port.
    ``validator_timeout_ms``: longer means 503. ``validator_headers``: the caller's headers that the validator may
    read besides ``Authorization``; never ``Transfer-Encoding``, ``Content-Length`` or ``Connection``.
    ``cors_origins``: origins (``https://portal.example``) whose pages may call the APIs.
    ``trusted_proxies``: number of proxies in front whose ``X-Forwarded-For`` entry is believed.
    ``access_log``: file, or ``None`` for no access log. ``workers``: Envoy's threads, 0 for one per core.
    """

    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    validator_host: str = "127.0.0.1"
    validator_port: int = 8010
    validator_socket: str = ""
    validator_timeout_ms: int = 2000
    validator_headers: tuple[str, ...] = ("x-request-id", "traceparent")
    portal_url: str = ""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    access_log: Path | None = None
    ca_file: str = field(default_factory=default_ca_file)
    workers: int = 0
    max_connections: int = 10_000
    idle_seconds: int = 120

    def __post_init__(self) -> None:
        if any(origin == "*" or origin.count("/") != 2 for origin in self.cors_origins):
            raise ConfigurationError("A CORS origin is scheme://host[:port]; '*' is not accepted.")
        framing = {"transfer-encoding", "content-length", "connection", "host", "upgrade"}
        if framing & {name.lower() for name in self.validator_headers}:
            raise ConfigurationError("Headers that frame a message cannot be sent to the validator.")


def is_ip_address(host: str) -> bool:
    """Whether the host is an IPv4 or IPv6 address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
