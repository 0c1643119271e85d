"""Clients by AM's dynamic registration: RFC 7591 with words of its own, and RFC 7592 where the server has it."""

from collections.abc import Mapping
from typing import Any

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from keymanager.adapters.contract import ClientHandle, ClientMetadata, Clock, RegisteredClient
from keymanager.adapters.forgerock.api import client_gone
from keymanager.adapters.forgerock.config import ForgeRockConfig, knobs
from keymanager.adapters.forgerock.documents import mark
from keymanager.adapters.rfc import registration
from keymanager.adapters.rfc.answers import INITIAL_TOKEN_REFUSED, MANAGEMENT_TOKEN_LOST, refusal, text_of, texts_of
from keymanager.adapters.rfc.credentials import JSON, OwnCredentials, bearer
from keymanager.adapters.rfc.discovery import Discovery

NO_MANAGEMENT = "no_registration_management"
# Ours alone: nobody asked for them.
_NOT_ASKED = frozenset({"client_type", "client_description", "default_scopes"})


class DynamicClients:
    """The registration endpoint that discovery names."""

    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock, discovery: Discovery) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._discovery = discovery

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Refused unless the answer has the scopes that were asked: an unreadable body makes an empty client, 201.

        ``KeyManagerProtocolError`` then names the client, which is removed where that is possible.
        """
        body = self._body(metadata)
        request = HttpRequest(
            method="POST",
            url=self._discovery.endpoint("registration_endpoint"),
            headers=(*JSON, *self._fresh_right()),
            json=body,
        )
        response = self._http.send(request)
        if response.status in (200, 201):
            made = _in_rfc_words(registration.registered(response, body), response, body)
            if "scope" in made.ignored:
                self._give_up(made)
            return made
        denied = text_of(response.json_object_or_empty(), "error") == "access_denied"
        if response.status in (401, 403) or denied:
            raise KeyManagerRejected(
                f"The key manager refused our right to register clients (HTTP {response.status})",
                remote_code=INITIAL_TOKEN_REFUSED,
                remote_status=response.status,
            )
        raise refusal(request, response, doing="the client")

    def read(self, handle: ClientHandle) -> RegisteredClient | None:
        """``None`` when there is no such client, ``KeyManagerRejected`` when only our token is refused."""
        request = _managed("GET", handle)
        response = self._http.send(request)
        if response.status == 200:
            found = registration.read(response, handle, knobs(self._config))
            return _in_rfc_words(found, response, {})
        if _is_gone(response):
            return None
        raise _refused(request, response, handle, doing="to show the client")

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A full replacement; 405 where the server has no such call (OpenAM)."""
        body = {**self._body(metadata), "client_id": handle.client_id}
        request = _managed("PUT", handle, body)
        response = self._http.send(request)
        if response.status == 200:
            changed = registration.updated(response, body, handle, knobs(self._config))
            return _in_rfc_words(changed, response, body)
        if _is_gone(response):
            raise client_gone(handle.client_id, response.status)
        raise _refused(request, response, handle, doing="the change")

    def delete(self, handle: ClientHandle) -> None:
        """A client that is gone is success."""
        request = _managed("DELETE", handle)
        response = self._http.send(request)
        if not (response.ok or _is_gone(response)):
            raise _refused(request, response, handle, doing="the removal")

    def _fresh_right(self) -> tuple[tuple[str, str], ...]:
        """A token for one registration only: in OpenAM it becomes the client's registration access token."""
        return OwnCredentials(knobs(self._config), self._http, self._clock, self._discovery).registration()

    def _body(self, metadata: ClientMetadata) -> dict[str, Any]:
        """Both lists of scopes: ``scopes`` is what the client may have, ``default_scopes`` what it gets unasked."""
        body = registration.registration_body(knobs(self._config), metadata)
        body.pop("scope", None)
        scopes = sorted(metadata.scopes)
        public = metadata.token_endpoint_auth_method == "none"
        return {
            **body,
            "client_type": "Public" if public else "Confidential",
            "client_description": [mark(metadata.marker)],
            **({"scopes": scopes, "default_scopes": scopes} if scopes else {}),
        }

    def _give_up(self, made: RegisteredClient) -> None:
        client_id = made.handle.client_id
        left = "it was removed again"
        try:
            self.delete(made.handle)
        except KeyManagerRejected:
            left = "it cannot be removed by registration and stays without use"
        raise KeyManagerProtocolError(f"The client {client_id} was made with other scopes than were asked: {left}")


def _in_rfc_words(made: RegisteredClient, response: HttpResponse, sent: Mapping[str, Any]) -> RegisteredClient:
    """With ``scope`` for ``scopes``, and our own names for what is not kept."""
    body = response.json_object()
    shown = {**made.observed, "scope": " ".join(sorted(texts_of(body, "scopes")))}
    name = texts_of(body, "client_name")
    if name:
        shown["client_name"] = name[0]
    ignored = {"scope" if entry == "scopes" else entry for entry in made.ignored}
    return RegisteredClient(
        handle=made.handle,
        observed=shown,
        ignored=tuple(sorted(ignored - _NOT_ASKED)),
        client_secret_expires_at=made.client_secret_expires_at,
    )


def _managed(method: str, handle: ClientHandle, body: dict[str, Any] | None = None) -> HttpRequest:
    if not (handle.registration_access_token and handle.registration_client_uri):
        raise KeyManagerRejected(
            f"There is no registration access token for the client {handle.client_id}",
            remote_code=MANAGEMENT_TOKEN_LOST,
        )
    headers = (*JSON, *bearer(handle.registration_access_token))
    return HttpRequest(method=method, url=handle.registration_client_uri, headers=headers, json=body)


def _is_gone(response: HttpResponse) -> bool:
    """404, or 400 ``invalid_client_metadata`` as OpenAM says of an unknown client."""
    code = text_of(response.json_object_or_empty(), "error")
    return response.status == 404 or (response.status == 400 and code == "invalid_client_metadata")


def _refused(request: HttpRequest, response: HttpResponse, handle: ClientHandle, *, doing: str) -> ArchwayError:
    if response.status == 405:
        return KeyManagerRejected(
            "This server cannot change or remove clients by registration: use the administration REST API",
            remote_code=NO_MANAGEMENT,
            remote_status=405,
        )
    if response.status in (401, 403):
        return KeyManagerRejected(
            f"The key manager no longer accepts our registration access token for the client {handle.client_id}",
            remote_code=MANAGEMENT_TOKEN_LOST,
            remote_status=response.status,
        )
    return refusal(request, response, doing=doing)
