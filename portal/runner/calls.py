"""Calls of the portal's REST API, and waiting for what they should bring about."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2


class WalkFailed(Exception):
    """A step did not do what it should; the message says what was seen."""


@dataclass(slots=True)
class Caller:
    """Calls below one base URL with one API token; an unexpected status is ``WalkFailed``."""

    http: httpx2.Client
    base: str
    token: str = field(repr=False)

    def read(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body, whatever they are."""
        answer = self.http.get(self.base + path, headers={"Authorization": f"Bearer {self.token}"})
        return answer.status_code, answer.json()

    def get(self, path: str, status: int) -> dict[str, Any]:
        """The body of an answer that must have this status."""
        return self._call("GET", path, None, status)

    def post(self, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
        """The same for POST."""
        return self._call("POST", path, body, status)

    def patch(self, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
        """The same for PATCH."""
        return self._call("PATCH", path, body, status)

    def delete(self, path: str, status: int) -> dict[str, Any]:
        """The same for DELETE."""
        return self._call("DELETE", path, None, status)

    def _call(self, method: str, path: str, body: dict[str, Any] | None, status: int) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.request(method, self.base + path, json=body, headers=headers)
        if answer.status_code != status:
            raise WalkFailed(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return dict(answer.json()) if answer.content else {}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client authentication (RFC 6749 section 2.3.1)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def until(seen: Callable[[], tuple[bool, str]], seconds: float) -> None:
    """Return when ``seen`` answers True; after so many seconds ``WalkFailed`` with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        good, what = seen()
        if good:
            return
        if time.monotonic() > deadline:
            raise WalkFailed(f"after {seconds:.0f} s {what}")
        time.sleep(0.05)
