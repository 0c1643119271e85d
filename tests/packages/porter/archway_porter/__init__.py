"""Porter: tokens by the RFCs, clients by ``PUT /admin/apps/{id}`` under ids that the caller chooses."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote

from common.errors import InputError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from keymanager.adapters.config import knob
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Recognised,
    RegisteredClient,
    ServerMetadata,
    Verification,
)
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.answers import CLIENT_GONE, refusal
from keymanager.adapters.rfc.check import common_steps
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules
from keymanager.adapters.trial_client import TrialClient

C = Capability
_PREFIX = "archway-"
_KEPT = ("client_name", "grant_types", "redirect_uris", "token_endpoint_auth_method", "scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class PorterConfig(TokenRules):
    """One Porter."""

    issuer: str = knob("Issuer", kind="url", required=True)
    admin_key: str = knob("Administration key", secret=True, required=True)
    introspection_client_id: str = knob("Introspection: client id", required=True)
    introspection_client_secret: str = knob("Introspection: client secret", secret=True)


def _knobs(config: PorterConfig) -> RfcConfig:
    """The part of Porter that speaks the RFCs."""
    return RfcConfig(
        issuer=config.issuer,
        registration="none",
        introspection_client_id=config.introspection_client_id,
        introspection_client_secret=config.introspection_client_secret,
        token_validation=config.token_validation,
    )


class PorterAdapter(RfcAdapter):
    """The id of a client is made of its marker, so making it twice makes it once."""

    slug = "porter"
    label = "Porter"
    Config: ClassVar[type[Any]] = PorterConfig

    def __init__(self, config: PorterConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(_knobs(config), http, clock)
        self.config = config
        self._settings = config

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By a member that only Porter has."""
        return Recognised(reason="It names its porter_release.") if "porter_release" in found.raw else None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The RFCs', and clients."""
        clients = {C.CREATE_CLIENT, C.READ_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT, C.ROTATE_SECRET, C.FIND_CLIENT}
        return super().capabilities | clients

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """With an id and a secret of ours."""
        handle = ClientHandle(client_id=_PREFIX + metadata.marker, client_secret=secrets.token_urlsafe(32))
        return self._put(handle, metadata, doing="to register the client")

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """By id; Porter never shows a secret."""
        request = self._request("GET", handle.client_id)
        response = self.http.send(request)
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(request, response, doing="to show the client")
        return RegisteredClient(handle=handle, observed=_observed(response, handle.client_id))

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Replaces the metadata; the secret stays, because none is sent."""
        self._must_exist(handle)
        updated = self._put(replace(handle, client_secret=""), metadata, doing="to change the client")
        return replace(updated, handle=handle)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """The old one ends at once."""
        self._must_exist(handle)
        return self._put(
            replace(handle, client_secret=secrets.token_urlsafe(32)), metadata, doing="to take a new secret"
        )

    def delete_client(self, handle: ClientHandle) -> None:
        """One that is gone is success."""
        request = self._request("DELETE", handle.client_id)
        response = self.http.send(request)
        if response.status not in (204, 404):
            raise refusal(request, response, doing="to remove the client")

    def find_client(self, marker: str) -> RegisteredClient | None:
        """By the id that is made of the marker."""
        return self.read_client(ClientHandle(client_id=_PREFIX + marker))

    def verify_client(self, handle: ClientHandle) -> Verification:
        """A read says whether it exists, a refresh that cannot succeed whether the secret works."""
        if self.read_client(ClientHandle(client_id=handle.client_id)) is None:
            return Verification(exists=False, secret_works=False)
        tried = super().verify_client(ClientHandle(client_id=handle.client_id, client_secret=handle.client_secret))
        return Verification(exists=True, secret_works=tried.secret_works)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, and a throw-away client."""
        self._discovery.forget()
        yield from common_steps(self)
        yield from TrialClient(self).steps()

    def _must_exist(self, handle: ClientHandle) -> None:
        if self.read_client(handle) is None:
            raise KeyManagerRejected("The client does not exist", remote_code=CLIENT_GONE, remote_status=404)

    def _put(self, handle: ClientHandle, metadata: ClientMetadata, *, doing: str) -> RegisteredClient:
        unknown = [grant for grant in metadata.grant_types if grant not in self.knobs.grant_types]
        if unknown:
            raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
        asked = {
            "client_name": metadata.client_name,
            "grant_types": list(metadata.grant_types),
            "redirect_uris": list(metadata.redirect_uris),
            "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
            "scope": " ".join(sorted(metadata.scopes)),
        }
        secret = {"client_secret": handle.client_secret} if handle.client_secret else {}
        request = self._request("PUT", handle.client_id, {**asked, **secret})
        response = self.http.send(request)
        if response.status != 200:
            raise refusal(request, response, doing=doing)
        observed = _observed(response, handle.client_id)
        ignored = tuple(name for name in _KEPT if observed.get(name) != asked[name])
        return RegisteredClient(handle=handle, observed=observed, ignored=ignored)

    def _request(self, method: str, client_id: str, body: Mapping[str, Any] | None = None) -> HttpRequest:
        return HttpRequest(
            method=method,
            url=f"{self._settings.issuer}/admin/apps/{quote(client_id, safe='')}",
            headers=(("Accept", "application/json"), ("Authorization", f"Porter {self._settings.admin_key}")),
            json=body,
            # A PUT without its answer is unknown, although it may be repeated: the engine looks before it does.
            repeatable=method != "PUT",
        )


def _observed(response: HttpResponse, client_id: str) -> dict[str, Any]:
    body = response.json_object()
    if body.get("id") != client_id:
        raise KeyManagerProtocolError("Porter answered about another client")
    return {name: body[name] for name in _KEPT if name in body}
