"""Introspection, revocation and userinfo of the fake server (RFC 7662, RFC 7009, OpenID Connect Core 5.3)."""

from typing import Any

from tests.fakes.client_authentication import authenticate, request_error
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeClient, FakeToken, Store

INTROSPECTION_SCOPE = "introspect"


def introspect(store: Store, request: Received) -> Answer:
    """POST to the introspection endpoint: the facts of a token, or inactive."""
    if not store.quirks.introspection:
        raise Refused(Answer.error(404, "not_found"))
    caller = _caller(store, request)
    value = request.form.get("token", "")
    if not value:
        raise Refused(request_error(store, "invalid_request", "token is missing"))
    if _is_jwt(value) and not store.quirks.introspects_jwt:
        raise Refused(Answer.error(400, "unsupported_token_type", "Structured JWT Tokens cannot be introspected"))
    token = store.live(value, "access", "refresh")
    if token is None or not _may_see(store, caller, token):
        return Answer.of({"active": False})
    facts: dict[str, Any] = {
        "active": True,
        "client_id": token.client_id,
        "exp": int(token.expires_at),
        "iat": int(token.issued_at),
        "iss": store.token_issuer,
        "jti": token.jti,
        "scope": " ".join(token.scopes),
        "token_type": store.quirks.token_type,
    }
    if token.audience:
        facts["aud"] = token.audience[0] if len(token.audience) == 1 else list(token.audience)
    if token.subject:
        facts.update({"sub": token.subject, "username": token.subject})
    elif store.quirks.introspection_sub:
        facts["sub"] = token.client_id
    return Answer.of({name: value for name, value in facts.items() if name not in store.quirks.introspection_omits})


def revoke(store: Store, request: Received) -> Answer:
    """POST to the revocation endpoint: 200 and an empty body, for an unknown token too."""
    if not store.quirks.revocation:
        raise Refused(Answer.error(404, "not_found"))
    client = authenticate(store, request)
    value = request.form.get("token", "")
    if not value:
        raise Refused(request_error(store, "invalid_request", "token is missing"))
    if _is_jwt(value) and not store.quirks.revokes_jwt:
        raise Refused(Answer.error(400, "unsupported_token_type", "Structured JWT Tokens cannot be revoked"))
    token = store.tokens.get(value)
    if token is None:
        return Answer(status=200)
    if token.client_id != client.client_id:
        if store.quirks.revokes_foreign == "refused":
            raise Refused(Answer.error(400, "invalid_request", "this token does not belong to you"))
        if store.quirks.revokes_foreign == "ignored":
            return Answer(status=200)
    token.active = False
    return Answer(status=200)


def userinfo(store: Store, request: Received) -> Answer:
    """GET of the userinfo endpoint with a person's access token."""
    token = store.live(request.bearer, "access")
    if token is None or not token.subject:
        raise Refused(Answer.error(401, "invalid_token", challenge='Bearer error="invalid_token"'))
    return Answer.of({"sub": token.subject, "preferred_username": token.subject})


def _caller(store: Store, request: Received) -> FakeClient | None:
    """The client that asks; ``None`` for a bearer token with the introspection scope, which may see everything."""
    allowed = store.quirks.introspection_auth
    if request.bearer:
        token = store.live(request.bearer, "access")
        if "bearer" in allowed and token is not None and INTROSPECTION_SCOPE in token.scopes:
            return None
        raise Refused(_refusal(store))
    posted = request.basic is None and "client_secret" in request.form
    if (posted and "post" not in allowed) or (request.basic is not None and "basic" not in allowed):
        raise Refused(_refusal(store))
    try:
        return authenticate(store, request)
    except Refused as exc:
        if store.quirks.introspection_refusal == "401":
            raise
        raise Refused(_refusal(store)) from exc


def _refusal(store: Store) -> Answer:
    match store.quirks.introspection_refusal:
        case "401":
            return Answer.error(401, "invalid_client", challenge=store.quirks.challenge)
        case "401_empty":
            return Answer(status=401)
        case "403_empty":
            return Answer(status=403)


def _may_see(store: Store, caller: FakeClient | None, token: FakeToken) -> bool:
    if caller is None or store.quirks.introspects_foreign or caller.client_id == token.client_id:
        return True
    return INTROSPECTION_SCOPE in (caller.scopes or [])


def _is_jwt(value: str) -> bool:
    return value.count(".") == 2
