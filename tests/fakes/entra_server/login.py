"""The sign-in endpoints of the fake tenant: tokens (v2.0 endpoint), authorization, discovery of both versions, keys."""

import hmac
import urllib.parse
from datetime import datetime
from typing import Any

from tests.fakes.entra_server.directory import Directory, Object
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeToken, Store

_PLAIN = {"openid", "profile", "email", "offline_access"}


class Login:
    """``authority``: its address. ``graph_url``: the one API that is not an application of this directory."""

    def __init__(self, directory: Directory, store: Store, *, authority: str, admin: tuple[str, str]) -> None:
        self._directory = directory
        self._store = store
        self._authority = authority
        self._tenant = f"{authority}/{directory.tenant}"
        self._admin = admin
        self.graph_url = authority
        self.issuer_in_tokens = ""
        self.person = "alice@example.org"

    # discovery

    def issuer(self, version: int) -> str:
        """The issuer of tokens of a version."""
        return f"{self._tenant}/v2.0" if version == 2 else f"https://sts.windows.net/{self._directory.tenant}/"

    def document(self, version: int) -> Answer:
        """Each version has its own document."""
        own = f"{self._tenant}/oauth2/v2.0" if version == 2 else f"{self._tenant}/oauth2"
        below = "/v2.0" if version == 2 else ""
        return Answer.of(
            {
                "issuer": self.issuer(version),
                "token_endpoint": f"{own}/token",
                "authorization_endpoint": f"{own}/authorize",
                "jwks_uri": f"{self._tenant}/discovery{below}/keys",
                "userinfo_endpoint": f"{self._authority}/oidc/userinfo",
                "cloud_instance_name": "microsoftonline.com",
                "msgraph_host": "graph.microsoft.com",
                "response_types_supported": ["code", "id_token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }
        )

    # tokens

    def token(self, request: Received) -> Answer:
        """POST to the token endpoint of version 2."""
        form = request.form
        if "resource" in form:
            raise _no(400, "invalid_request", 901002, "The 'resource' request parameter is not supported.")
        client_id, application = self._client(request)
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return self._for_itself(client_id, form.get("scope", ""))
        if grant not in ("authorization_code", "refresh_token") or application is None:
            raise _no(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")
        kept = self._store.live(
            form.get("code" if grant == "authorization_code" else "refresh_token", ""), "code", "refresh"
        )
        if kept is None or kept.client_id != client_id:
            raise _no(400, "invalid_grant", 9002313, "The code or refresh token is not valid.")
        if kept.kind == "code":
            kept.active = False
            if form.get("redirect_uri") != kept.extra["redirect_uri"]:
                raise _no(400, "invalid_grant", 500112, "The reply address does not match.")
        return self._for_person(application, kept, form.get("scope", "") or " ".join(kept.scopes))

    def authorize(self, request: Received) -> Answer:
        """GET of the authorization endpoint: the person agrees at once."""
        asked = request.parameters
        application = self._directory.by_app_id(self._directory.applications, asked.get("client_id", ""))
        uris = (
            []
            if application is None
            else [*application["web"]["redirectUris"], *application["publicClient"]["redirectUris"]]
        )
        if asked.get("redirect_uri") not in uris:
            raise Refused(Answer.page(400, "AADSTS50011: The redirect URI does not match."))
        scopes = asked.get("scope", "").split()
        kept = {"redirect_uri": asked["redirect_uri"]}
        code = self._store.issue("code", asked["client_id"], scopes, subject=self.person, seconds=60, extra=kept)
        answer = {"code": code.value, "state": asked.get("state", "")}
        return Answer(status=302, headers=(("Location", f"{asked['redirect_uri']}?{urllib.parse.urlencode(answer)}"),))

    def caller(self, request: Received) -> bool:
        """Whether a call of Graph comes with a live token of ours for Graph."""
        token = self._store.live(request.bearer, "access")
        return token is not None and self.graph_url in token.audience and token.client_id == self._admin[0]

    def _client(self, request: Received) -> tuple[str, Object | None]:
        form = request.form
        pair = request.basic
        client_id, secret = (form.get("client_id", ""), form.get("client_secret", "")) if pair is None else pair
        client_id, secret = (client_id, secret) if pair is None else (_decoded(client_id), _decoded(secret))
        if client_id == self._admin[0]:
            if not hmac.compare_digest(secret.encode(), self._admin[1].encode()):
                raise _no(401, "invalid_client", 7000215, "Invalid client secret provided.")
            return client_id, None
        application = self._directory.by_app_id(self._directory.applications, client_id)
        if application is None:
            words = f"Application with identifier '{client_id}' was not found in the directory."
            raise _no(400, "unauthorized_client", 700016, words)
        if not (application["isFallbackPublicClient"] and not secret):
            self._prove(application, secret)
        if application["isDisabled"] or self._principal(client_id)["accountEnabled"] is False:
            raise _no(400, "unauthorized_client", 7000112, f"Application '{client_id}' is disabled.")
        return client_id, application

    def _prove(self, application: Object, secret: str) -> None:
        for entry in application["passwordCredentials"]:
            if not hmac.compare_digest(self._directory.secrets[entry["keyId"]].encode(), secret.encode()):
                continue
            if self._directory.still_hidden("secret_lag", entry["keyId"]):
                break
            if datetime.fromisoformat(entry["endDateTime"]).timestamp() <= self._directory.clock():
                raise _no(401, "invalid_client", 7000222, "The provided client secret keys are expired.")
            return
        raise _no(401, "invalid_client", 7000215, "Invalid client secret provided.")

    def _principal(self, app_id: str) -> Object:
        found = self._directory.by_app_id(self._directory.principals, app_id)
        if found is None:
            raise _no(401, "invalid_client", 7000229, "The client is missing service principal in the tenant.")
        return found

    def _for_itself(self, client_id: str, scope: str) -> Answer:
        if not scope.endswith("/.default") or " " in scope:
            words = f"The provided value for scope {scope} is not valid: it must be suffixed with /.default."
            raise _no(400, "invalid_scope", 1002012, words)
        uri = scope.removesuffix("/.default")
        if uri == self.graph_url:
            token = self._issue(client_id, uri, 1, audience=uri, more={})
            return _given(token, {})
        api, resource = self._api(uri)
        principal = self._principal(client_id)
        values = {role["id"]: role["value"] for role in api["appRoles"] if role["isEnabled"]}
        held = [
            values[entry["appRoleId"]]
            for entry in self._directory.assignments.values()
            if (entry["principalId"], entry["resourceId"]) == (principal["id"], resource["id"])
            and entry["appRoleId"] in values
        ]
        version = api["api"]["requestedAccessTokenVersion"] or 1
        audience = api["appId"] if version == 2 else uri
        more = {"roles": held or None, "idtyp": "app", "oid": principal["id"], "sub": principal["id"]}
        return _given(self._issue(client_id, uri, version, audience=audience, more=more), {})

    def _for_person(self, application: Object, kept: FakeToken, scope: str) -> Answer:
        asked = [word for word in scope.split() if word not in _PLAIN]
        uris = {word.rpartition("/")[0] for word in asked}
        if len(uris) != 1:
            raise _no(400, "invalid_scope", 28000, "The scope must be for one resource.")
        uri = uris.pop()
        api, resource = self._api(uri)
        principal = self._principal(application["appId"])
        consented: list[str] = next(
            (
                entry["scope"].split()
                for entry in self._directory.consents.values()
                if (entry["clientId"], entry["resourceId"]) == (principal["id"], resource["id"])
            ),
            [],
        )
        names = [word.rpartition("/")[2] for word in asked]
        if not set(names) <= set(consented):
            raise _no(
                400, "invalid_grant", 65001, "The user or administrator has not consented to use the application."
            )
        version = api["api"]["requestedAccessTokenVersion"] or 1
        audience = api["appId"] if version == 2 else uri
        # A user's roles at the API are in the token too.
        more: dict[str, Any] = {
            "scp": " ".join(names),
            "roles": ["Curator"],
            "sub": "pairwise-subject",
            "oid": kept.subject,
        }
        token = self._issue(application["appId"], uri, version, audience=audience, more=more)
        extra = {"scope": " ".join(asked)}
        if "offline_access" in kept.scopes:
            extra["refresh_token"] = self._store.issue(
                "refresh", application["appId"], kept.scopes, subject=kept.subject, seconds=86400
            ).value
        return _given(token, extra)

    def _api(self, uri: str) -> tuple[Object, Object]:
        for application in self._directory.applications.values():
            principal = self._directory.by_app_id(self._directory.principals, application["appId"])
            if uri in (application["appId"], *application["identifierUris"]) and principal is not None:
                return application, principal
        words = f"The resource principal named {uri} was not found in the tenant."
        raise _no(400, "invalid_resource", 500011, words)

    def _issue(self, client_id: str, uri: str, version: int, *, audience: str, more: dict[str, Any]) -> FakeToken:
        claims = {
            "iss": self.issuer_in_tokens or self.issuer(version),
            "tid": self._directory.tenant,
            "ver": f"{version}.0",
            "client_id": None,
            "scope": None,
            ("azp" if version == 2 else "appid"): client_id,
            **more,
        }
        return self._store.issue("access", client_id, (), audience=[audience], token_format="jwt", claims=claims)


def _given(token: FakeToken, extra: dict[str, Any]) -> Answer:
    seconds = int(token.expires_at - token.issued_at)
    body = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token.value}
    return Answer.of({**body, **extra})


def _decoded(value: str) -> str:
    return urllib.parse.unquote_plus(value)


def _no(status: int, error: str, number: int, words: str) -> Refused:
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: {words} Trace ID: 0000 Timestamp: 2026-01-01 00:00:00Z",
        "error_codes": [number],
        "timestamp": "2026-01-01 00:00:00Z",
        "trace_id": "00000000-0000-0000-0000-000000000000",
        "correlation_id": "00000000-0000-0000-0000-000000000000",
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
    return Refused(Answer.of(body, status=status))
