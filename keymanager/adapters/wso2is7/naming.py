"""What our marker becomes where nothing of a client can be searched but its id and its name."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from keymanager.adapters.rfc.answers import texts_of

MARKER: Final = "archway_marker"
_PREFIX: Final = "archway-"
_SEVERAL: Final = re.compile(r"regexp=\((.*)\)")


def preset_client_id(marker: str) -> str:
    """The client id that a marker always gets. The servers take ``[a-zA-Z0-9_]{15,30}`` only: a UUID is too long."""
    digest = hashlib.sha256(marker.encode()).digest()[:16]
    return f"aw_{base64.b32encode(digest).decode().rstrip('=').lower()}"


def application_name(marker: str) -> str:
    """The name, unique in a tenant, of letters, digits, ``.``, ``_`` and ``-``. People see the display name instead."""
    return f"{_PREFIX}{re.sub(r'[^a-zA-Z0-9._-]', '_', marker)}"


def marker_of(name: str) -> str:
    """The marker in an application's name, or ""."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else ""


def redirect_uris_of(body: Mapping[str, Any]) -> list[str]:
    """Redirect URIs as they were sent: the servers keep several as one, ``regexp=(a|b)``, and none as an empty one."""
    found: list[str] = []
    for uri in texts_of(body, "redirect_uris"):
        several = _SEVERAL.fullmatch(uri)
        found += several[1].split("|") if several else [uri]
    return [uri for uri in found if uri]
