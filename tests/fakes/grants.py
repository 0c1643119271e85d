"""Token and authorization endpoint of the fake server (RFC 6749, 7636, 8707)."""

import base64
import hashlib
import hmac
import urllib.parse
from typing import Any

from tests.fakes.client_authentication import authenticate, request_error
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeClient, FakeToken, Store


def token(store: Store, request: Received) -> Answer:
    """POST to the token endpoint."""
    client = authenticate(store, request)
    form = request.form
    grant = form.get("grant_type", "")
    grants = {
        "client_credentials": _client_credentials,
        "authorization_code": _authorization_code,
        "refresh_token": _refresh_token,
        **({"password": _password} if store.quirks.password_grant else {}),
    }
    if grant not in grants:
        raise Refused(request_error(store, "unsupported_grant_type", "unknown grant_type"))
    if grant not in client.grant_types:
        raise Refused(request_error(store, store.quirks.grant_error, f"{grant} is not allowed for this client"))
    return grants[grant](store, client, request)


def authorize(store: Store, request: Received, person: str) -> Answer:
    """GET of the authorization endpoint: approves at once for ``person`` and redirects with a code."""
    asked = request.parameters
    client = store.clients.get(asked.get("client_id", ""))
    redirect_uris = client.metadata.get("redirect_uris", []) if client else []
    redirect_uri = asked.get("redirect_uri") or (redirect_uris[0] if len(redirect_uris) == 1 else "")
    if client is None or redirect_uri not in redirect_uris:
        raise Refused(Answer.error(400, "invalid_request", "unknown client or redirect_uri"))
    if asked.get("response_type") != "code":
        return _back(redirect_uri, asked, error="unsupported_response_type")
    if store.quirks.pkce_required and "code_challenge" not in asked:
        return _back(redirect_uri, asked, error="invalid_request")
    if asked.get("code_challenge_method", "S256") != "S256":
        return _back(redirect_uri, asked, error="invalid_request")
    try:
        scopes = granted_scopes(store, client, asked.get("scope"))
    except Refused:
        return _back(redirect_uri, asked, error=store.quirks.scope_error)
    kept = {"redirect_uri": redirect_uri, "code_challenge": asked.get("code_challenge", "")}
    code = store.issue("code", client.client_id, scopes, subject=person, seconds=60, extra=kept)
    return _back(redirect_uri, asked, code=code.value, iss=store.token_issuer)


def granted_scopes(store: Store, client: FakeClient, asked: str | None) -> list[str]:
    """The scopes that this server grants for what was asked; raises ``Refused`` where it refuses."""
    quirks = store.quirks
    own = list(store.scopes) if client.scopes is None else client.scopes
    if not asked:
        match quirks.no_scope:
            case "none":
                return []
            case "client_default":
                return list(client.scopes or [])
            case "all":
                return own
            case "403_empty":
                raise Refused(Answer(status=403))
    granted = []
    for scope in dict.fromkeys(asked.split()):
        policy = quirks.foreign_scope if scope in store.scopes else quirks.unknown_scope
        if scope in own or policy == "granted":
            granted.append(scope)
        elif policy == "refused":
            raise Refused(Answer.error(400, quirks.scope_error, f"scope {scope} is not allowed"))
    if not granted and quirks.nothing_left == "refused":
        raise Refused(Answer.error(400, quirks.scope_error))
    return granted


def _client_credentials(store: Store, client: FakeClient, request: Received) -> Answer:
    scopes = granted_scopes(store, client, request.form.get("scope"))
    return _issued(store, client, request, scopes, subject="")


def _password(store: Store, client: FakeClient, request: Received) -> Answer:
    form = request.form
    known = store.people.get(form.get("username", ""), "")
    if not known or not hmac.compare_digest(known.encode(), form.get("password", "").encode()):
        raise Refused(Answer.error(400, "invalid_grant", "wrong user name or password"))
    scopes = granted_scopes(store, client, form.get("scope"))
    return _issued(store, client, request, scopes, subject=form["username"])


def _authorization_code(store: Store, client: FakeClient, request: Received) -> Answer:
    form = request.form
    code = store.live(form.get("code", ""), "code")
    if code is None or code.client_id != client.client_id:
        raise Refused(Answer.error(400, "invalid_grant", "the code is unknown, used or expired"))
    code.active = False  # single use, whatever comes of it
    if form.get("redirect_uri", code.extra["redirect_uri"]) != code.extra["redirect_uri"]:
        raise Refused(Answer.error(400, "invalid_grant", "redirect_uri is not the one of the authorization request"))
    challenge = code.extra["code_challenge"]
    if challenge and not hmac.compare_digest(challenge, _s256(form.get("code_verifier", ""))):
        raise Refused(Answer.error(400, "invalid_grant", "code_verifier does not match"))
    return _issued(store, client, request, list(code.scopes), subject=code.subject)


def _refresh_token(store: Store, client: FakeClient, request: Received) -> Answer:
    form = request.form
    old = store.live(form.get("refresh_token", ""), "refresh")
    if old is None or old.client_id != client.client_id:
        raise Refused(Answer.error(400, "invalid_grant", "the refresh token is unknown, revoked or expired"))
    asked = form.get("scope", "").split() or list(old.scopes)
    if set(asked) - set(old.scopes):
        raise Refused(Answer.error(400, store.quirks.scope_error, "more than was granted"))
    if store.quirks.rotate_refresh_tokens:
        old.active = False
    return _issued(store, client, request, asked, subject=old.subject, refresh=old)


def _issued(
    store: Store,
    client: FakeClient,
    request: Received,
    scopes: list[str],
    *,
    subject: str,
    refresh: FakeToken | None = None,
) -> Answer:
    access = store.issue(
        "access", client.client_id, scopes, subject=subject, audience=_audience(store, request, scopes)
    )
    body: dict[str, Any] = {
        "access_token": access.value,
        "token_type": store.quirks.token_type,
        "expires_in": int(access.expires_at - access.issued_at),
    }
    shows_scope = store.quirks.scope_in_answer
    if shows_scope == "always" or (shows_scope == "when_not_empty" and scopes):
        body["scope"] = " ".join(scopes)
    if subject and "refresh_token" in client.grant_types:
        if refresh is None or store.quirks.rotate_refresh_tokens:
            refresh = store.issue("refresh", client.client_id, scopes, subject=subject, seconds=86400)
        body["refresh_token"] = refresh.value
    return Answer.of(body)


def _audience(store: Store, request: Received, scopes: list[str]) -> list[str]:
    quirks = store.quirks
    asked = [value for name, value in request.form_pairs if name == "resource"]
    if quirks.resource == "ignored" or not asked:
        match quirks.audience_without_resource:
            case "none":
                return []
            case "scopes":
                return scopes
            case "issuer":
                return [store.token_issuer]
    if len(asked) > 1 and not quirks.several_resources:
        raise Refused(Answer.error(400, "invalid_target", "only one resource indicator"))
    for resource in asked:
        known = quirks.resource != "listed" or resource in store.resources
        https = quirks.resource != "https_only" or resource.startswith(("https://", "http://localhost"))
        if not (known and https and urllib.parse.urlsplit(resource).scheme):
            raise Refused(Answer.error(400, "invalid_target", f"unknown resource {resource}"))
    return asked


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _back(redirect_uri: str, asked: dict[str, str], **answer: str) -> Answer:
    if "state" in asked:
        answer["state"] = asked["state"]
    joint = "&" if urllib.parse.urlsplit(redirect_uri).query else "?"
    return Answer(status=302, headers=(("Location", f"{redirect_uri}{joint}{urllib.parse.urlencode(answer)}"),))
