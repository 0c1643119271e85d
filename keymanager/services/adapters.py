"""From a stored key manager to the adapter that speaks to it, kept while its configuration stays the same."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from common.clock import SystemClock
from common.errors import ConfigurationError
from common.http import AddressGuard, HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.registry import adapter_class
from keymanager.models import KeyManager
from keymanager.resident.issuer import issuer as resident_issuer
from keymanager.resident.management import management_token
from keymanager.sealing import unseal_config

RESIDENT: Final = "resident"


@dataclass(slots=True, kw_only=True)
class _Kept:
    revision: int
    adapter: KeyManagerAdapter
    http: HttpClient
    replaced: HttpClient | None = None


_kept: dict[uuid.UUID, _Kept] = {}
_lock = threading.Lock()


def adapter_for(key_manager: KeyManager) -> KeyManagerAdapter:
    """The adapter of this revision of the key manager; one HTTP client per key manager lives as long.

    Raises ``InputError`` naming ``config.<field>`` when the stored configuration no longer fits its adapter.
    """
    with _lock:
        kept = _kept.get(key_manager.pk)
        if kept is not None and kept.revision == key_manager.revision:
            return kept.adapter
    http = http_client(key_manager.adapter)
    adapter = build_adapter(key_manager.adapter, stored_config(key_manager), http)
    with _lock:
        older = _kept.get(key_manager.pk)
        _kept[key_manager.pk] = _Kept(
            revision=key_manager.revision, adapter=adapter, http=http, replaced=older.http if older else None
        )
    if older is not None and older.replaced is not None:
        # Calls of the client replaced last may still be under way; the one before has long finished.
        older.replaced.close()
    return adapter


def close_adapters() -> None:
    """Close every HTTP client and forget the adapters."""
    with _lock:
        kept = list(_kept.values())
        _kept.clear()
    for item in kept:
        item.http.close()
        if item.replaced is not None:
            item.replaced.close()


def stored_config(key_manager: KeyManager) -> dict[str, Any]:
    """All values of a key manager's configuration, secrets opened."""
    return {**key_manager.config, **unseal_config(key_manager.pk, key_manager.sealed_config)}


def build_adapter(slug: str, values: Mapping[str, Any], http: HttpClient) -> KeyManagerAdapter:
    """An adapter on checked configuration values. Raises ``InputError`` naming ``config.<field>``."""
    cls = adapter_class(slug)
    return cls(parse_config(cls.Config, complete_config(slug, values)), http, SystemClock())


def complete_config(slug: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with what the installation itself knows: where the resident server is, our right there, its grants."""
    if slug != RESIDENT:
        return dict(values)
    return {
        **values,
        "issuer": resident_issuer(),
        "management_token": management_token(),
        "password_grant": settings.ARCHWAY_RESIDENT_ALLOW_PASSWORD_GRANT,
    }


def http_client(slug: str) -> HttpClient:
    """An HTTP client for an adapter: in-process for the resident server, else guarded against private addresses."""
    if slug == RESIDENT:
        # Its views need the whole Django; processes that never talk to it need not load them.
        from keymanager.resident.transport import ResidentTransport

        return HttpClient(transport=ResidentTransport())
    return HttpClient(guard=address_guard())


def address_guard() -> AddressGuard:
    """Which private ranges may be called, by the setting. Raises ``ConfigurationError`` for a malformed range."""
    try:
        return AddressGuard.of(*settings.ARCHWAY_ALLOWED_NETWORKS)
    except ValueError as exc:
        raise ConfigurationError(f"ARCHWAY_ALLOWED_NETWORKS: {exc}") from exc
