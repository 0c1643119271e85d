"""Clients: dynamic registration (RFC 7591) and its management (RFC 7592)."""

import secrets

from common.errors import (
    KeyManagerProtocolError,
    KeyManagerRejected,
    NotSupported,
)
from common.http import HttpClient, HttpRequest
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient, Verification
from keymanager.adapters.rfc import registration
from keymanager.adapters.rfc.answers import (
    CLIENT_GONE,
    INITIAL_TOKEN_REFUSED,
    MANAGEMENT_TOKEN_LOST,
    is_page,
    refusal,
    text_of,
)
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials, bearer, client_authentication
from keymanager.adapters.rfc.discovery import Discovery

# A server that knows the client's registration answers 401 when the token is wrong or the client is gone
# (RFC 7592 section 2); some say 403 or 404.
_NO_ACCESS = (401, 403, 404)


class Clients:
    """The client operations of one configured server."""

    def __init__(self, config: RfcConfig, http: HttpClient, discovery: Discovery, own: OwnCredentials) -> None:
        self._config = config
        self._http = http
        self._discovery = discovery
        self._own = own

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7591 section 3."""
        body = registration.registration_body(self._config, metadata)
        request = HttpRequest(
            method="POST",
            url=self._discovery.endpoint("registration_endpoint"),
            headers=(*JSON, *self._own.registration()),
            json=body,
        )
        response = self._http.send(request)
        if response.status in (200, 201):
            return registration.registered(response, body)
        if response.status in (401, 403):
            error = refusal(request, response, code=INITIAL_TOKEN_REFUSED, doing="our right to register clients")
            raise self._own.refused("registration", error)
        raise refusal(request, response, doing="the client")

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """RFC 7592 section 2.1; ``None`` when the client is gone, never when only our token is."""
        request = _managed("GET", handle)
        response = self._http.send(request)
        if response.status == 200:
            return registration.read(response, handle, self._config)
        if response.status in _NO_ACCESS:
            if self._lives(handle) is not True:
                return None
            raise _lost(handle, response.status)
        raise refusal(request, response, doing="to show the client")

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """RFC 7592 section 2.2: a full replacement by our own metadata, never by an echo of a read."""
        body = {**registration.registration_body(self._config, metadata), "client_id": handle.client_id}
        request = _managed("PUT", handle, body)
        response = self._http.send(request)
        if response.status == 200:
            return registration.updated(response, body, handle, self._config)
        if response.status in _NO_ACCESS:
            if self._lives(handle) is False:
                raise KeyManagerRejected(
                    f"The client {handle.client_id} no longer exists at the key manager",
                    remote_code=CLIENT_GONE,
                    remote_status=response.status,
                )
            raise _lost(handle, response.status)
        raise refusal(request, response, doing="the change")

    def delete(self, handle: ClientHandle) -> None:
        """RFC 7592 section 2.3. A client that is gone is success; one that lives on without our token is not."""
        request = _managed("DELETE", handle)
        response = self._http.send(request)
        if response.status in (200, 202, 204):
            return
        if response.status in (*_NO_ACCESS, 410):
            if response.status in (404, 410) or self._lives(handle) is not True:
                return
            raise _lost(handle, response.status)
        raise refusal(request, response, doing="the removal")

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A new secret by an update, at servers that give one with every update."""
        answer = self.update(handle, metadata)
        if answer.handle.client_secret == handle.client_secret:
            raise KeyManagerProtocolError("The key manager did not change the client secret")
        return answer

    def verify(self, handle: ClientHandle) -> Verification:
        """What can be proved: by its registration access token if there is one, and by its secret."""
        if handle.registration_access_token and handle.registration_client_uri:
            try:
                found = self.read(handle)
            except KeyManagerRejected as exc:
                return Verification(exists=True, secret_works=bool(handle.client_secret), notes=(exc.message,))
            if found is None:
                return Verification(exists=False, secret_works=False)
            return Verification(exists=True, secret_works=self._lives(handle) if handle.client_secret else None)
        if not handle.client_secret:
            return Verification(exists=None, secret_works=None, notes=("There is no secret to try.",))
        works = self._lives(handle)
        return Verification(
            exists=True if works else None,
            secret_works=works,
            notes=() if works else ("The client does not exist or the secret is wrong: servers do not say which.",),
        )

    def _lives(self, handle: ClientHandle) -> bool | None:
        """Whether the client still authenticates; ``None`` when that cannot be told.

        Without a secret only a public client can prove that it lives.
        """
        if handle.client_secret:
            return any(self._authenticates(handle, method) for method in ("basic", "post"))
        return True if self._authenticates(handle, "none") else None

    def _authenticates(self, handle: ClientHandle, method: str) -> bool:
        """Ask for something harmless: to revoke a made-up token (success, RFC 7009 2.2), else to refresh with one."""
        own = client_authentication(
            method, handle.client_id, handle.client_secret, basic_encoding=self._config.basic_encoding
        )
        made_up = secrets.token_urlsafe(24)
        endpoint, form = "token_endpoint", (("grant_type", "refresh_token"), ("refresh_token", made_up))
        if self._config.revocation:
            endpoint, form = "revocation_endpoint", (("token", made_up), ("token_type_hint", "refresh_token"))
        request = HttpRequest(
            method="POST",
            url=self._discovery.endpoint(endpoint),
            headers=(*JSON, *own.headers),
            form=(*form, *own.form),
            repeatable=True,
        )
        response = self._http.send(request)
        if self._config.revocation and response.ok and not is_page(response):
            return True
        if not 400 <= response.status < 500:
            raise refusal(request, response)
        error = text_of(response.json_object_or_empty(), "error")
        return error != "invalid_client" and (response.status not in (401, 403) or error == "unauthorized_client")


def _managed(method: str, handle: ClientHandle, body: dict[str, object] | None = None) -> HttpRequest:
    """A request with the registration access token, to its own stored URL and no other."""
    if not (handle.registration_access_token and handle.registration_client_uri):
        raise NotSupported(f"There is no registration access token for the client {handle.client_id}")
    headers = (*JSON, *bearer(handle.registration_access_token))
    return HttpRequest(method=method, url=handle.registration_client_uri, headers=headers, json=body)


def _lost(handle: ClientHandle, status: int) -> KeyManagerRejected:
    return KeyManagerRejected(
        f"The key manager no longer accepts our registration access token for the client {handle.client_id}",
        remote_code=MANAGEMENT_TOKEN_LOST,
        remote_status=status,
    )
