"""What our marker becomes where nothing of a client can be searched but its id and its name."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from keymanager.adapters.rfc.answers import texts_of

MARKER: Final = "archway_marker"
_OURS: Final = "archway-"
_LONGEST: Final = 150
_SEVERAL: Final = re.compile(r"regexp=\((.*)\)")


def preset_client_id(marker: str) -> str:
    """The client id that a marker always gets. The servers take ``[a-zA-Z0-9_]{15,30}`` only: a UUID is too long."""
    digest = hashlib.sha256(marker.encode()).digest()[:16]
    return f"aw_{base64.b32encode(digest).decode().rstrip('=').lower()}"


def application_name(client_name: str, marker: str) -> str:
    """The name for people with our marker as its last word, which makes it unique in the tenant.

    The servers take words of letters, digits, ``.``, ``_`` and ``-`` only; every other character becomes ``_``.
    """
    words = " ".join(plain(word) for word in client_name.split())[:_LONGEST].strip()
    return f"{words} {_OURS}{plain(marker)}".strip()


def shown_name(name: str) -> str:
    """An application's name without our marker."""
    first, _, last = name.rpartition(" ")
    return first if last.startswith(_OURS) else name


def marker_of(name: str) -> str:
    """The marker in an application's name, or ""."""
    last = name.rpartition(" ")[2]
    return last.removeprefix(_OURS) if last.startswith(_OURS) else ""


def redirect_uris_of(body: Mapping[str, Any]) -> list[str]:
    """Redirect URIs as they were sent: the servers keep several as one, ``regexp=(a|b)``, and none as an empty one."""
    found: list[str] = []
    for uri in texts_of(body, "redirect_uris"):
        several = _SEVERAL.fullmatch(uri)
        found += several[1].split("|") if several else [uri]
    return [uri for uri in found if uri]


def plain(word: str) -> str:
    """A word in the characters that names may have."""
    return re.sub(r"[^a-zA-Z0-9._-]", "_", word)
