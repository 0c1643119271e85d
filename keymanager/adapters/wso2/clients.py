"""Clients under ids that we choose, so that a creation is safe to repeat: alike in either registration interface."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import required_text, text_of, whole_number
from keymanager.adapters.wso2.management import ManagementApi, gone, quoted
from keymanager.adapters.wso2.naming import (
    MARKER,
    application_name,
    marker_of,
    plain,
    preset_client_id,
    redirect_uris_of,
    shown_name,
)


class Wso2Clients(ABC):
    """The client operations of one tenant. ``path``: of the registration endpoint.

    ``grant_types``: on offer. ``extra``: what an application's owner may choose besides. ``overlap``: whether a client
    has several secrets at once. ``shown``: members of an answer that people are shown as they are.
    """

    path: ClassVar[str]
    grant_types: ClassVar[tuple[str, ...]]
    extra: ClassVar[frozenset[str]]
    shown: ClassVar[tuple[str, ...]]

    def __init__(self, api: ManagementApi, *, overlap: bool) -> None:
        self._api = api
        self._overlap = overlap

    def create(self, metadata: ClientMetadata) -> RegisteredClient:
        """Register it, or take over what an earlier attempt of ours has left."""
        body = {**self._creation(metadata), "ext_param_client_id": preset_client_id(metadata.marker)}
        try:
            response = self._api.send("POST", self.path, body, doing="the client")
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
        response = self._api.send("GET", self.path_of(handle), accepted=(401, 404), doing="to show the client")
        return None if self._api.is_missing(response) else self._registered(response, handle, None)

    def update(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A replacement by our own metadata; the secret stays."""
        body = self._change(metadata)
        response = self._api.send("PUT", self.path_of(handle), body, accepted=(401, 404), doing="the change")
        if self._api.is_missing(response):
            raise gone(handle.client_id, response.status)
        return self._registered(response, handle, metadata)

    def delete(self, handle: ClientHandle) -> None:
        """A client that is gone is success; 401 is not, unless our credentials are good."""
        path = self.path_of(handle)
        response = self._api.send("DELETE", path, repeatable=True, accepted=(401, 404), doing="the removal")
        self._api.is_missing(response)

    def find(self, marker: str) -> RegisteredClient | None:
        """By the id that the marker always gets, if the name is ours too."""
        found = self.read(ClientHandle(client_id=preset_client_id(marker)))
        return found if found is not None and found.observed[MARKER] == plain(marker) else None

    def path_of(self, handle: ClientHandle) -> str:
        """Of one client."""
        return f"{self.path}/{self._encoded(handle.client_id)}"

    def _encoded(self, identifier: str) -> str:
        return quoted(identifier)

    @abstractmethod
    def _creation(self, metadata: ClientMetadata) -> dict[str, Any]:
        """What is sent to make a client, without its id."""

    @abstractmethod
    def _change(self, metadata: ClientMetadata) -> dict[str, Any]:
        """What is sent to change one."""

    def _common_members(self, metadata: ClientMetadata) -> dict[str, Any]:
        unknown = [name for name in metadata.grant_types if name not in self.grant_types]
        if unknown:
            raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
        return {
            **{name: value for name, value in metadata.extra.items() if name in self.extra},
            "client_name": application_name(metadata.client_name, metadata.marker),
            "grant_types": list(metadata.grant_types),
            "redirect_uris": list(metadata.redirect_uris),
        }

    def _observed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A client by the names of RFC 7591, without secrets."""
        name = text_of(body, "client_name")
        return {
            **{member: body[member] for member in self.shown if body.get(member) is not None},
            "client_name": shown_name(name),
            "redirect_uris": redirect_uris_of(body),
            MARKER: marker_of(name),
        }

    def _asked(self, metadata: ClientMetadata, observed: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked, as ``observed`` would show it."""
        return {
            "client_name": metadata.client_name,
            "grant_types": sorted(metadata.grant_types),
            "redirect_uris": sorted(metadata.redirect_uris),
            MARKER: plain(metadata.marker),
        }

    def _registered(
        self, response: HttpResponse, handle: ClientHandle, metadata: ClientMetadata | None
    ) -> RegisteredClient:
        body = response.json_object()
        client_id = required_text(body, "client_id", response)
        if handle.client_id and client_id != handle.client_id:
            raise KeyManagerProtocolError(f"{address_only(response.url)} answered with another client")
        shown = text_of(body, "client_secret")
        # Of several secrets nobody says which one is shown.
        secret = handle.client_secret or shown if self._overlap else shown or handle.client_secret
        observed = self._observed(body)
        return RegisteredClient(
            handle=replace(handle, client_id=client_id, client_secret=secret),
            observed=observed,
            ignored=() if metadata is None else self._not_kept(metadata, observed),
            client_secret_expires_at=whole_number(body, "client_secret_expires_at") or 0,
        )

    def _not_kept(self, metadata: ClientMetadata, observed: Mapping[str, Any]) -> tuple[str, ...]:
        got = {name: sorted(map(str, value)) if isinstance(value, list) else value for name, value in observed.items()}
        lost = {name for name, value in self._asked(metadata, observed).items() if got.get(name) != value}
        return tuple(sorted(lost | (metadata.extra.keys() - self.extra)))
