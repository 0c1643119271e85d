"""Clients by the Apps API: the caller chooses the client id, so a creation can be repeated and is found again."""

from collections.abc import Iterator, Mapping
from typing import Any

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.okta.api import OktaApi, gone, quoted
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.okta.secrets import AppSecrets
from keymanager.adapters.okta.shape import (
    MARKER,
    SECRET_METHODS,
    client_members,
    not_kept,
    plain_name,
    shown_name,
)
from keymanager.adapters.rfc.answers import text_of

_APPS = "/api/v1/apps"
_OIDC = 'name eq "oidc_client"'
# What Okta says of an application and refuses, or ignores, in a replacement.
_READ_ONLY = frozenset(
    {"id", "orn", "status", "created", "lastUpdated", "features", "licensing", "_links", "_embedded"}
)
_TAKEN = (400, 409)


class Apps:
    """The client operations of the Apps API."""

    def __init__(self, config: OktaConfig, api: OktaApi) -> None:
        self._api = api
        self._secrets = AppSecrets(config, api)

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Make the application; one of this marker that exists already is made what is asked, with a new secret."""
        body = _body(metadata, {})
        try:
            response = self._api.found(self._api.send("POST", _APPS, body, doing="the client"))
        except KeyManagerRejected as refused:
            # Which error a taken client id gives is not described, so we look.
            present = self.find(metadata.marker) if refused.remote_status in _TAKEN else None
            if present is None:
                raise
            updated = self.update(present.handle, metadata)
            if metadata.token_endpoint_auth_method not in SECRET_METHODS:
                return updated
            return self.rotate(updated.handle, updated)
        app = _parsed(response)
        secret = text_of(_oauth_client(app), "client_secret")
        if not secret and metadata.token_endpoint_auth_method in SECRET_METHODS:
            raise KeyManagerProtocolError(f"{address_only(response.url)} registered a client without client_secret")
        return _registered(app, metadata, secret=secret)

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """By its id, else among all; never with a secret."""
        app = self._app(handle)
        return None if app is None else _registered(app, None, handle, secret=handle.client_secret)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A replacement of what was just read, with our members in it. The secret is not touched."""
        present = self._app(handle)
        if present is None:
            raise gone(handle.client_id)
        path = f"{_APPS}/{quoted(str(present['id']))}"
        response = self._api.send("PUT", path, _body(metadata, present), doing="the change")
        if response.status == 404:
            raise gone(handle.client_id)
        app = _parsed(response)
        # With two secrets it is not said which of them the answer shows.
        shown = text_of(_oauth_client(app), "client_secret")
        return _registered(app, metadata, handle, secret=handle.client_secret or shown)

    def delete(self, handle: ClientHandle) -> None:
        """An application has to be inactive before it can be deleted."""
        app_id = self._id(handle)
        if not app_id:
            return
        path = f"{_APPS}/{quoted(app_id)}"
        if self._api.send("POST", f"{path}/lifecycle/deactivate", repeatable=True, doing="the removal").status != 404:
            self._api.send("DELETE", path, repeatable=True, doing="the removal")

    def set_active(self, handle: ClientHandle, *, active: bool) -> None:
        """Let it get tokens, or not."""
        verb = "activate" if active else "deactivate"
        path = f"{_APPS}/{quoted(self._id(handle))}/lifecycle/{verb}"
        if not self._id(handle) or self._api.send("POST", path, repeatable=True, doing=f"to {verb}").status == 404:
            raise gone(handle.client_id)

    def rotate(self, handle: ClientHandle, known: RegisteredClient | None = None) -> RegisteredClient:
        """A second secret; the first one ends at once unless the configuration lets them overlap."""
        app_id = self._id(handle)
        secret = self._secrets.add(app_id, handle) if app_id else None
        if secret is None:
            raise gone(handle.client_id)
        renewed = ClientHandle(
            client_id=handle.client_id, remote_id=app_id, client_secret=secret.value, secret_id=secret.id
        )
        if known is None:
            return RegisteredClient(handle=renewed)
        return RegisteredClient(handle=renewed, observed=known.observed, ignored=known.ignored)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Leave only the secret that the handle has."""
        app_id = self._id(handle)
        if app_id:
            self._secrets.keep_only(app_id, handle)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the client id that the marker gives: among all, because nothing that we write is searchable."""
        wanted = client_id_for(marker)
        found = (app for app in self._all() if text_of(_oauth_client(app), "client_id") == wanted)
        return next((_registered(app, None, secret="") for app in found), None)

    def all(self) -> Iterator[RegisteredClient]:
        """Every OAuth client of the organisation, suspended ones too."""
        return (_registered(app, None, secret="") for app in self._all())

    def _all(self) -> Iterator[dict[str, Any]]:
        entries = self._api.pages(_APPS, {"filter": _OIDC, "includeNonDeleted": "true"})
        return (app for app in entries if text_of(_oauth_client(app), "client_id"))

    def _app(self, handle: ClientHandle) -> dict[str, Any] | None:
        if not handle.remote_id:
            return next((app for app in self._all() if _oauth_client(app)["client_id"] == handle.client_id), None)
        response = self._api.send("GET", f"{_APPS}/{quoted(handle.remote_id)}", doing="to show the client")
        if response.status == 404:
            return None
        app = _parsed(response)
        if _oauth_client(app)["client_id"] != handle.client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
        return None if app.get("status") == "DELETED" else app

    def _id(self, handle: ClientHandle) -> str:
        if handle.remote_id:
            return handle.remote_id
        app = self._app(handle)
        return "" if app is None else text_of(app, "id")


