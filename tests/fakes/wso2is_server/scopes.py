"""The scopes API of the fake."""

import urllib.parse
from collections.abc import Iterable
from typing import Any

from tests.fakes.messages import Answer, Received, Refused


class Scopes:
    """Scopes of one tenant, by name."""

    def __init__(self, names: Iterable[str]) -> None:
        self.known: dict[str, dict[str, Any]] = {
            name: {"name": name, "displayName": name, "description": "", "bindings": []} for name in names
        }

    def create(self, request: Received) -> Answer:
        """POST: 201, 409 for a repeat."""
        body = _body(request)
        if not body.get("name") or not body.get("displayName"):
            raise _refuse(400, "name and displayName are required")
        if body["name"] in self.known:
            raise _refuse(409, "The scope exists")
        self.known[body["name"]] = {"description": "", "bindings": [], **body}
        return Answer.of(self.known[body["name"]], status=201)

    def listing(self, request: Received) -> Answer:
        """GET."""
        start = int(request.parameters.get("startIndex", 1)) - 1
        count = int(request.parameters.get("count", len(self.known)))
        return Answer.of(list(self.known.values())[start : start + count])

    def read(self, _: Received, name: str) -> Answer:
        """GET by name."""
        return Answer.of(self.known[self._named(name)])

    def change(self, request: Received, name: str) -> Answer:
        """PUT: bindings that are not sent are gone."""
        key, body = self._named(name), _body(request)
        if not body.get("displayName"):
            raise _refuse(400, "displayName is required")
        self.known[key] = {"name": key, "description": "", "bindings": [], **body}
        return Answer.of(self.known[key])

    def delete(self, _: Received, name: str) -> Answer:
        """DELETE: 204."""
        del self.known[self._named(name)]
        return Answer(status=204)

    def _named(self, name: str) -> str:
        key = urllib.parse.unquote(name)
        if key not in self.known:
            raise _refuse(404, "There is no such scope")
        return key


def _body(request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise _refuse(400, "The body is not a JSON object")
    return dict(request.json)


def _refuse(status: int, description: str) -> Refused:
    body = {"code": f"OAUTH-SCOPE-{status}", "message": "Refused.", "description": description, "traceId": "t"}
    return Refused(Answer.of(body, status=status))
