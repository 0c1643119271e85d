"""Clients by ``/keymanager-operations/dcr``, under ids that we choose: a creation is safe to repeat."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpResponse, address_only
from common.scopes import format_scope
from keymanager.adapters.contract import ClientHandle, ClientMetadata, Clock, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, texts_of, whole_number
from keymanager.adapters.wso2is.config import GRANT_TYPES, Wso2IsConfig
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

_REGISTER: Final = "/keymanager-operations/dcr/register"
# A redirect URI of this text takes away those that are there; an empty list changes nothing.
_NO_REDIRECT: Final = "null"
_SECRET_PREFIX: Final = "archway-"
_EXTRA: Final = frozenset(
    {
        *("ext_application_token_lifetime", "ext_user_token_lifetime", "ext_refresh_token_lifetime"),
        *("ext_id_token_lifetime", "pkceMandatory", "pkceSupportPlain", "backchannel_logout_uri"),
    }
)


class Clients:
    """The client operations of one tenant."""

    def __init__(self, config: Wso2IsConfig, api: ManagementApi, clock: Clock) -> None:
        self._config = config
        self._api = api
        self._clock = clock

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Register it, or take over what an earlier attempt of ours has left."""
        body = {
            **self._body(metadata),
            "redirect_uris": list(metadata.redirect_uris),
            "application_display_name": metadata.client_name,
            "ext_application_owner": self._config.owner,
            "ext_param_client_id": preset_client_id(metadata.marker),
        }
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
        response = self._api.send("GET", self._path(handle), accepted=(401, 404), doing="to show the client")
        return None if self._api.is_missing(response) else self._registered(response, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A replacement by our own metadata; the secret stays."""
        none = [] if "authorization_code" in metadata.grant_types else [_NO_REDIRECT]
        body = {**self._body(metadata), "redirect_uris": list(metadata.redirect_uris) or none}
        response = self._api.send("PUT", self._path(handle), body, accepted=(401, 404), doing="the change")
        if self._api.is_missing(response):
            raise gone(handle.client_id, response.status)
        return self._registered(response, handle, metadata)

    def delete(self, handle: ClientHandle) -> None:
        """A client that is gone is success; 401 is not, unless our credentials are good."""
        path = self._path(handle)
        response = self._api.send("DELETE", path, repeatable=True, accepted=(401, 404), doing="the removal")
        self._api.is_missing(response)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker always gets, if the name is ours too."""
        found = self.read(ClientHandle(client_id=preset_client_id(marker)))
        return found if found is not None and found.observed[MARKER] == plain(marker) else None

    def new_secret(self, handle: ClientHandle) -> RegisteredClient:
        """Instead of the old one, or beside it. A client that is gone would be a failure of the server there."""
        path = self._path(handle)
        if self.read(handle) is None:
            raise gone(handle.client_id, 401)
        if self._config.secret_rotation == "overlap":
            # The list of secrets does not say which one is the newest: the time in our description does.
            body = {"description": f"{_SECRET_PREFIX}{round(self._clock.now() * 1000):015d}"}
            response = self._api.send("POST", f"{path}/generate-secret", body, doing="a new secret")
            return _with_secret(handle, response)
        return self._regenerated(handle)

    def regenerated(self, handle: ClientHandle) -> RegisteredClient:
        """A new secret instead of the old ones, which also ends every token of the client."""
        if self.read(handle) is None:
            raise gone(handle.client_id, 401)
        return self._regenerated(handle)

    def drop_old_secrets(self, handle: ClientHandle) -> None:
        """Delete every secret but the newest of ours and, where values are shown, the current one."""
        path = f"{self._path(handle)}/secrets"
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

    def _regenerated(self, handle: ClientHandle) -> RegisteredClient:
        path = f"{self._path(handle)}/regenerate-consumer-secret"
        return _with_secret(handle, self._api.send("POST", path, doing="a new secret"))

    def _body(self, metadata: ClientMetadata) -> dict[str, Any]:
        unknown = [name for name in metadata.grant_types if name not in GRANT_TYPES]
        if unknown:
            raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
        return {
            **{name: value for name, value in metadata.extra.items() if name in _EXTRA},
            "client_name": application_name(metadata.client_name, metadata.marker),
            "grant_types": list(metadata.grant_types),
            "bypassClientCredentials": metadata.token_endpoint_auth_method == "none",
            "token_type_extension": "JWT" if self._config.token_validation == "jwt" else "DEFAULT",
            "application_scopes": sorted(metadata.scopes),
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
            handle=ClientHandle(client_id=client_id, client_secret=secret, secret_id=handle.secret_id),
            observed=observed,
            ignored=() if metadata is None else _not_kept(metadata, observed),
            client_secret_expires_at=whole_number(body, "client_secret_expires_at") or 0,
        )

    def _path(self, handle: ClientHandle) -> str:
        return f"{_REGISTER}/{self._encoded(handle.client_id)}"

    def _encoded(self, identifier: str) -> str:
        if not self._config.encoded_ids:
            return quoted(identifier)
        return base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


def _with_secret(handle: ClientHandle, response: HttpResponse) -> RegisteredClient:
    answer = response.json_object()
    secret = required_text(answer, "client_secret", response)
    return RegisteredClient(
        handle=ClientHandle(client_id=handle.client_id, client_secret=secret, secret_id=text_of(answer, "id")),
        client_secret_expires_at=whole_number(answer, "client_secret_expires_at") or 0,
    )


def _observed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A client by the names of RFC 7591, without secrets."""
    name = text_of(body, "client_name")
    kept = ("client_id", "grant_types", "ext_application_owner", "token_type_extension")
    return {
        **{member: body[member] for member in kept if body.get(member) is not None},
        "client_name": shown_name(name),
        "redirect_uris": redirect_uris_of(body),
        "scope": format_scope(frozenset(texts_of(body, "application_scopes"))),
        MARKER: marker_of(name),
    }


def _not_kept(metadata: ClientMetadata, observed: Mapping[str, Any]) -> tuple[str, ...]:
    asked: dict[str, Any] = {
        "client_name": metadata.client_name,
        "grant_types": sorted(metadata.grant_types),
        "redirect_uris": sorted(metadata.redirect_uris),
        MARKER: plain(metadata.marker),
    }
    got = {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in observed.items()}
    lost = {name for name, value in asked.items() if got.get(name) != value}
    # Kept, as a note: the server gives whatever is asked for.
    lost |= {"scope"} if frozenset(observed["scope"].split()) != metadata.scopes else set()
    return tuple(sorted(lost | (metadata.extra.keys() - _EXTRA)))
