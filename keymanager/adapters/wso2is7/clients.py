"""Clients by dynamic registration 1.1, and the list of them by the server's own API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import text_of, whole_number
from keymanager.adapters.wso2.clients import Wso2Clients
from keymanager.adapters.wso2.management import ManagementApi
from keymanager.adapters.wso2.naming import MARKER, marker_of, shown_name
from keymanager.adapters.wso2is7.config import GRANT_TYPES, Wso2Is7Config

_PAGE: Final = 100


class Clients(Wso2Clients):
    """The client operations of one tenant. Redirect URIs stay where an update sends none."""

    path = "/api/identity/oauth2/dcr/v1.1/register"
    grant_types = GRANT_TYPES
    extra = frozenset(
        {
            *("ext_application_token_lifetime", "ext_user_token_lifetime", "ext_refresh_token_lifetime"),
            *("ext_id_token_lifetime", "ext_pkce_mandatory", "ext_pkce_support_plain", "ext_allowed_audience"),
            "backchannel_logout_uri",
        }
    )
    # Much of what can be asked is not in the answer, depending on the release.
    shown = ("client_id", "grant_types", "token_endpoint_auth_method", "ext_token_type", "ext_application_owner")

    def __init__(self, config: Wso2Is7Config, api: ManagementApi) -> None:
        super().__init__(api, overlap=config.secret_rotation == "overlap")
        self._config = config

    def all(self) -> Iterator[RegisteredClient]:
        """Every OAuth client of the tenant, ours or not."""
        offset = 0
        while True:
            body = self._api.send(
                "GET", f"/api/server/v1/applications?limit={_PAGE}&offset={offset}&attributes=clientId"
            ).json_object()
            entries = [entry for entry in body.get("applications") or [] if isinstance(entry, dict)]
            for entry in entries:
                client_id = text_of(entry, "clientId")
                if client_id:
                    handle = ClientHandle(client_id=client_id, remote_id=text_of(entry, "id"))
                    name = text_of(entry, "name")
                    yield RegisteredClient(
                        handle=handle, observed={"client_name": shown_name(name), MARKER: marker_of(name)}
                    )
            offset += len(entries)
            if not entries or offset >= (whole_number(body, "totalResults") or 0):
                return

    def _creation(self, metadata: ClientMetadata) -> dict[str, Any]:
        public = metadata.token_endpoint_auth_method == "none"
        token_type = "JWT" if self._config.token_validation == "jwt" else "Default"
        return {
            **self._common_members(metadata),
            # Shown to people who are asked for consent; kept from the first time on, and never shown to us.
            "ext_application_display_name": metadata.client_name,
            "ext_public_client": public,
            # The name differs between releases; each heeds its own.
            "ext_token_type": token_type,
            "token_type_extension": token_type,
            # "none" is no method there: a public client has a flag of its own.
            **({} if public else {"token_endpoint_auth_method": metadata.token_endpoint_auth_method}),
        }

    def _change(self, metadata: ClientMetadata) -> dict[str, Any]:
        return self._creation(metadata)

    def _asked(self, metadata: ClientMetadata, observed: Mapping[str, Any]) -> dict[str, Any]:
        asked = super()._asked(metadata, observed)
        if metadata.token_endpoint_auth_method != "none" and "token_endpoint_auth_method" in observed:
            asked["token_endpoint_auth_method"] = metadata.token_endpoint_auth_method
        return asked
