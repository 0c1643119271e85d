"""The JSON form of Envoy's protobuf messages."""

from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Message: TypeAlias = dict[str, Json]

_TYPES = "type.googleapis.com/"


def typed(name: str, /, **members: Json) -> Message:
    """A message inside an ``Any``: ``name`` is its full protobuf name."""
    return {"@type": f"{_TYPES}{name}", **members}


def extension(name: str, message: Message) -> Message:
    """A named extension (``TypedExtensionConfig`` and its kin)."""
    return {"name": name, "typed_config": message}


def exact(text: str) -> Message:
    """A ``StringMatcher``."""
    return {"exact": text, "ignore_case": True}


def names(*texts: str) -> Message:
    """A ``ListStringMatcher`` of header names."""
    return {"patterns": [exact(text) for text in texts]}


def seconds(value: float) -> str:
    """A ``Duration``."""
    return f"{value:.3f}s"


def socket_address(host: str, port: int) -> Message:
    """An ``Address``."""
    return {"socket_address": {"address": host, "port_value": port}}
