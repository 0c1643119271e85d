"""Client secrets of an application: many can live at once, each with an id, and only its birth shows its text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from keymanager.adapters.contract import Clock
from keymanager.adapters.entra.config import EntraConfig
from keymanager.adapters.entra.graph import Graph
from keymanager.adapters.rfc.answers import required_text, text_of

# Secrets that a person made by hand have another name, and are never touched.
OUR_NAME = "archway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A new secret. ``expires_at``: epoch seconds, 0 when it does not say."""

    key_id: str
    secret: str = field(repr=False)
    expires_at: int = 0


class Passwords:
    """addPassword and removePassword."""

    def __init__(self, config: EntraConfig, graph: Graph, clock: Clock) -> None:
        self._config = config
        self._graph = graph
        self._clock = clock

    def add(self, object_id: str) -> Password:
        """A new secret beside those that there are."""
        wanted: dict[str, Any] = {"displayName": OUR_NAME}
        if self._config.secret_days:
            now = datetime.fromtimestamp(self._clock.now(), UTC)
            wanted["endDateTime"] = (now + timedelta(days=self._config.secret_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        response = self._graph.call(
            "POST",
            f"/applications/{object_id}/addPassword",
            {"passwordCredential": wanted},
            fine=(200,),
            doing="a client secret",
        )
        body = response.json_object()
        return Password(
            key_id=required_text(body, "keyId", response),
            secret=required_text(body, "secretText", response),
            expires_at=epoch_seconds(text_of(body, "endDateTime")),
        )

    def remove(self, object_id: str, key_id: str) -> None:
        """End a secret. One that is gone is success."""
        try:
            self._graph.call(
                "POST",
                f"/applications/{object_id}/removePassword",
                {"keyId": key_id},
                fine=(204,),
                doing="the end of a client secret",
                repeatable=True,
            )
        except KeyManagerRejected as exc:
            # It does not (or no longer) know the id, or not yet the application: only the application can tell.
            if exc.remote_status not in (400, 404) or not self._is_gone(object_id, key_id):
                raise

    def _is_gone(self, object_id: str, key_id: str) -> bool:
        found = self._graph.find(f"/applications/{object_id}", doing="to show the application")
        return found is not None and key_id not in [text_of(entry, "keyId") for entry in _entries(found)]


def ours(application: Mapping[str, Any]) -> list[str]:
    """Ids of the secrets that we made, the oldest first."""
    found = [entry for entry in _entries(application) if entry.get("displayName") == OUR_NAME]
    found.sort(key=lambda entry: epoch_seconds(text_of(entry, "startDateTime")))
    return [key_id for entry in found if (key_id := text_of(entry, "keyId"))]


def epoch_seconds(moment: str) -> int:
    """A Graph date and time as epoch seconds; 0 for none or an unreadable one."""
    try:
        return int(datetime.fromisoformat(moment).timestamp())
    except (ValueError, OverflowError):
        return 0


def _entries(application: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = application.get("passwordCredentials", [])
    if not isinstance(entries, list):
        raise KeyManagerProtocolError("The application's passwordCredentials are not a list")
    return [entry for entry in entries if isinstance(entry, dict)]
