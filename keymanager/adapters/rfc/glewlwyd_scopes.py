"""Scopes of a glewlwyd server, through its administration API (a session cookie, or nothing works)."""

from typing import Any
from urllib.parse import quote

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpRequest, HttpResponse
from common.http_values import Pairs
from keymanager.adapters.contract import ScopeSpec
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON


class GlewlwydScopes:
    """Every call signs in anew: a session that ended cannot be told from a right that is missing."""

    def __init__(self, config: RfcConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._base = config.admin_url.rstrip("/")

    def register(self, scope: ScopeSpec) -> None:
        """Add the scope, or give the one that exists this description."""
        session = self._sign_in()
        present = self._read(session, scope.key)
        words = {"display_name": scope.key, "description": scope.description}
        if present is None:
            body = {"name": scope.key, "password_required": False, "scheme": {}, **words}
            self._expect_ok(self._request("POST", "/scope/", session, body), "the scope")
        elif any(present.get(name) != value for name, value in words.items()):
            self._expect_ok(self._request("PUT", self._path(scope.key), session, {**present, **words}), "the scope")

    def delete(self, key: str) -> None:
        """Delete the scope; one that is gone is success."""
        session = self._sign_in()
        if self._read(session, key) is not None:
            self._expect_ok(self._request("DELETE", self._path(key), session), "to delete the scope")

    def keys(self) -> frozenset[str]:
        """Keys of all scopes."""
        request = self._request("GET", "/scope/?limit=0", self._sign_in())
        response = self._expect_ok(request, "to list its scopes")
        return frozenset(str(entry["name"]) for entry in response.json_list() if isinstance(entry, dict))

    def _read(self, session: Pairs, key: str) -> dict[str, Any] | None:
        request = self._request("GET", self._path(key), session)
        response = self._http.send(request)
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(request, response, doing="to show a scope")
        return response.json_object()

    def _sign_in(self) -> Pairs:
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

    def _path(self, key: str) -> str:
        return f"/scope/{quote(key, safe='')}"

    def _request(self, method: str, path: str, session: Pairs, body: dict[str, Any] | None = None) -> HttpRequest:
        # Every one of these calls can be made twice with the same result.
        return HttpRequest(
            method=method, url=f"{self._base}{path}", headers=(*JSON, *session), json=body, repeatable=True
        )

    def _expect_ok(self, request: HttpRequest, doing: str) -> HttpResponse:
        response = self._http.send(request)
        if not response.ok:
            raise refusal(request, response, doing=doing)
        return response
