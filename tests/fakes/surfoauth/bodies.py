"""Reading what is sent, as strictly and as loosely as the real server: unknown members fail, scalars are converted."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.messages import Received
from tests.fakes.surfoauth.answers import fault


class Unreadable(Exception):
    """The body does not fit the entity: the container answers 500."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The members that were sent, converted; a member that was not sent is missing, unlike one that is null."""

    members: dict[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """A member, or ``default`` when it was not sent or is null."""
        value = self.members.get(name)
        return default if value is None else value

    def is_null(self, name: str) -> bool:
        """Whether it was sent as null."""
        return name in self.members and self.members[name] is None


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise Unreadable
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as exc:
        raise Unreadable from exc


def _boolean(value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false", ""):
        return False
    raise Unreadable


def _texts(value: Any) -> list[str | None]:
    if not isinstance(value, list):
        raise Unreadable
    return [None if entry is None else _text(entry) for entry in value]


def _attributes(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict):
        raise Unreadable
    return {name: None if entry is None else _text(entry) for name, entry in value.items()}


def _anything(value: Any) -> Any:
    return value


Fields = dict[str, Callable[[Any], Any]]

_COMMON: Fields = {
    "id": _number, "creationDate": _number, "modificationDate": _number, "name": _text, "description": _text,
    "secret": _text, "contactName": _text, "contactEmail": _text, "thumbNailUrl": _text, "scopes": _texts,
}  # fmt: skip
SERVER_FIELDS: Fields = {**_COMMON, "key": _text, "owner": _text, "clients": _anything}
CLIENT_FIELDS: Fields = {
    **_COMMON, "clientId": _text, "attributes": _attributes, "redirectUris": _texts, "skipConsent": _boolean,
    "includePrincipal": _boolean, "expireDuration": _number, "useRefreshTokens": _boolean,
    "allowedImplicitGrant": _boolean, "allowedClientCredentials": _boolean, "resourceServer": _anything,
}  # fmt: skip
PERSON_FIELDS: Fields = {
    "id": _number, "creationDate": _number, "modificationDate": _number, "username": _text, "password": _text,
}  # fmt: skip

_ELEMENT = re.compile(r"<(\w+)>([^<]*)</\1>")


def read(request: Received, fields: Fields) -> Sent:
    """The entity of a request. Refuses as the container does: 415 for another type, 500 for what does not fit."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type in ("application/xml", "text/xml"):
        inner = dict(_ELEMENT.findall(request.body.decode()))
        return Sent({name: value for name, value in inner.items() if name in fields})
    if content_type != "application/json":
        raise fault(request.method, 415, "Unsupported Media Type")
    try:
        payload = json.loads(request.body)
        if not isinstance(payload, dict):
            raise Unreadable
        return Sent({name: _converted(fields, name, value) for name, value in payload.items()})
    except (ValueError, Unreadable) as exc:
        raise fault(request.method, 500, f"javax.servlet.ServletException: {type(exc).__name__}") from exc


def _converted(fields: Fields, name: str, value: Any) -> Any:
    if name not in fields:
        raise Unreadable
    return None if value is None else fields[name](value)
