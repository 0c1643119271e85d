"""The one or two secrets of an application at Okta."""

from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import address_only
from keymanager.adapters.okta.api import OktaApi, quoted
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.rfc.answers import text_of

_MOST = 2


class AppSecrets:
    """``/api/v1/apps/{appId}/credentials/secrets``."""

    def __init__(self, config: OktaConfig, api: OktaApi) -> None:
        self._overlap = config.secret_rotation == "overlap"
        self._api = api

    def add(self, app_id: str, current: str) -> str:
        """A new secret; "" when the application is gone. Okta holds at most two, so an older one makes room."""
        present = self._list(app_id)
        if len(present) >= _MOST:
            self._drop_all_but(app_id, present, current)
        response = self._api.send("POST", _path(app_id), {}, doing="a new secret")
        if response.status == 404:
            return ""
        made = response.json_object()
        secret, secret_id = text_of(made, "client_secret"), text_of(made, "id")
        if not secret or not secret_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} made a secret without showing it")
        if not self._overlap:
            self._drop_all_but(app_id, self._list(app_id), secret)
        return secret

    def keep_only(self, app_id: str, current: str) -> None:
        """Drop every other secret."""
        self._drop_all_but(app_id, self._list(app_id), current)

    def _drop_all_but(self, app_id: str, present: list[dict[str, Any]], current: str) -> None:
        """The newest stays where the current one is not among them: Okta refuses to end the last active secret."""
        newest_first = sorted(present, key=lambda entry: text_of(entry, "created"), reverse=True)
        named = [entry for entry in newest_first if current and entry.get("client_secret") == current]
        active = [entry for entry in newest_first if entry.get("status") != "INACTIVE"]
        kept = (named or active or newest_first)[:1]
        for entry in newest_first:
            if entry in kept:
                continue
            path = f"{_path(app_id)}/{quoted(text_of(entry, 'id'))}"
            if entry.get("status") != "INACTIVE":
                self._api.send("POST", f"{path}/lifecycle/deactivate", repeatable=True, doing="to end the old secret")
            self._api.send("DELETE", path, repeatable=True, doing="to end the old secret")

    def _list(self, app_id: str) -> list[dict[str, Any]]:
        response = self._api.send("GET", _path(app_id), doing="to list the secrets")
        if response.status == 404:
            return []
        return [entry for entry in response.json_list() if isinstance(entry, dict)]


def _path(app_id: str) -> str:
    return f"/api/v1/apps/{quoted(app_id)}/credentials/secrets"