def client_id_for(marker: str) -> str:
    """The one client id of a credential (6 to 100 characters)."""
    return f"archway-{marker}"


def _body(metadata: ClientMetadata, present: Mapping[str, Any]) -> dict[str, Any]:
    """The application as asked, over what the administrator set at Okta."""
    members = client_members(metadata)
    kept = {name: value for name, value in present.items() if name not in _READ_ONLY}
    oauth = {name: value for name, value in _oauth_client(present).items() if name != "client_secret"}
    settings = _object(present, "settings")
    return {
        **kept,
        "name": "oidc_client",
        "signOnMode": "OPENID_CONNECT",
        "label": shown_name(metadata),
        "credentials": {
            **_object(present, "credentials"),
            "oauthClient": {
                **oauth,
                "client_id": text_of(oauth, "client_id") or client_id_for(metadata.marker),
                "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
            },
        },
        "settings": {**settings, "oauthClient": {**_object(settings, "oauthClient"), **members}},
        "profile": {**_object(present, "profile"), MARKER: metadata.marker},
    }


def _parsed(response: HttpResponse) -> dict[str, Any]:
    """An application that can be managed and used: it has both ids."""
    app = response.json_object()
    if not text_of(app, "id") or not text_of(_oauth_client(app), "client_id"):
        raise KeyManagerProtocolError(
            f"{address_only(response.url)} answered {response.status} without the client's ids"
        )
    return app


def _registered(
    app: Mapping[str, Any], metadata: ClientMetadata | None, known: ClientHandle | None = None, *, secret: str
) -> RegisteredClient:
    observed = _observed(app)
    ignored: tuple[str, ...] = ()
    if metadata is not None:
        asked = {
            **client_members(metadata),
            "client_name": metadata.client_name,
            "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        }
        ignored = not_kept(asked, observed, metadata.extra)
    return RegisteredClient(
        handle=ClientHandle(
            client_id=str(observed["client_id"]),
            remote_id=text_of(app, "id"),
            client_secret=secret,
            secret_id="" if known is None else known.secret_id,
        ),
        observed=observed,
        ignored=ignored,
    )


def _observed(app: Mapping[str, Any]) -> dict[str, Any]:
    """An application by the names of RFC 7591, without secrets."""
    oauth = _oauth_client(app)
    marker = text_of(_object(app, "profile"), MARKER)
    return {
        **_object(_object(app, "settings"), "oauthClient"),
        "client_id": oauth.get("client_id"),
        "client_name": plain_name(text_of(app, "label"), marker),
        "token_endpoint_auth_method": oauth.get("token_endpoint_auth_method"),
        "status": app.get("status"),
        MARKER: marker,
    }


def _oauth_client(app: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(_object(app, "credentials"), "oauthClient")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
