"""What is missing in a server's description and what looks wrong: pure, each finding with a code to build on."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from keymanager.adapters.contract import ServerMetadata
from keymanager.adapters.description import Description
from keymanager.adapters.rfc.answers import texts_of
from keymanager.adapters.well_known import host_of

ENDPOINTS: Final = (
    "token_endpoint",
    "authorization_endpoint",
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)
# What the portal cannot do without that endpoint, where the adapter does not know it by itself.
_CONSEQUENCES: Final = {
    "token_endpoint": "no token can be issued",
    "registration_endpoint": "clients must be made by hand there, unless the adapter has a way of its own",
    "introspection_endpoint": "opaque tokens cannot be checked, unless the adapter has a way of its own",
    "revocation_endpoint": "tokens cannot be revoked there",
    "jwks_uri": "JWT access tokens cannot be checked here",
    "authorization_endpoint": "no authorization code grant",
}
_OUR_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post"})
_LOCAL_NAMES: Final = ("localhost", "local", "localdomain", "internal", "home.arpa")
_FEWEST_RSA_BITS: Final = 2048


class Level(StrEnum):
    """``missing``: not found. ``doubtful``: found, and it looks wrong. ``fatal``: no key manager can be made of it."""

    MISSING = "missing"
    DOUBTFUL = "doubtful"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``member``: the member of the document, or the setting, that it is about ("" for the whole)."""

    code: str
    level: Level
    message: str
    member: str = ""


def findings_of(description: Description, *, expected: str) -> Iterator[Finding]:
    """What can be said of the document alone. ``expected``: the issuer that was asked for, "" when none was."""
    found = description.metadata
    yield from _about_issuer(found, expected=expected)
    for name, text in _CONSEQUENCES.items():
        if not getattr(found, name):
            level = Level.FATAL if name == "token_endpoint" else Level.MISSING
            yield Finding(code=f"no_{name}", level=level, member=name, message=f"{name}: {text}.")
    for name in ENDPOINTS:
        if getattr(found, name):
            yield from _about_endpoint(found, name)
    yield from _about_methods(found)
    yield from _about_grants(found)


def _about_issuer(found: ServerMetadata, *, expected: str) -> Iterator[Finding]:
    if expected and found.issuer.rstrip("/") != expected.rstrip("/"):
        yield _doubt(
            "issuer_mismatch",
            "issuer",
            f"The document names the issuer {found.issuer}, but {expected} was asked (RFC 8414 section 3.3).",
        )
    if not found.issuer.startswith("https:"):
        yield _doubt("issuer_not_https", "issuer", "The issuer is not https: tokens can be read on their way.")
    yield from _about_host("issuer", found.issuer)


def _about_endpoint(found: ServerMetadata, name: str) -> Iterator[Finding]:
    url = str(getattr(found, name))
    if not url.startswith("https:"):
        words = "is not https although the issuer is" if found.issuer.startswith("https:") else "is not https"
        yield _doubt("endpoint_not_https", name, f"{name} {words}.")
    host, own = host_of(url), host_of(found.issuer)
    if host != own:
        words = f"{name} is on another host ({host or 'none'}) than the issuer ({own})."
        yield _doubt("endpoint_on_another_host", name, words)
        yield from _about_host(name, url)


def _about_host(name: str, url: str) -> Iterator[Finding]:
    host = host_of(url)
    if is_loopback(host):
        words = f"{name} is on this machine itself ({host}): nobody else can reach it."
        yield _doubt("loopback_address", name, words)
    elif is_private(host):
        words = f"{name} is at a private address ({host}): app developers may not reach it."
        yield _doubt("private_address", name, words)


def is_loopback(host: str) -> bool:
    """Whether a host names the machine that asks."""
    address = _address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")


def is_private(host: str) -> bool:
    """Whether a host is inside some network by its address or its name; names are not resolved."""
    address = _address(host)
    if address:
        return not address.is_global
    return "." not in host or any(host.endswith(f".{name}") for name in _LOCAL_NAMES)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _about_methods(found: ServerMetadata) -> Iterator[Finding]:
    for name in ("token", "introspection", "revocation"):
        member = f"{name}_endpoint_auth_methods_supported"
        methods = texts_of(found.raw, member)
        if methods and _OUR_METHODS.isdisjoint(methods):
            yield _doubt(
                "unsupported_auth_methods",
                member,
                f"Clients can prove themselves at the {name} endpoint by {', '.join(methods)} only; Archway has "
                "client_secret_basic and client_secret_post.",
            )


def _about_grants(found: ServerMetadata) -> Iterator[Finding]:
    grants = found.grant_types_supported
    if not grants:
        yield _doubt("no_grant_types", "grant_types_supported", "No grant types are listed.")
    elif "client_credentials" not in grants:
        words = "client_credentials is not listed among the grant types; servers do not list all that they can."
        yield _doubt("client_credentials_not_listed", "grant_types_supported", words)
    challenges = texts_of(found.raw, "code_challenge_methods_supported")
    if found.authorization_endpoint and "S256" not in challenges:
        words = "PKCE with S256 is not listed (RFC 7636): ask before public clients are let in."
        yield _doubt("no_pkce", "code_challenge_methods_supported", words)


def findings_of_keys(keys: Sequence[Mapping[str, Any]], fault: str) -> Iterator[Finding]:
    """What is wrong with a key set (RFC 7517); ``fault``: why it could not be read."""
    if fault:
        yield _doubt("keys_unreadable", "jwks_uri", f"The keys cannot be read: {fault}.")
        return
    signing = [key for key in keys if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"]
    if not signing:
        words = f"Among {len(keys)} keys there is none to check signatures with: JWT access tokens cannot be checked."
        yield _doubt("no_signing_keys", "jwks_uri", words)
    if len(signing) > 1 and not all(key.get("kid") for key in signing):
        yield _doubt("keys_without_kid", "jwks_uri", "There are several signing keys, and not each has a kid.")
    if any(key["kty"] == "RSA" and _bits(key) < _FEWEST_RSA_BITS for key in signing):
        yield _doubt("weak_key", "jwks_uri", f"An RSA key has fewer than {_FEWEST_RSA_BITS} bits.")


def _bits(key: Mapping[str, Any]) -> int:
    """Bits of an RSA modulus, from the length of its Base64."""
    return len(str(key.get("n", "")).rstrip("=")) * 6


def _doubt(code: str, member: str, message: str) -> Finding:
    return Finding(code=code, level=Level.DOUBTFUL, member=member, message=message)
