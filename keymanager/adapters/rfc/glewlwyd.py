"""Scopes of a glewlwyd server, through its administration API: no RFC has a call for them."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from common.http_values import Pairs
from keymanager.adapters.contract import RegisteredClient, ScopeSpec
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON


class GlewlwydAdministration:
    """With an API key, or a user name and password: then every operation signs in anew, for sessions end unasked."""

    def __init__(self, config: RfcConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._base = config.admin_url.rstrip("/")

    def register_scope(self, scope: ScopeSpec) -> None:
        """Add the scope, or give the one that exists this description."""
        right = self._right()
        present = self._read(f"/scope/{_quoted(scope.key)}", right)
        # An empty description is refused.
        words = {"display_name": scope.key} | ({"description": scope.description[:512]} if scope.description else {})
        if present is None:
            body = {"name": scope.key, "password_required": False, "scheme": {}, **words}
            self._expect_ok(self._request("POST", "/scope/", right, body), "the scope")
        elif any(present.get(name) != words.get(name) for name in ("display_name", "description")):
            kept = {name: value for name, value in present.items() if name != "description"}
            self._expect_ok(self._request("PUT", f"/scope/{_quoted(scope.key)}", right, {**kept, **words}), "the scope")

    def delete_scope(self, key: str) -> None:
        """Delete the scope; one that is gone is success."""
        request = self._request("DELETE", f"/scope/{_quoted(key)}", self._right())
        response = self._http.send(request)
        if not response.ok and response.status != 404:
            raise refusal(request, response, doing="to delete the scope")

    def scope_keys(self) -> frozenset[str]:
        """Keys of all scopes."""
        request = self._request("GET", "/scope/?limit=0", self._right())
        response = self._expect_ok(request, "to list its scopes")
        return frozenset(str(entry["name"]) for entry in response.json_list() if isinstance(entry, dict))

    def with_scopes(self, registered: RegisteredClient, scopes: frozenset[str]) -> RegisteredClient:
        """Give a client exactly ``scopes``: registration gives it a fixed list, whatever was asked.

        The client exists already and its handle must not be lost, so a failure is reported as an ignored ``scope``.
        """
        if not scopes:
            return registered
        others = tuple(name for name in registered.ignored if name != "scope")
        try:
            self._grant(registered.handle.client_id, scopes)
        except ArchwayError:
            return replace(registered, ignored=tuple(sorted((*others, "scope"))))
        observed = {**registered.observed, "scope": " ".join(sorted(scopes))}
        return replace(registered, ignored=others, observed=observed)

    def _grant(self, client_id: str, scopes: frozenset[str]) -> None:
        right = self._right()
        path = f"/client/{_quoted(client_id)}"
        present = self._read(path, right)
        if present is None:
            raise KeyManagerProtocolError("The key manager's administration does not know the client")
        if set(present.get("scope") or []) != scopes:
            # A full replacement: everything that was read goes back.
            body = {**present, "scope": sorted(scopes)}
            self._expect_ok(self._request("PUT", path, right, body), "the client's scopes")

    def _read(self, path: str, right: Pairs) -> dict[str, Any] | None:
        request = self._request("GET", path, right)
        response = self._http.send(request)
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="our right to administer")
        return response.json_object()

    def _right(self) -> Pairs:
        if self._config.admin_api_key:
            return (("Authorization", f"token {self._config.admin_api_key}"),)
        request = HttpRequest(
            method="POST",
            url=f"{self._base}/auth/",
            headers=JSON,
            json={"username": self._config.admin_user, "password": self._config.admin_password},
            repeatable=True,
        )
        response = self._http.send(request)
        if response.status in (401, 403):
            raise KeyManagerRejected(
                "The key manager refused our administrator",
                remote_code=OWN_CLIENT_REFUSED,
                remote_status=response.status,
            )
        if response.status != 200:
            raise refusal(request, response, doing="our administrator")
        cookie = response.header("set-cookie").partition(";")[0]
        if not cookie:
            raise KeyManagerProtocolError("The key manager signed our administrator in without a session cookie")
        return (("Cookie", cookie),)

    def _request(self, method: str, path: str, right: Pairs, body: dict[str, Any] | None = None) -> HttpRequest:
        # Every one of these calls can be made twice with the same result.
        return HttpRequest(
            method=method, url=f"{self._base}{path}", headers=(*JSON, *right), json=body, repeatable=True
        )

    def _expect_ok(self, request: HttpRequest, doing: str) -> HttpResponse:
        response = self._http.send(request)
        if not response.ok:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing=doing)
        return response


def _quoted(name: str) -> str:
    return quote(name, safe="")
