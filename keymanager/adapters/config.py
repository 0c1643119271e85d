"""Configuration of adapters: frozen dataclasses that are parsed, checked and described by one piece of code."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from common.errors import InputError
from common.http_values import check_url
from common.scopes import is_scope
from keymanager.adapters.contract import ConfigField

C = TypeVar("C")

_KINDS = {str: "text", bool: "boolean", int: "integer", tuple[str, ...]: "list"}


def knob(
    label: str,
    default: Any = "",
    *,
    help: str = "",  # noqa: A002 - the word that ConfigField has
    secret: bool = False,
    required: bool = False,
    choices: tuple[str, ...] = (),
    kind: str = "",
) -> Any:
    """A dataclass field with its ``ConfigField``; a secret one never shows in ``repr``."""
    shown = ConfigField(label=label, help=help, secret=secret, required=required, choices=choices, kind=kind)
    return field(default=default, repr=not secret, metadata={"field": shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedField:
    """One configuration field for forms, schema and docs.

    ``kind``: text, url, scope, pem, boolean, integer or list.
    """

    name: str
    kind: str
    default: Any
    label: str
    help: str
    secret: bool
    required: bool
    choices: tuple[str, ...]


def describe_config(cls: type[Any]) -> tuple[DescribedField, ...]:
    """The fields of a configuration class: its own and its family's in order, then those that all adapters have."""
    hints = get_type_hints(cls)
    common = _names_of_the_root(cls)
    ordered = sorted(fields(cls), key=lambda item: item.name in common)
    return tuple(_described(item, hints[item.name]) for item in ordered)


def _names_of_the_root(cls: type[Any]) -> frozenset[str]:
    bases = [base for base in cls.__mro__[1:] if is_dataclass(base)]
    return frozenset(item.name for base in bases[-1:] for item in fields(base))


def _described(item: Field[Any], hint: Any) -> DescribedField:
    shown: ConfigField = item.metadata["field"]
    return DescribedField(
        name=item.name,
        kind=shown.kind or _KINDS[hint],
        default=None if item.default is MISSING else item.default,
        label=shown.label,
        help=shown.help,
        secret=shown.secret,
        required=shown.required,
        choices=shown.choices,
    )


def parse_config(cls: type[C], values: Mapping[str, Any], *, prefix: str = "config") -> C:
    """A checked configuration. Raises one ``InputError`` naming every wrong ``config.<field>``.

    Unknown fields are refused. The methods ``check`` and ``rule_errors`` of the class, where it has them, return
    further errors by field. ``prefix``: what the errors call the whole, where it is not a key manager's configuration.
    """
    described = {item.name: item for item in describe_config(cls)}
    errors = {name: ["There is no such setting."] for name in values if name not in described}
    parsed: dict[str, Any] = {}
    for name, item in described.items():
        value = values.get(name, item.default)
        fault = _fault(item, value)
        if fault:
            errors[name] = [fault]
        parsed[name] = tuple(value) if isinstance(value, list) else value
    if not errors:
        config = cls(**parsed)
        for name in ("rule_errors", "check"):
            check = getattr(config, name, None)
            errors |= check() if check is not None else {}
        if not errors:
            return config
    named = {f"{prefix}.{name}": messages for name, messages in errors.items()}
    first = next(iter(named.items()))
    raise InputError(f"{first[0]}: {first[1][0]}", fields=named)


def _fault(item: DescribedField, value: Any) -> str:
    """Why ``value`` cannot be the value of a field, or ""."""
    if item.kind == "boolean":
        return "" if isinstance(value, bool) else "This must be true or false."
    if item.kind == "integer":
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return "" if good else "This must be a whole number, not below 0."
    if item.kind == "list":
        good = isinstance(value, list | tuple) and all(isinstance(entry, str) and entry for entry in value)
        return "" if good else "This must be a list of texts."
    if not isinstance(value, str):
        return "This must be a text."
    if not value:
        return "This is required." if item.required else ""
    if item.choices and value not in item.choices:
        return f"This must be one of: {', '.join(item.choices)}."
    return _text_fault(item.kind, value)


def _text_fault(kind: str, value: str) -> str:
    allowed = "\r\n" if kind == "pem" else ""
    if any((character < " " or character == "\x7f") and character not in allowed for character in value):
        return "Control characters are not allowed."
    if kind == "scope" and not all(is_scope(key) for key in value.split(" ")):
        return "This must be scopes separated by single spaces."
    if kind == "url":
        try:
            check_url(value)
        except InputError:
            return "This must be an absolute http or https URL without user name or password."
    return ""


EMPTY: Mapping[str, Any] = MappingProxyType({})
