"""Keeping one Envoy in step with the database."""

import logging
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from gateway.envoy.admin import AdminUnavailable
from gateway.envoy.apply import ConfigRefused, apply_config
from gateway.envoy.config import build_config
from gateway.envoy.files import write_config
from gateway.envoy.process import EnvoyProcess
from gateway.models import GatewayReport
from gateway.published import gateway_settings, published_apis
from keymanager.validation.feed import ChangeReader
from keymanager.validation.feed_tables import ChangeTable, Wake, wake_of_settings
from subscriptions.models import ChangeKind

logger = logging.getLogger(__name__)
LONGEST_TRANSACTION_SECONDS = 60.0
_RETRY_SECONDS = 1.0


class Gateway:
    """One Envoy process and the loop that follows the change feed for it."""

    def __init__(self, folder: Path, *, name: str, wake: Wake | None = None) -> None:
        self.folder = folder
        self.name = name
        self.stopping = threading.Event()
        self._settings = gateway_settings()
        self._envoy = EnvoyProcess(folder, self._settings)
        self._reader = ChangeReader(ChangeTable(), monotonic=time.monotonic, window=LONGEST_TRANSACTION_SECONDS)
        self._wake = wake or wake_of_settings()
        self._poked = threading.Event()
        # Whether something was published or withdrawn that is not in effect yet, as far as is known.
        self._outdated = True

    def run(self) -> None:
        """Serve until ``stopping`` is set. An Envoy that ends is started again."""
        self._reader.start()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        apis = published_apis()
        write_config(self.folder, build_config(self._settings, apis, folder=self.folder))
        listener = threading.Thread(target=self._wake.listen, args=(self._poked.set, self.stopping), daemon=True)
        listener.start()
        with self._envoy:
            self.turn()
            while not self.stopping.is_set():
                self._poked.wait(settings.ARCHWAY_CHANGE_POLL_MILLISECONDS / 1000)
                self._poked.clear()
                self.turn()

    def stop(self) -> None:
        """End the loop soon; safe to call from a signal handler."""
        self.stopping.set()
        self._poked.set()

    def apply(self) -> bool:
        """Make what is published the configuration in effect, and report what came of it.

        False when Envoy could not be asked, so that trying again can help.
        """
        apis = published_apis()
        config = build_config(self._settings, apis, folder=self.folder)
        try:
            applied = apply_config(self.folder, config, self._envoy.admin, log=self._envoy.log)
        except (ConfigRefused, AdminUnavailable) as exc:
            logger.error("The gateway keeps its earlier configuration: %s", exc)
            self._report(error=str(exc)[:1000])
            return isinstance(exc, ConfigRefused)
        self._report(
            error="",
            version=applied.version,
            apis=len(apis),
            applied_at=timezone.now(),
            milliseconds=int(applied.seconds * 1000),
        )
        return True

    def turn(self) -> None:
        """Read what changed, and apply what is not in effect yet; a change is done with only when that succeeded."""
        try:
            if self._envoy.exit_status is not None:
                logger.error("Envoy ended with status %s; starting it again", self._envoy.exit_status)
                self._envoy.start()
                self._outdated = True
            changes = self._reader.poll()
            if any(change.kind == ChangeKind.API_VERSION for change in changes):
                self._outdated = True
            if self._outdated:
                self._outdated = not self.apply()
            if self._outdated:
                self.stopping.wait(_RETRY_SECONDS)
        except DatabaseError as exc:
            logger.warning("The change feed cannot be read for now: %s", exc)
            close_old_connections()
            self.stopping.wait(_RETRY_SECONDS)

    def _report(self, **values: object) -> None:
        GatewayReport.objects.update_or_create(name=self.name, defaults=values)
