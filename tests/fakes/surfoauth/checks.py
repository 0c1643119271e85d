"""Bean validation of the entities."""

import re
from collections.abc import Sequence

from tests.fakes.surfoauth.bodies import Sent

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_FORBIDDEN = re.compile(r"""[\s<>"{}|\\^`]""")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
LONGEST = 255


def is_uri(text: str) -> bool:
    """Whether Java's ``URI`` reads it as an absolute one."""
    return _FORBIDDEN.search(text) is None and _SCHEME.match(text) is not None


def server_violations(sent: Sent, scopes: Sequence[str]) -> list[str]:
    """Of a resource server."""
    found = ["may not be null" for name in ("name", "contactName") if sent.get(name) is None]
    email = sent.get("contactEmail", "")
    if email and not _EMAIL.fullmatch(email):
        found.append("not a well-formed email address")
    found += [f"Scope '{scope}' contains invalid characters" for scope in scopes if not scope or "," in scope]
    return found


def client_violations(sent: Sent, scopes: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Of a client."""
    found = []
    if sent.get("useRefreshTokens", False) and sent.get("expireDuration", 0) <= 0:
        found.append("If refresh tokens are to be used then the expiry duration must be greater then 0")
    if not set(scopes) <= set(allowed):
        found.append(
            "Client should only contain scopes that its resource server defines. "
            f"Client scopes: [{', '.join(scopes)}]. Resource server scopes: [{', '.join(allowed)}]"
        )
    if sent.get("allowedImplicitGrant", False) and sent.get("allowedClientCredentials", False):
        found.append(
            "A Client can not be issued the client credentials grant AND the implicit grant as client credentials "
            "requires a secret."
        )
    for uri in sent.get("redirectUris", []):
        if _FORBIDDEN.search(uri):
            found.append(f"redirectUri '{uri}' is not a valid URI")
        elif not _SCHEME.match(uri):
            found.append("")
    return found


def too_long(sent: Sent) -> bool:
    """Whether the database's columns are too short for a text."""
    texts = ("name", "description", "contactName", "contactEmail", "thumbNailUrl")
    return any(len(sent.get(name, "")) > LONGEST for name in texts)
