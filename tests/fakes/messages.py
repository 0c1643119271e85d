"""Requests that a fake server received and answers that it gives."""

import base64
import binascii
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in. ``operation``: the name that faults are queued under; header names in lower case."""

    operation: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """Form parameters; the last one wins when a name comes twice."""
        return dict(self.form_pairs)

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        """Form parameters in order, empty ones included."""
        return urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    @property
    def parameters(self) -> dict[str, str]:
        """Query parameters."""
        return dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The parsed JSON body; ``None`` when it is no JSON or not sent as such."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def bearer(self) -> str:
        """The token of an ``Authorization: Bearer`` header, or ""."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of an ``Authorization: Basic`` header exactly as sent, or ``None``."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, payload: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Self:
        """A JSON answer that is not to be cached."""
        return cls(
            status=status,
            body=json.dumps(payload).encode(),
            content_type="application/json",
            headers=(("Cache-Control", "no-store"), *headers),
        )

    @classmethod
    def error(cls, status: int, error: str, description: str = "", *, challenge: str = "") -> Self:
        """An OAuth error in JSON, with a ``WWW-Authenticate`` header when there is a challenge."""
        payload = {"error": error, **({"error_description": description} if description else {})}
        return cls.of(payload, status=status, headers=(("WWW-Authenticate", challenge),) if challenge else ())

    @classmethod
    def page(cls, status: int, text: str) -> Self:
        """A page of HTML."""
        return cls(status=status, body=f"<!doctype html><p>{text}</p>".encode(), content_type="text/html")


class Refused(Exception):
    """Raised inside a fake server to answer with a refusal."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer
