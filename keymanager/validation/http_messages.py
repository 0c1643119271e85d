"""What the validator's server and its application say to each other: a request, and an answer ready for the wire."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

Headers = list[tuple[str, str]]

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class Request:
    """One request. ``target``: path and query byte for byte (RFC 9112 section 3.2), as Latin-1 text.

    ``credentials``: every ``Authorization`` header, in order. ``fields``: the other headers, names in lower case.
    ``client``: the caller's address, "" when it is not known.
    """

    __slots__ = ("client", "credentials", "fields", "method", "target")

    def __init__(
        self, method: str, target: str, credentials: list[str], fields: list[tuple[bytes, bytes]], client: str = ""
    ) -> None:
        self.method = method
        self.target = target
        self.credentials = credentials
        self.fields = fields
        self.client = client

    def get(self, key: str, /) -> str | None:
        """First value of a header; see ``step.HeaderSource``."""
        if key == "authorization":
            return self.credentials[0] if self.credentials else None
        wanted = key.encode("latin-1", "replace")
        return next((value.decode("latin-1") for name, value in self.fields if name == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. ``head``: status line and headers, without ``Date`` and the empty line that ends them."""

    status: int
    head: bytes
    body: bytes = b""


def answer(status: int, headers: Headers, body: str = "") -> Answer:
    """An answer with its ``Content-Length``.

    Raises ``ValueError`` for a header that would end early: values come from steps of other packages too.
    """
    content = body.encode()
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Refused')}"]
    for name, value in [*headers, ("content-length", str(len(content)))]:
        if not name.isascii() or not {"\r", "\n", "\0"}.isdisjoint(name + value):
            raise ValueError(f"The header {name!r} cannot be sent.")
        lines.append(f"{name}: {value}")
    return Answer(status=status, head="\r\n".join(lines).encode() + b"\r\n", body=content)
