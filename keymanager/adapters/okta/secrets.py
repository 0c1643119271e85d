"""The one or two secrets of an application at Okta."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import KeyManagerProtocolError
from common.http import address_only
from keymanager.adapters.contract import ClientHandle
from keymanager.adapters.okta.api import OktaApi, quoted
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.rfc.answers import text_of

_MOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret and its id at Okta."""

    value: str = field(repr=False)
    id: str


class AppSecrets:
    """``/api/v1/apps/{appId}/credentials/secrets``."""

    def __init__(self, config: OktaConfig, api: OktaApi) -> None:
        self._overlap = config.secret_rotation == "overlap"
        self._api = api

    def add(self, app_id: str, current: ClientHandle) -> NewSecret | None:
        """A new one; ``None`` when the application is gone. Okta holds at most two, so an older one makes room."""
        present = self._list(app_id)
        if len(present) >= _MOST:
            self._drop_all_but(app_id, present, current)
        response = self._api.send("POST", _path(app_id), {}, doing="a new secret")
        if response.status == 404:
            return None
        made = response.json_object()
        secret, secret_id = text_of(made, "client_secret"), text_of(made, "id")
        if not secret or not secret_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} made a secret without showing it")
        if not self._overlap:
            renewed = replace(current, client_secret=secret, secret_id=secret_id)
            self._drop_all_but(app_id, self._list(app_id), renewed)
        return NewSecret(value=secret, id=secret_id)

    def keep_only(self, app_id: str, current: ClientHandle) -> None:
        """Drop every other secret."""
        self._drop_all_but(app_id, self._list(app_id), current)

    def _drop_all_but(self, app_id: str, present: list[dict[str, Any]], current: ClientHandle) -> None:
        """The newest stays where the current one is not among them: Okta refuses to end the last active secret."""
        newest_first = sorted(present, key=lambda entry: text_of(entry, "created"), reverse=True)
        named = [entry for entry in newest_first if _is_current(entry, current)]
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


def _is_current(entry: Mapping[str, Any], current: ClientHandle) -> bool:
    if current.secret_id:
        return entry.get("id") == current.secret_id
    return bool(current.client_secret) and entry.get("client_secret") == current.client_secret


def _path(app_id: str) -> str:
    return f"/api/v1/apps/{quoted(app_id)}/credentials/secrets"
