"""What others changed: the feed of administration events, and of registrations by clients themselves."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.keycloak.api import KeycloakApi
from keymanager.adapters.keycloak.clients import KeycloakClients
from keymanager.adapters.rfc.answers import text_of, whole_number

logger = logging.getLogger(__name__)
# An event can become visible after one with a later time, so each look begins a little earlier.
_OVERLAP_MS = 10_000
_RESOURCE_TYPES = ("CLIENT", "CLIENT_SCOPE_CLIENT_MAPPING")
_BY_THEMSELVES = ("CLIENT_REGISTER", "CLIENT_UPDATE", "CLIENT_DELETE")


class KeycloakEvents:
    """Both feeds. Dynamic registration is in the users' feed only, everything else in the administrators' only."""

    def __init__(self, api: KeycloakApi, clients: KeycloakClients) -> None:
        self._api = api
        self._clients = clients

    def since(self, cursor: str) -> tuple[tuple[str, ...], str]:
        """Client ids that others changed, and the next cursor: the last event's time, and the keys of those near it.

        A removed client is named by its client id where its creation is still in the feed, else it is left out: its
        internal id says nothing to anybody. "" begins at the newest event.
        """
        start, seen = _parsed(cursor)
        own = self._clients.own_id()
        begin = self._newest() if start is None else start
        events = [*self._administrators(begin), *self._clients_themselves(begin)]
        newest = max((begin, *(_time(event) for event in events)))
        near = sorted(_key(event) for event in events if _time(event) >= newest - _OVERLAP_MS)
        following = ",".join([str(newest), *near])
        if start is None:
            return (), following
        fresh = [event for event in events if _key(event) not in seen and not _is_by(event, own)]
        changed = dict.fromkeys(name for event in fresh if (name := self._shown_client_of(event)))
        return tuple(changed), following

    def readable(self) -> None:
        """Raise ``KeyManagerRejected`` where our client lacks the role view-events."""
        self._api.send("GET", "/admin-events?max=1", doing="to show the administration events")

    def _newest(self) -> int:
        """The time of the newest event by Keycloak's clock, in milliseconds."""
        found: list[Any] = []
        for feed in ("/admin-events?max=1", "/events?max=1"):
            found += self._api.send("GET", feed, doing="to show the events").json_list()
        return max((_time(event) for event in found if isinstance(event, dict)), default=0)

    def _administrators(self, start: int) -> Iterator[dict[str, Any]]:
        types = "&".join(f"resourceTypes={kind}" for kind in _RESOURCE_TYPES)
        path = f"/admin-events?{types}"
        return self._from(path, start)

    def _clients_themselves(self, start: int) -> Iterator[dict[str, Any]]:
        return self._from(f"/events?{'&'.join(f'type={kind}' for kind in _BY_THEMSELVES)}", start)

    def _from(self, path: str, start: int) -> Iterator[dict[str, Any]]:
        first, most = 0, 100
        begin = max(0, start - _OVERLAP_MS)
        while True:
            asked = f"{path}&dateFrom={begin}&direction=asc&first={first}&max={most}"
            page = self._api.send("GET", asked, doing="to show the events").json_list()
            yield from (event for event in page if isinstance(event, dict))
            if len(page) < most:
                return
            first += most

    def _shown_client_of(self, event: dict[str, Any]) -> str:
        """One client that is not shown to us must not hide the events of all others."""
        try:
            return self._client_of(event)
        except (KeyManagerRejected, KeyManagerProtocolError) as exc:
            logger.warning("Keycloak does not show the client of an event, which is left out: %s", exc)
            return ""

    def _client_of(self, event: dict[str, Any]) -> str:
        if "resourcePath" not in event:
            return text_of(event, "clientId")
        parts = text_of(event, "resourcePath").split("/")
        if len(parts) < 2 or parts[0] != "clients":
            return ""
        return self._clients.client_id_at(parts[1]) or self._once_made_as(parts[1])

    def _once_made_as(self, remote_id: str) -> str:
        """The client id that a removed client had, from the event of its creation."""
        path = f"/admin-events?resourceTypes=CLIENT&operationTypes=CREATE&resourcePath=clients/{remote_id}&max=1"
        listed = self._api.send("GET", path, doing="to show the events").json_list()
        for event in listed:
            try:
                made = json.loads(text_of(event, "representation"))
            except ValueError:
                continue
            return text_of(made, "clientId") if isinstance(made, dict) else ""
        return ""


def _parsed(cursor: str) -> tuple[int | None, frozenset[str]]:
    moment, *ids = cursor.split(",")
    return (int(moment) if moment.isdigit() else None), frozenset(ids)


def _key(event: dict[str, Any]) -> str:
    """What tells the event from those near it, without a comma. Some servers give events no id."""
    kind = text_of(event, "operationType") or text_of(event, "type")
    about = text_of(event, "resourcePath") or text_of(event, "clientId")
    return quote(text_of(event, "id") or f"{_time(event)}:{kind}:{about}", safe=":/")


def _time(event: dict[str, Any]) -> int:
    return whole_number(event, "time") or 0


def _is_by(event: dict[str, Any], own: str) -> bool:
    """The feed names the client that acted by its internal id."""
    details = event.get("authDetails")
    return isinstance(details, dict) and details.get("clientId") == own
