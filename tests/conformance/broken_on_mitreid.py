"""Adapters that a MITREid Connect breaks, each by one of its surprises."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.http import HttpClient, HttpLimits, HttpRequest, HttpResponse
from keymanager.adapters.contract import (
    ClientMetadata,
    Clock,
    RegisteredClient,
    RemoteResource,
    Resource,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.rfc.mitreid import MitreidScopes, MitreidSession
from keymanager.adapters.rfc.mitreid_resources import MitreidResources


class _LeavingOut(HttpClient):
    """Sends what it is given, without one member."""

    def __init__(self, inner: HttpClient, name: str) -> None:
        self._inner = inner
        self._name = name

    def send(self, request: HttpRequest, *, limits: HttpLimits | None = None) -> HttpResponse:
        body = request.json
        return self._inner.send(replace(request, json=None if body is None else self._changed(body)), limits=limits)

    def _changed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in body.items() if name != self._name}


class _SendingNull(_LeavingOut):
    """Sends a member as ``null`` that the server showed as ``null``."""

    def _changed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**body, self._name: None} if self._name in body else body


class LeavesAnEmptyListOut(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, _LeavingOut(http, "redirect_uris"), clock)


class ForgetsTheMethodOfOurIntrospectionClient(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, _SendingNull(http, "tokenEndpointAuthMethod"), clock)


class PassesTheFiltersWordOn(RfcAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        given = super().issue_token(request)
        return replace(given, body={"error": "unauthorized"}) if given.status == 401 else given


class TakesEveryActiveTokenForAnAccessToken(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(replace(config, refuses_endless_tokens=False), http, clock)


class LeavesScopesOut(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(replace(config, placeholder_scope=""), http, clock)


class EmptiesTheListOfScopes(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        made = super().create_client(metadata)
        if not metadata.scopes:
            session = MitreidSession.of(self.config, self.http)
            row = next(row for row in session.clients() if row["clientId"] == made.handle.client_id)
            session.replace(f"/clients/{row['id']}", {**row, "scope": []}, doing="the scopes")
        return made


class RegistersAResourceTwice(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._mitreid_resources = _WithoutASearch(config, http)


class _WithoutASearch(MitreidResources):
    def register(self, resource: Resource) -> RemoteResource:
        body = {"client_name": resource.name, "software_id": resource.identifier, "scope": " ".join(resource.scopes)}
        url = f"{self._config.admin_url}/resource"
        made = self._http.send(HttpRequest(method="POST", url=url, json=body)).json_object()
        return RemoteResource(remote_id=f"0:{made['client_id']}", identifier=resource.identifier)


class TrustsTheNumber(RfcAdapter):
    def delete_resource(self, remote_id: str) -> None:
        number, _, _ = remote_id.partition(":")
        MitreidSession.of(self.config, self.http).write("DELETE", f"/clients/{number}", None, doing="to delete")


class TakesTheFirstMark(RfcAdapter):
    def find_client(self, marker: str) -> RegisteredClient | None:
        for row in MitreidSession.of(self.config, self.http).clients():
            if row["softwareId"] == marker:
                return next(made for made in self.list_clients() if made.handle.client_id == row["clientId"])
        return None


class ForgetsOurIntrospectionClient(RfcAdapter):
    def __init__(self, config: RfcConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._administration = _OfTheServerOnly(config, http)


class _OfTheServerOnly(MitreidScopes):
    def _share(self, session: MitreidSession, *, without: str = "") -> None:
        return
