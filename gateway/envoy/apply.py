"""Changing what a running Envoy serves, and knowing that it does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.envoy.admin import AdminUnavailable, ConfigStatus, DocumentStatus, EnvoyAdmin
from gateway.envoy.config import CLUSTERS_FILE, LISTENERS_FILE, ROUTES_FILE, Document, EnvoyConfig
from gateway.envoy.files import with_earlier_clusters, write_atomically, write_document
from gateway.envoy.log import last_refusal, log_size

_POLL_SECONDS = 0.005
_SLOWEST_POLL_SECONDS = 0.1
# Envoy counts a refusal before it says why.
_WORDS_SECONDS = 1.0


class ConfigRefused(Exception):
    """Envoy would not take a document, or did not say in time; what was in effect before still is.

    The message is for administrators: it quotes Envoy.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What is in effect now. ``seconds``: from the first write until Envoy serves it."""

    version: str
    seconds: float


def acknowledged(admin: EnvoyAdmin, config: EnvoyConfig) -> bool:
    """Whether exactly this configuration is in effect. Raises ``AdminUnavailable``."""
    status = admin.config_status()
    return (
        status.listeners.version == config.listeners.version
        and status.clusters.version == config.clusters.version
        and status.routes.version == config.routes.version
    )


def apply_config(
    folder: Path, config: EnvoyConfig, admin: EnvoyAdmin, *, log: Path | None = None, timeout_seconds: float = 30.0
) -> Applied:
    """Makes ``config`` the one in effect: clusters come before the routes that need them and go after.

    ``log``: Envoy's log file, from which the reason of a refusal is quoted. Raises ``ConfigRefused`` and
    ``AdminUnavailable``. One caller at a time for each folder. Calling again with the same configuration is cheap.
    """
    started = time.monotonic()
    wait = _Wait(
        admin=admin,
        log=log,
        log_before=log_size(log) if log else 0,
        deadline=started + timeout_seconds,
        before=admin.config_status(),
    )
    clusters = with_earlier_clusters(folder, config)
    wait.for_document(folder / CLUSTERS_FILE, clusters, lambda status: status.clusters)
    wait.for_document(folder / ROUTES_FILE, config.routes, lambda status: status.routes)
    wait.for_document(folder / LISTENERS_FILE, config.listeners, lambda status: status.listeners)
    seconds = time.monotonic() - started
    if clusters.version != config.clusters.version:
        wait.for_document(folder / CLUSTERS_FILE, config.clusters, lambda status: status.clusters)
    return Applied(version=config.version, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    admin: EnvoyAdmin
    log: Path | None
    log_before: int
    deadline: float
    before: ConfigStatus

    def for_document(self, path: Path, new: Document, of: Callable[[ConfigStatus], DocumentStatus]) -> None:
        """Writes the document and returns when it is in effect. One that is refused does not stay on disk: the next
        start of Envoy would find nothing to serve."""
        earlier = path.read_text(encoding="utf-8") if path.exists() else None
        written = write_document(path, new)
        if not written and of(self.before).version == new.version:
            return
        try:
            self._until(lambda status: of(status).version == new.version)
        except ConfigRefused:
            if written and earlier is not None:
                write_atomically(path, earlier)
            raise

    def _until(self, in_effect: Callable[[ConfigStatus], bool]) -> None:
        pause = _POLL_SECONDS
        while True:
            status = self.admin.config_status()
            if in_effect(status):
                return
            if status.refusals > self.before.refusals:
                raise ConfigRefused(f"Envoy refused the configuration: {self._reason()}")
            if time.monotonic() > self.deadline:
                raise ConfigRefused(f"Envoy did not take the configuration in time: {self._reason()}")
            time.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)

    def _reason(self) -> str:
        until = time.monotonic() + _WORDS_SECONDS
        while True:
            said = self._said()
            if said or time.monotonic() > until:
                return said or "see its log"
            time.sleep(_POLL_SECONDS)

    def _said(self) -> str:
        try:
            said = self.admin.listener_error()
        except AdminUnavailable:
            said = ""
        return said or (last_refusal(self.log, since=self.log_before) if self.log else "")
