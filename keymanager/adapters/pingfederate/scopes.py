"""Scopes by the administrative API: common ones for every client, exclusive ones for those that were given them."""

from urllib.parse import quote

from common.errors import KeyManagerProtocolError
from common.http import address_only
from keymanager.adapters.contract import ScopeSpec
from keymanager.adapters.pingfederate.config import PingFederateConfig
from keymanager.adapters.pingfederate.management import Management
from keymanager.adapters.rfc.answers import text_of


class Scopes:
    """The configured kind of scopes."""

    def __init__(self, config: PingFederateConfig, management: Management) -> None:
        self._management = management
        self._path = f"/oauth/authServerSettings/scopes/{config.scope_kind}Scopes"

    def register_scope(self, scope: ScopeSpec) -> None:
        """Add the scope, or give the one that exists this description (which PingFederate wants in any case)."""
        body = {"name": scope.key, "description": scope.description or scope.key}
        one = f"{self._path}/{quote(scope.key, safe='')}"
        present = self._management.find(one, doing="to show the scope")
        if present is None:
            self._management.call("POST", self._path, body, fine=(201,), doing="the scope")
        elif text_of(present.json_object(), "description") != body["description"]:
            self._management.call("PUT", one, body, fine=(200,), doing="the scope", repeatable=True)

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        path = f"{self._path}/{quote(key, safe='')}"
        self._management.call("DELETE", path, fine=(204, 404), doing="the end of the scope", repeatable=True)

    def scope_keys(self) -> frozenset[str]:
        """All of the kind."""
        response = self._management.call("GET", self._path, fine=(200,), doing="to list scopes")
        items = response.json_object().get("items")
        if not isinstance(items, list):
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered 200 without items")
        return frozenset(text_of(item, "name") for item in items if isinstance(item, dict))
