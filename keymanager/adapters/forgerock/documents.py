"""A client as AM's administration REST API shows it: OpenAM's flat members, or the groups of AM 6 and later."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from keymanager.adapters.contract import ClientMetadata
from keymanager.adapters.rfc.answers import text_of

_FLAT = "com.forgerock.openam.oauth2provider."
_CORE, _ADVANCED = "coreOAuth2ClientConfig", "advancedOAuth2ClientConfig"
_INDEXED = re.compile(r"\[\d*\]=(.*)", re.DOTALL)
_MARK = "archway:"
# What a listing asks for, in the words of both shapes.
LISTED = (
    "_id",
    *(f"{_FLAT}{name}" for name in ("name", "description", "scopes")),
    *(f"{_CORE}/scopes", f"{_ADVANCED}/name", f"{_ADVANCED}/descriptions"),
)
# Metadata of RFC 7591 that a client has at AM.
_KEPT = ("client_name", "redirect_uris", "response_types", "token_endpoint_auth_method", "grant_types")


class Shape(Protocol):
    """One way of writing a client down. ``limits_grants``: whether a client can be kept from a grant."""

    limits_grants: bool

    def changed(self, present: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        """The body that gives a client these members and leaves all others as they are."""
        ...

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The members by their names here; lists without their numbers."""
        ...


class OpenAmShape:
    """A PUT merges. Every entry of a list is written ``[0]=value``: a plain one is stored, echoed and ignored."""

    limits_grants = False
    _names = {
        "client_name": f"{_FLAT}name",
        "description": f"{_FLAT}description",
        "client_type": f"{_FLAT}clientType",
        "scopes": f"{_FLAT}scopes",
        "default_scopes": f"{_FLAT}defaultScopes",
        "redirect_uris": f"{_FLAT}redirectionURIs",
        "response_types": f"{_FLAT}responseTypes",
        "token_endpoint_auth_method": f"{_FLAT}tokenEndPointAuthMethod",
        "status": "sunIdentityServerDeviceStatus",
        "secret": "userpassword",
    }

    def changed(self, present: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        """Only what changes."""
        return {self._names[name]: _numbered(value) for name, value in members.items() if name in self._names}

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Without the secret, which is never shown."""
        shown = {name: _without_numbers(document.get(key)) for name, key in self._names.items() if name != "secret"}
        return {**shown, "client_name": _first(shown["client_name"])}


class GroupedShape:
    """Two groups of members, each ``{"inherited": false, "value": ...}`` or the value itself; a PUT replaces all."""

    limits_grants = True
    _names = {
        "client_name": (_ADVANCED, "name"),
        "description": (_ADVANCED, "descriptions"),
        "grant_types": (_ADVANCED, "grantTypes"),
        "response_types": (_ADVANCED, "responseTypes"),
        "token_endpoint_auth_method": (_ADVANCED, "tokenEndpointAuthMethod"),
        "client_type": (_CORE, "clientType"),
        "scopes": (_CORE, "scopes"),
        "default_scopes": (_CORE, "defaultScopes"),
        "redirect_uris": (_CORE, "redirectionUris"),
        "status": (_CORE, "status"),
        "secret": (_CORE, "userpassword"),
    }

    def changed(self, present: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        """The whole client: what a PUT leaves out would go back to its default."""
        body = {name: value for name, value in present.items() if not name.startswith("_")}
        for group in (_CORE, _ADVANCED):
            held = dict(body.get(group) or {})
            # Shown as null, or as a hash that must not become the secret.
            held.pop("userpassword", None)
            for name, value in members.items():
                place = self._names.get(name, ("", ""))
                if place[0] == group:
                    listed = [value] if name in ("client_name", "description") and isinstance(value, str) else value
                    held[place[1]] = listed if name == "secret" else {"inherited": False, "value": listed}
            body[group] = held
        return body

    def read(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Without the secret."""
        shown: dict[str, Any] = {}
        for name, (group, key) in self._names.items():
            value = (document.get(group) or {}).get(key)
            if name != "secret":
                shown[name] = value.get("value") if isinstance(value, dict) else value
        return {**shown, "client_name": _first(shown["client_name"]).removeprefix("[0]=")}


def shape_of(template: Mapping[str, Any]) -> Shape:
    """How this AM writes a client, told by an empty or a real one."""
    return GroupedShape() if _CORE in template else OpenAmShape()


def members_of(metadata: ClientMetadata) -> dict[str, Any]:
    """All that is ours in a client. A name is a list, as there could be one for each language.

    ``client_type`` is never left out: without it every token is refused although it seems to be set.
    """
    scopes = sorted(metadata.scopes)
    public = metadata.token_endpoint_auth_method == "none"
    return {
        "client_name": [metadata.client_name],
        "description": [mark(metadata.marker)],
        "client_type": "Public" if public else "Confidential",
        "scopes": scopes,
        "default_scopes": scopes,
        "redirect_uris": list(metadata.redirect_uris),
        "response_types": list(metadata.response_types) or ["code"],
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "grant_types": list(metadata.grant_types),
    }


def mark(marker: str) -> str:
    """What stands in a client's description."""
    return f"{_MARK}{marker}"


def observed(shape: Shape, document: Mapping[str, Any]) -> dict[str, Any]:
    """The client in RFC 7591's names."""
    members = shape.read(document)
    kept = {name: members[name] for name in _KEPT if members.get(name) is not None}
    scopes = members.get("scopes")
    status = text_of(members, "status")
    return {
        "client_id": text_of(document, "_id"),
        **kept,
        "scope": " ".join(sorted(scopes)) if isinstance(scopes, list) else "",
        **({"status": status} if status else {}),
    }


def is_ours(shape: Shape, document: Mapping[str, Any], marker: str) -> bool:
    """Whether its description carries our mark."""
    described = shape.read(document).get("description")
    return isinstance(described, list) and mark(marker) in described


def not_kept(shape: Shape, document: Mapping[str, Any], metadata: ClientMetadata) -> tuple[str, ...]:
    """Names of the asked metadata that are not there as asked; grant types where no client is limited to some."""
    wanted = members_of(metadata)
    found = shape.read(document)
    lost = {
        "scope" if name == "scopes" else name
        for name in ("scopes", *_KEPT)
        if (name != "grant_types" or shape.limits_grants) and not _same(wanted[name], found.get(name))
    }
    return tuple(sorted(lost if shape.limits_grants else {*lost, "grant_types"} | set(metadata.extra)))


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, str):
        return wanted == [found]
    if isinstance(wanted, list):
        return sorted(wanted) == sorted(map(str, found or []))
    return bool(wanted == found)


def _numbered(value: Any) -> Any:
    return [f"[{number}]={entry}" for number, entry in enumerate(value)] if isinstance(value, list) else value


def _without_numbers(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    found = (_INDEXED.fullmatch(entry) for entry in value if isinstance(entry, str))
    return [match[1] for match in found if match and match[1]]


def _first(value: Iterable[str] | None) -> str:
    return next(iter(value or ()), "") if not isinstance(value, str) else value
