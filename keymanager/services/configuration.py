"""Configuration values on their way in and out: presets, masks, what is stored open and what sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import InputError
from keymanager.adapters.config import DescribedField, describe_config, parse_config
from keymanager.adapters.registry import adapter_class
from keymanager.adapters.rfc.presets import with_preset
from keymanager.models import KeyManager
from keymanager.services.adapters import RESIDENT, complete_config, stored_config

MASK: Final = "*****"
# What the installation knows by itself; it is neither stored nor asked for.
_OWN_FIELDS: Final = {RESIDENT: frozenset({"issuer", "management_token", "password_grant"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """A checked configuration: ``open`` is stored as it is, ``secret`` sealed. ``issuer``: "" when it is not known."""

    open: dict[str, Any]
    secret: dict[str, Any] = field(repr=False)
    issuer: str


def config_fields(adapter: str) -> tuple[DescribedField, ...]:
    """The fields that a person fills in for an adapter. Raises ``InputError`` naming ``adapter``."""
    own = _OWN_FIELDS.get(adapter, frozenset())
    return tuple(item for item in describe_config(adapter_class(adapter).Config) if item.name not in own)


def checked_config(adapter: str, given: Mapping[str, Any], *, stored: Mapping[str, Any] | None = None) -> SplitConfig:
    """The configuration after ``given`` was laid over ``stored``; the mask of a secret keeps what is stored.

    ``given`` may name a ``preset``. Raises ``InputError`` naming ``config.<field>``, ``adapter`` or ``preset``.
    """
    fields = {item.name: item for item in config_fields(adapter)}
    before = dict(stored or {})
    values = {**before, **_without_masks(given, fields, before)}
    preset = values.pop("preset", "")
    if preset:
        values = with_preset(str(preset), values)
    own = _OWN_FIELDS.get(adapter, frozenset())
    values = {name: value for name, value in values.items() if name not in own}
    complete = complete_config(adapter, values)
    parse_config(adapter_class(adapter).Config, complete)
    return SplitConfig(
        open={name: value for name, value in values.items() if not fields[name].secret},
        secret={name: value for name, value in values.items() if fields[name].secret and value},
        issuer=str(complete.get("issuer", "")),
    )


def _without_masks(
    given: Mapping[str, Any], fields: Mapping[str, DescribedField], stored: Mapping[str, Any]
) -> dict[str, Any]:
    """Raises ``InputError`` for a mask that stands for nothing: it would otherwise become the secret, or none would."""
    values = dict(given)
    for name in given:
        if name in fields and fields[name].secret and values[name] == MASK:
            if not stored.get(name):
                raise InputError.of(f"config.{name}", "No secret is stored that this mask could keep; give the secret.")
            values[name] = stored[name]
    return values


def shown_config(key_manager: KeyManager) -> dict[str, Any]:
    """The configuration for people: a secret that is set is the mask, defaults are filled in."""
    stored = stored_config(key_manager)
    shown: dict[str, Any] = {}
    for item in config_fields(key_manager.adapter):
        value = stored.get(item.name, item.default)
        if item.secret:
            value = MASK if value else ""
        shown[item.name] = list(value) if isinstance(value, tuple) else value
    return shown
