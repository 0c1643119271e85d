"""The administration API of MITREid Connect: a person's session, the clients and resources, and the scopes.

Our introspection client sees of a token only the scopes that it has itself, so it gets every scope that is registered.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from common.errors import KeyManagerProtocolError, KeyManagerRejected
from common.http import HttpClient, HttpLimits, HttpRequest, HttpResponse
from common.http_values import Pairs
from keymanager.adapters.contract import RegisteredClient, ScopeSpec
from keymanager.adapters.rfc.answers import OWN_CLIENT_REFUSED, refusal
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.rfc.credentials import JSON

_CSRF = re.compile(r'name="_csrf" value="([^"]+)"')
# All clients come in one answer, of some 1,300 bytes each: this is enough for 20,000.
_LIST_LIMITS = HttpLimits(read=30.0, total=60.0, max_response_bytes=32 * 1024 * 1024)
_METHODS = {"basic": "SECRET_BASIC", "post": "SECRET_POST"}
# Writing the list of scopes again, because another worker registered one meanwhile, ends after so many times.
_MOST_ROUNDS = 5

Row = dict[str, Any]


class MitreidSession:
    """Signs in as a person with the role of an administrator, anew for each operation: sessions end unasked."""

    def __init__(self, http: HttpClient, base: str, cookie: str) -> None:
        self._http = http
        self._base = base
        self._right: Pairs = (("Cookie", cookie),)

    @classmethod
    def of(cls, config: RfcConfig, http: HttpClient) -> "MitreidSession":
        """Raises ``KeyManagerRejected`` (``own_client_refused``) when the user name or the password is wrong."""
        base = config.admin_url.rstrip("/")
        page = http.send(HttpRequest(method="GET", url=f"{base}/login"))
        found = _CSRF.search(page.text)
        if page.status != 200 or found is None:
            raise KeyManagerProtocolError("The key manager shows no form to sign our administrator in")
        form = (("username", config.admin_user), ("password", config.admin_password), ("_csrf", found.group(1)))
        request = HttpRequest(
            method="POST", url=f"{base}/login", headers=(("Cookie", _cookie(page)),), form=form, repeatable=True
        )
        answer = http.send(request)
        # A wrong password and a right one both answer 302; only where to differs.
        if answer.status != 302 or "error" in answer.header("location"):
            raise KeyManagerRejected(
                "The key manager refused our administrator",
                remote_code=OWN_CLIENT_REFUSED,
                remote_status=answer.status,
            )
        return cls(http, base, _cookie(answer))

    def rows(self, path: str) -> list[Row]:
        """A whole collection, ``/clients`` or ``/scopes``."""
        response = self._http.send(self._request("GET", path), limits=_LIST_LIMITS)
        if response.status != 200:
            raise refusal(self._request("GET", path), response, code=OWN_CLIENT_REFUSED, doing="our administrator")
        return [row for row in response.json_list() if isinstance(row, dict)]

    def clients(self) -> list[Row]:
        """Clients and resources alike. Raises ``KeyManagerRejected`` for a person who is no administrator."""
        rows = self.rows("/clients")
        # Other people are shown some members only, which looks like a server without our clients.
        if any("softwareId" not in row for row in rows):
            raise KeyManagerRejected("The person we sign in as is no administrator", remote_code=OWN_CLIENT_REFUSED)
        return rows

    def row(self, path: str) -> Row | None:
        """One thing; ``None`` when it is not there."""
        request = self._request("GET", path)
        response = self._http.send(request)
        if response.status == 404:
            return None
        if response.status != 200:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing="our administrator")
        return response.json_object()

    def write(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, doing: str, repeatable: bool = True
    ) -> HttpResponse:
        """POST, PUT or DELETE; any status below 500 but 401 and 403 is the caller's to read."""
        request = self._request(method, path, body, repeatable=repeatable)
        response = self._http.send(request)
        if response.status in (401, 403) or response.status >= 500:
            raise refusal(request, response, code=OWN_CLIENT_REFUSED, doing=doing)
        return response

    def replace(self, path: str, body: Mapping[str, Any], *, doing: str, repeatable: bool = True) -> Row:
        """PUT of a whole object; the object as it is now."""
        response = self.write("PUT", path, body, doing=doing, repeatable=repeatable)
        if response.status != 200:
            raise refusal(self._request("PUT", path), response, doing=doing)
        return response.json_object()

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = True
    ) -> HttpRequest:
        return HttpRequest(
            method=method,
            url=f"{self._base}/api{path}",
            headers=(*JSON, *self._right),
            json=body,
            repeatable=repeatable,
        )


