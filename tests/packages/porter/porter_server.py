"""A Porter on loopback: the RFCs as the project's fake speaks them, and clients below ``/admin/apps/``."""

from collections.abc import Callable
from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.fakes.store import FakeClient

_APPS = "/admin/apps/"
_MEMBERS = ("client_name", "grant_types", "redirect_uris", "token_endpoint_auth_method", "scope")


class PorterServer(RfcServer):
    """``admin_key`` opens the administration. Members that it does not know are refused."""

    def __init__(self) -> None:
        self.admin_key = "porter-admin-key"
        super().__init__(quirks=Quirks(rfc8414_discovery=False))

    def _route(self, method: str, path: str) -> tuple[str, Callable[[Received], Answer]]:
        if path.startswith(_APPS):
            return "admin", lambda request: self._administer(request, path.removeprefix(_APPS))
        return super()._route(method, path)

    def _administer(self, request: Received, client_id: str) -> Answer:
        if request.headers.get("authorization") != f"Porter {self.admin_key}":
            return Answer.error(401, "unauthorized", "The administration key is wrong")
        client = self.store.clients.get(client_id)
        if request.method == "PUT":
            return self._put(client_id, client, request.json)
        if client is None:
            return Answer.error(404, "not_found")
        if request.method == "DELETE":
            self.store.remove_client(client)
            return Answer(status=204)
        return _shown(client)

    def _put(self, client_id: str, client: FakeClient | None, body: Any) -> Answer:
        if not isinstance(body, dict) or set(body) - {*_MEMBERS, "client_secret"}:
            return Answer.error(400, "invalid_app", "unknown members")
        secret = body.pop("client_secret", client.client_secret if client else "")
        kept = FakeClient(client_id=client_id, client_secret=secret, metadata=body, scopes=body["scope"].split())
        self.store.add_client(kept)
        return _shown(kept)


def _shown(client: FakeClient) -> Answer:
    return Answer.of({"id": client.client_id, **client.metadata})
