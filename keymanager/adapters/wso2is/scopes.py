"""Scopes of a tenant. A change replaces the roles that a scope is bound to, so they are sent back as they were."""

from typing import Final

from common.errors import KeyManagerRejected
from keymanager.adapters.contract import ScopeSpec
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.wso2.management import ManagementApi, quoted

SCOPES: Final = "/api/identity/oauth2/v1.0/scopes"
_BINDINGS: Final = ("bindings", "scopeBindings")


class Scopes:
    """``/api/identity/oauth2/v1.0/scopes``."""

    def __init__(self, api: ManagementApi) -> None:
        self._api = api

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make it exist with this description; roles that others have bound to it stay."""
        path = f"{SCOPES}/name/{quoted(scope.key)}"
        response = self._api.send("GET", path, accepted=(404,), doing="to show the scope")
        words = {"displayName": scope.key, "description": scope.description}
        if response.status == 404:
            self._create({"name": scope.key, **words})
            return
        present = response.json_object()
        if text_of(present, "description") != scope.description:
            bound = {name: present[name] for name in _BINDINGS if present.get(name)}
            self._api.send("PUT", path, {**words, **bound}, repeatable=True, doing="the scope")

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        path = f"{SCOPES}/name/{quoted(key)}"
        self._api.send("DELETE", path, repeatable=True, accepted=(404,), doing="the removal of the scope")

    def scope_keys(self) -> frozenset[str]:
        """All scopes of the tenant but those of OpenID Connect."""
        response = self._api.send("GET", SCOPES, accepted=(404,), doing="to list the scopes")
        if response.status == 404:
            return frozenset()
        names = (text_of(entry, "name") for entry in response.json_list() if isinstance(entry, dict))
        return frozenset(name for name in names if name)

    def _create(self, body: dict[str, str]) -> None:
        try:
            self._api.send("POST", SCOPES, body, repeatable=True, doing="the scope")
        except KeyManagerRejected as refused:
            # A repeat, or somebody else was faster.
            if refused.remote_status != 409:
                raise
