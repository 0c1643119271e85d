"""Envoy's administration interface, over its socket file."""

import http.client
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.envoy.listener import STAT_PREFIX
from gateway.envoy.routes import ROUTES_NAME

_TIMEOUT_SECONDS: Final = 10.0
_ROUTES: Final = f"http.{STAT_PREFIX}.rds.{ROUTES_NAME}"
_LISTENERS: Final = "listener_manager.lds"
_CLUSTERS: Final = "cluster_manager.cds"
_FILTER: Final = r"^(listener_manager\.lds|cluster_manager\.cds|http\.gateway\.rds\.apis)\.(version_text|update_\w+)$"
_TEXT: Final = re.compile(r'^(?P<name>[\w.]+): "?(?P<value>[^"\n]*)"?$', re.MULTILINE)


class AdminUnavailable(Exception):
    """Envoy's administration does not answer: it is not running, starting or stopping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStatus:
    """What Envoy did with one watched file. ``version``: in effect; ``refusals``: versions that it would not take."""

    version: str
    refusals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStatus:
    """What is in effect in one Envoy."""

    listeners: DocumentStatus
    clusters: DocumentStatus
    routes: DocumentStatus

    @property
    def refusals(self) -> int:
        """Documents refused since the start."""
        return self.listeners.refusals + self.clusters.refusals + self.routes.refusals


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class EnvoyAdmin:
    """Questions to one running Envoy."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path

    def ready(self) -> bool:
        """Whether Envoy has its first configuration and serves."""
        try:
            status, _ = self._get("/ready")
        except AdminUnavailable:
            return False
        return status == 200

    def config_status(self) -> ConfigStatus:
        """Versions in effect and refusals so far. Raises ``AdminUnavailable``."""
        status, body = self._get(f"/stats?filter={_FILTER.replace('+', '%2B')}")
        if status != 200:
            raise AdminUnavailable(f"Envoy's statistics answered {status}.")
        values = {match["name"]: match["value"] for match in _TEXT.finditer(body)}
        return ConfigStatus(
            listeners=_document_status(values, _LISTENERS),
            clusters=_document_status(values, _CLUSTERS),
            routes=_document_status(values, _ROUTES),
        )

    def server_info(self) -> Mapping[str, object]:
        """Envoy's version, state and command line. Raises ``AdminUnavailable``."""
        _, body = self._get("/server_info")
        info: Mapping[str, object] = json.loads(body)
        return info

    def listener_error(self) -> str:
        """Why the newest listener was not taken, in Envoy's words; "" when it was."""
        _, body = self._get("/config_dump?resource=dynamic_listeners&mask=error_state.details")
        for listener in json.loads(body).get("configs", []):
            details: str = listener.get("error_state", {}).get("details", "")
            if details:
                return details
        return ""

    def quit(self) -> None:
        """Tells Envoy to end. Raises ``AdminUnavailable`` when there is none."""
        self._ask("POST", "/quitquitquit")

    def _get(self, target: str) -> tuple[int, str]:
        return self._ask("GET", target)

    def _ask(self, method: str, target: str) -> tuple[int, str]:
        connection = _SocketConnection(self._path)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as exc:
            raise AdminUnavailable("Envoy's administration does not answer.") from exc
        finally:
            connection.close()


def _document_status(values: Mapping[str, str], prefix: str) -> DocumentStatus:
    refused = sum(int(values.get(f"{prefix}.{name}", "0")) for name in ("update_rejected", "update_failure"))
    return DocumentStatus(version=values.get(f"{prefix}.version_text", ""), refusals=refused)