class MitreidScopes:
    """The scopes of the server, and the list of them that our introspection client has."""

    def __init__(self, config: RfcConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http

    def register_scope(self, scope: ScopeSpec) -> None:
        """Add the scope, or give the one that exists this description.

        Raises ``KeyManagerRejected`` for one that an administrator restricted: no client could be given it.
        """
        session = MitreidSession.of(self._config, self._http)
        present = _scope_row(session, scope.key)
        if present is None:
            body = {"value": scope.key, "description": scope.description, "restricted": False, "defaultScope": False}
            made = session.write("POST", "/scopes", body, doing="the scope")
            if made.status == 409:
                present = _scope_row(session, scope.key)
            elif not made.ok:
                raise KeyManagerRejected("The key manager refused the scope", remote_status=made.status)
        if present is not None:
            if present.get("restricted"):
                raise KeyManagerRejected(
                    f"The scope {scope.key} is restricted at the key manager: clients that register do not get it",
                    remote_code="scope_restricted",
                )
            if (present.get("description") or "") != scope.description:
                changed = {**present, "description": scope.description}
                session.replace(f"/scopes/{present['id']}", changed, doing="the scope")
        self._share(session)

    def delete_scope(self, key: str) -> None:
        """Delete the scope; one that is gone is success."""
        session = MitreidSession.of(self._config, self._http)
        present = _scope_row(session, key)
        if present is not None:
            gone = session.write("DELETE", f"/scopes/{present['id']}", None, doing="to delete the scope")
            if not gone.ok and gone.status != 404:
                raise KeyManagerRejected("The key manager refused to delete the scope", remote_status=gone.status)
        self._share(session, without=key)

    def scope_keys(self) -> frozenset[str]:
        """Keys of all scopes."""
        return _keys(MitreidSession.of(self._config, self._http))

    def with_scopes(self, registered: RegisteredClient, scopes: frozenset[str]) -> RegisteredClient:
        """Registration took the scopes as they were asked: there is nothing to add.

        Never make a client's list shorter here: a client with an empty list is given whatever it asks for.
        """
        return registered

    def unseen_scopes(self) -> frozenset[str]:
        """Scopes of the server that our introspection client would not see in a token."""
        session = MitreidSession.of(self._config, self._http)
        return _keys(session) - set(self._introspecting(session)["scope"])

    def _share(self, session: MitreidSession, *, without: str = "") -> None:
        """Give our introspection client every scope of the server. Two workers may do so at once: whoever writes looks
        again afterwards, so the last one to write has seen what all others registered.
        """
        if not self._config.introspects:
            return
        for _ in range(_MOST_ROUNDS):
            row = self._introspecting(session)
            wanted = _keys(session) | (set(row["scope"]) - {without})
            if wanted == set(row["scope"]):
                return
            # Without a method the server takes it for a public client, and forgets its secret.
            method = row.get("tokenEndpointAuthMethod") or _METHODS[self._config.introspection_auth]
            body = {**row, "scope": sorted(wanted), "tokenEndpointAuthMethod": method}
            session.replace(f"/clients/{row['id']}", body, doing="the scopes of our introspection client")
        raise KeyManagerProtocolError("The scopes of our introspection client do not stay as they are written")

    def _introspecting(self, session: MitreidSession) -> Row:
        row = one(session.clients(), lambda found: found["clientId"] == self._config.introspection_client_id)
        if row is None or not row.get("allowIntrospection"):
            what = "does not know" if row is None else "does not let introspect"
            raise KeyManagerRejected(
                f"The key manager {what} our client {self._config.introspection_client_id}",
                remote_code=OWN_CLIENT_REFUSED,
            )
        return row


def one(rows: Iterable[Row], wanted: Callable[[Row], bool]) -> Row | None:
    """The one row that is wanted. Raises ``KeyManagerRejected`` when there are several: anybody may register."""
    found = [row for row in rows if wanted(row)]
    if len(found) > 1:
        names = ", ".join(sorted(str(row["clientId"]) for row in found))
        raise KeyManagerRejected(
            f"The key manager has several with the same mark: {names}. A person must delete those that are not ours.",
            remote_code="marker_not_unique",
        )
    return found[0] if found else None


def _scope_row(session: MitreidSession, key: str) -> Row | None:
    return next((row for row in session.rows("/scopes") if row.get("value") == key), None)


def _keys(session: MitreidSession) -> frozenset[str]:
    return frozenset(str(row["value"]) for row in session.rows("/scopes"))


def _cookie(response: HttpResponse) -> str:
    return response.header("set-cookie").partition(";")[0]


def quoted(name: str) -> str:
    """A segment of a path."""
    return quote(name, safe="")
