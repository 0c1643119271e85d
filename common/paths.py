"""Request paths: which ones are read without doubt, and which API a path belongs to.

Gateway and validator must derive the same API and operation from the same bytes. The gateway normalises; whoever
decides about a call accepts only a path that no later normalisation could change, and compares it byte for byte.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

LONGEST_PATH: Final = 8000  # bytes; the gateway's limit for all headers is a little higher

Value = TypeVar("Value")

# RFC 3986 section 3.3: pchar and "/"; and square brackets, which browsers do not escape in paths.
_WELL_FORMED: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/\[\]-]|%[0-9A-Fa-f]{2})*", re.ASCII)
# What some backend, proxy or framework reads as another path, also when it decodes more than once:
# an empty segment; "." and "..", escaped or with parameters ("..;x"); escaped slashes, backslashes and controls;
# escaped letters, digits, "-", "." , "_" and "~", which mean the same unescaped (section 6.2.2.2).
_DOUBTFUL: Final = re.compile(
    r"//"
    r"|/(?:\.|%(?:25)*2e){1,2}(?:(?:;|%(?:25)*3b)[^/]*)?(?:/|\Z)"
    r"|%(?:25)*(?:2f|5c|[01][0-9a-f]|7f)"
    r"|%(?:2[de]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)",
    re.ASCII | re.IGNORECASE,
)


def gateway_path(raw: str) -> str | None:
    """The path of a request target in origin form (RFC 9112 section 3.2.1), without its query.

    ``raw``: path and query as the gateway sent them. ``None`` when the path is not well-formed (RFC 3986 section
    3.3), too long, or not a fixed point: anything behind the gateway could read it as another path.
    """
    path = raw.partition("?")[0]
    if len(path) > LONGEST_PATH or not _WELL_FORMED.fullmatch(path) or _DOUBTFUL.search(path):
        return None
    return path


def match_prefix(path: str, prefix: str) -> str | None:
    """What follows ``prefix`` in ``path``, when the prefix ends at the end of a segment: "" or "/…"; else ``None``."""
    if not path.startswith(prefix):
        return None
    rest = path[len(prefix) :]
    return rest if not rest or rest.startswith("/") else None


class PrefixTable(Generic[Value]):
    """Values by path prefix (``/museum/1.0.0``); the prefix with the most segments wins. Immutable."""

    __slots__ = ("_deepest", "_values")

    def __init__(self, entries: Iterable[tuple[str, Value]]) -> None:
        """``entries``: prefix, without a slash at its end, and value. ``ValueError`` for a prefix given twice."""
        self._values: dict[str, Value] = {}
        for prefix, value in entries:
            if not prefix.startswith("/") or prefix.endswith("/"):
                raise ValueError(f"not a path prefix: {prefix!r}")
            if prefix in self._values:
                raise ValueError(f"the prefix {prefix!r} is taken")
            self._values[prefix] = value
        self._deepest = max((prefix.count("/") for prefix in self._values), default=0)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def find(self, path: str) -> tuple[Value, str] | None:
        """The value of the longest prefix of ``path`` and what follows it ("" or "/…"); ``None`` without one.

        ``path``: an answer of ``gateway_path``.
        """
        ends: list[int] = []
        end = 0
        while end < len(path) and len(ends) < self._deepest:
            end = path.find("/", end + 1)
            if end < 0:
                end = len(path)
            ends.append(end)
        for end in reversed(ends):
            prefix = path[:end]
            if prefix in self._values:
                return self._values[prefix], path[end:]
        return None
