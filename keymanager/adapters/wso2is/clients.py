"""Clients by ``/keymanager-operations/dcr``, and their secrets."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from common.errors import KeyManagerProtocolError
from common.http import HttpResponse
from common.scopes import format_scope
from keymanager.adapters.contract import ClientHandle, ClientMetadata, Clock, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of, whole_number
from keymanager.adapters.wso2.clients import Wso2Clients
from keymanager.adapters.wso2.management import ManagementApi, gone
from keymanager.adapters.wso2is.config import GRANT_TYPES, Wso2IsConfig

# A redirect URI of this text takes away those that are there; an empty list changes nothing.
_NO_REDIRECT: Final = "null"
_SECRET_PREFIX: Final = "archway-"


class Clients(Wso2Clients):
    """The client operations of one tenant."""

    path = "/keymanager-operations/dcr/register"
    grant_types = GRANT_TYPES
    extra = frozenset(
        {
            *("ext_application_token_lifetime", "ext_user_token_lifetime", "ext_refresh_token_lifetime"),
            *("ext_id_token_lifetime", "pkceMandatory", "pkceSupportPlain", "backchannel_logout_uri"),
        }
    )
    shown = ("client_id", "grant_types", "ext_application_owner", "token_type_extension")

    def __init__(self, config: Wso2IsConfig, api: ManagementApi, clock: Clock) -> None:
        super().__init__(api, overlap=config.secret_rotation == "overlap")
        self._config = config
        self._clock = clock

    def new_secret(self, handle: ClientHandle) -> RegisteredClient:
        """Instead of the old one, or beside it. A client that is gone would be a failure of the server there."""
        if not self._overlap:
            return self.regenerated(handle)
        if self.read(handle) is None:
            raise gone(handle.client_id, 401)
        # The list of secrets does not say which one is the newest: the time in our description does.
        body = {"description": f"{_SECRET_PREFIX}{round(self._clock.now() * 1000):015d}"}
        path = f"{self.path_of(handle)}/generate-secret"
        return _with_secret(handle, self._api.send("POST", path, body, doing="a new secret"))

    def regenerated(self, handle: ClientHandle) -> RegisteredClient:
        """A new secret instead of the old ones, which also ends every token of the client."""
        if self.read(handle) is None:
            raise gone(handle.client_id, 401)
        path = f"{self.path_of(handle)}/regenerate-consumer-secret"
        return _with_secret(handle, self._api.send("POST", path, doing="a new secret"))

    def drop_old_secrets(self, handle: ClientHandle) -> None:
        """Delete every secret but the newest of ours and, where values are shown, the current one."""
        path = f"{self.path_of(handle)}/secrets"
        listed = self._api.send("GET", path, doing="to list the secrets").json_object().get("list")
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        ours = sorted(text for entry in entries if (text := text_of(entry, "description")).startswith(_SECRET_PREFIX))
        if len(entries) > 1 and not ours:
            raise KeyManagerProtocolError("None of the client's secrets is known to be the newest")
        for entry in entries if ours else []:
            shown = text_of(entry, "client_secret")
            current = text_of(entry, "id") == handle.secret_id or (shown and shown == handle.client_secret)
            if not current and text_of(entry, "description") != ours[-1]:
                target = f"{path}/{self._encoded(text_of(entry, 'id'))}"
                self._api.send("DELETE", target, repeatable=True, accepted=(404,), doing="to end the old secret")

    def _creation(self, metadata: ClientMetadata) -> dict[str, Any]:
        return {
            **self._members(metadata),
            "application_display_name": metadata.client_name,
            "ext_application_owner": self._config.owner,
        }

    def _change(self, metadata: ClientMetadata) -> dict[str, Any]:
        none = [] if "authorization_code" in metadata.grant_types else [_NO_REDIRECT]
        return {**self._members(metadata), "redirect_uris": list(metadata.redirect_uris) or none}

    def _members(self, metadata: ClientMetadata) -> dict[str, Any]:
        return {
            **self._common_members(metadata),
            "bypassClientCredentials": metadata.token_endpoint_auth_method == "none",
            "token_type_extension": "JWT" if self._config.token_validation == "jwt" else "DEFAULT",
            "application_scopes": sorted(metadata.scopes),
        }

    def _observed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        # Kept, as a note: the server gives whatever is asked for.
        return {**super()._observed(body), "scope": format_scope(frozenset(texts_of(body, "application_scopes")))}

    def _asked(self, metadata: ClientMetadata, observed: Mapping[str, Any]) -> dict[str, Any]:
        return {**super()._asked(metadata, observed), "scope": format_scope(metadata.scopes)}

    def _encoded(self, identifier: str) -> str:
        if not self._config.encoded_ids:
            return super()._encoded(identifier)
        return base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


def _with_secret(handle: ClientHandle, response: HttpResponse) -> RegisteredClient:
    answer = response.json_object()
    secret = required_text(answer, "client_secret", response)
    return RegisteredClient(
        handle=ClientHandle(client_id=handle.client_id, client_secret=secret, secret_id=text_of(answer, "id")),
        client_secret_expires_at=whole_number(answer, "client_secret_expires_at") or 0,
    )
