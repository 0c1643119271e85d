"""Clients by dynamic registration 1.1, under ids that we choose: a creation is safe to repeat."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, whole_number
from keymanager.adapters.wso2is7.config import GRANT_TYPES, Wso2Is7Config
from keymanager.adapters.wso2is7.management import ManagementApi, gone, quoted
from keymanager.adapters.wso2is7.naming import (
    MARKER,
    application_name,
    marker_of,
    plain,
    preset_client_id,
    redirect_uris_of,
    shown_name,
)

_REGISTER: Final = "/api/identity/oauth2/dcr/v1.1/register"
_PAGE: Final = 100
# What an application's owner may choose beyond the metadata that every key manager knows.
_EXTRA: Final = frozenset(
    {
        *("ext_application_token_lifetime", "ext_user_token_lifetime", "ext_refresh_token_lifetime"),
        *("ext_id_token_lifetime", "ext_pkce_mandatory", "ext_pkce_support_plain", "ext_allowed_audience"),
        "backchannel_logout_uri",
    }
)


class Clients:
    """The client operations of one tenant."""

    def __init__(self, config: Wso2Is7Config, api: ManagementApi) -> None:
        self._config = config
        self._api = api

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Register it, or take over what an earlier attempt of ours has left."""
        body = {**self._body(metadata), "ext_param_client_id": preset_client_id(metadata.marker)}
        try:
            response = self._api.send("POST", _REGISTER, body, doing="the client")
        except KeyManagerRejected as refused:
            if refused.remote_status not in (400, 409):
                raise
            # The same status for a taken name, a taken id and bad metadata: only a look can tell.
            left = self.find(metadata.marker)
            if left is None:
                raise
            return self.update(left.handle, metadata)
        made = self._registered(response, ClientHandle(client_id=""), metadata)
        if not made.handle.client_secret and metadata.token_endpoint_auth_method != "none":
            raise KeyManagerProtocolError(f"{address_only(response.url)} registered a client without client_secret")
        return made

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """``None`` when there is none, never when only our credentials are refused."""
        path = f"{_REGISTER}/{quoted(handle.client_id)}"
        response = self._api.send("GET", path, accepted=(401, 404), doing="to show the client")
        return None if self._api.is_missing(response) else self._registered(response, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A replacement by our own metadata; the secret stays, and so do redirect URIs where none are sent."""
        path = f"{_REGISTER}/{quoted(handle.client_id)}"
        response = self._api.send("PUT", path, self._body(metadata), accepted=(401, 404), doing="the change")
        if self._api.is_missing(response):
            raise gone(handle.client_id, response.status)
        return self._registered(response, handle, metadata)

    def delete(self, handle: ClientHandle) -> None:
        """A client that is gone is success; 401 is not, unless our credentials are good."""
        path = f"{_REGISTER}/{quoted(handle.client_id)}"
        response = self._api.send("DELETE", path, repeatable=True, accepted=(401, 404), doing="the removal")
        self._api.is_missing(response)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker always gets, if the name is ours too."""
        found = self.read(ClientHandle(client_id=preset_client_id(marker)))
        return found if found is not None and found.observed[MARKER] == plain(marker) else None

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

    def _body(self, metadata: ClientMetadata) -> dict[str, Any]:
        unknown = [name for name in metadata.grant_types if name not in GRANT_TYPES]
        if unknown:
            raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
        public = metadata.token_endpoint_auth_method == "none"
        token_type = "JWT" if self._config.token_validation == "jwt" else "Default"
        return {
            **{name: value for name, value in metadata.extra.items() if name in _EXTRA},
            "client_name": application_name(metadata.client_name, metadata.marker),
            # Shown to people who are asked for consent; kept from the first time on, and never shown to us.
            "ext_application_display_name": metadata.client_name,
            "grant_types": list(metadata.grant_types),
            "redirect_uris": list(metadata.redirect_uris),
            "ext_public_client": public,
            # The name differs between releases; each heeds its own.
            "ext_token_type": token_type,
            "token_type_extension": token_type,
            # "none" is no method there: a public client has a flag of its own.
            **({} if public else {"token_endpoint_auth_method": metadata.token_endpoint_auth_method}),
        }

    def _registered(
        self, response: HttpResponse, handle: ClientHandle, metadata: ClientMetadata | None
    ) -> RegisteredClient:
        body = response.json_object()
        client_id = required_text(body, "client_id", response)
        if handle.client_id and client_id != handle.client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
        shown = text_of(body, "client_secret")
        overlap = self._config.secret_rotation == "overlap"
        # Of several secrets nobody says which one is shown.
        secret = handle.client_secret or shown if overlap else shown or handle.client_secret
        observed = _observed(body)
        return RegisteredClient(
            handle=replace(handle, client_id=client_id, client_secret=secret),
            observed=observed,
            ignored=() if metadata is None else _not_kept(metadata, observed),
            client_secret_expires_at=whole_number(body, "client_secret_expires_at") or 0,
        )


def _observed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A client by the names of RFC 7591, without secrets."""
    name = text_of(body, "client_name")
    # Much of what can be asked is not in the answer, depending on the release.
    kept = ("client_id", "grant_types", "token_endpoint_auth_method", "ext_token_type", "ext_application_owner")
    return {
        **{member: body[member] for member in kept if body.get(member) is not None},
        "client_name": shown_name(name),
        "redirect_uris": redirect_uris_of(body),
        MARKER: marker_of(name),
    }


def _not_kept(metadata: ClientMetadata, observed: Mapping[str, Any]) -> tuple[str, ...]:
    asked: dict[str, Any] = {
        "client_name": metadata.client_name,
        "grant_types": sorted(metadata.grant_types),
        "redirect_uris": sorted(metadata.redirect_uris),
        MARKER: plain(metadata.marker),
    }
    if metadata.token_endpoint_auth_method != "none" and "token_endpoint_auth_method" in observed:
        asked["token_endpoint_auth_method"] = metadata.token_endpoint_auth_method
    got = {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in observed.items()}
    lost = {name for name, value in asked.items() if got.get(name) != value}
    return tuple(sorted(lost | (metadata.extra.keys() - _EXTRA)))
