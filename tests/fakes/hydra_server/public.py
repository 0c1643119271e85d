"""The public port: discovery, keys, tokens, revocation, and registration that asks for no right at all."""

import secrets
import urllib.parse
import uuid

from tests.fakes.hydra_server.admin import document_of
from tests.fakes.hydra_server.state import HydraClient, HydraState, HydraToken, new_secret
from tests.fakes.messages import Answer, Received, Refused

_REFUSED_IN_REGISTRATION = ("metadata", "access_token_strategy", "skip_consent", "skip_logout_consent", "client_secret")


def discovery(state: HydraState, request: Received) -> Answer:
    """It names no introspection endpoint: that is on the other port."""
    issuer = state.issuer
    return Answer.of(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth2/auth",
            "token_endpoint": f"{issuer}/oauth2/token",
            "revocation_endpoint": f"{issuer}/oauth2/revoke",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "grant_types_supported": ["authorization_code", "implicit", "client_credentials", "refresh_token"],
            "scopes_supported": ["offline_access", "offline", "openid"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
            "code_challenge_methods_supported": ["plain", "S256"],
            **({"registration_endpoint": f"{issuer}/oauth2/register"} if state.habits.dynamic_registration else {}),
        }
    )


def jwks(state: HydraState, request: Received) -> Answer:
    """Only the sets that are published; that of JWT access tokens has to be added by hand."""
    keys = state.keys if state.habits.publishes_jwt_keys else [state.id_token_key]
    return Answer.of({"keys": [key.as_dict(private=False) for key in keys]})


def token(state: HydraState, request: Received) -> Answer:
    """An unknown grant is ``invalid_request``, before anybody is authenticated."""
    grant = request.form.get("grant_type", "")
    if grant not in ("client_credentials", "refresh_token", "authorization_code"):
        raise Refused(Answer.error(400, "invalid_request", "The request is missing a required parameter."))
    client = authenticate(state, request)
    if grant not in client.grant_types:
        raise Refused(Answer.error(400, "unauthorized_client", f"The client may not use '{grant}'."))
    if grant == "client_credentials":
        scopes, audience = _granted(state, client, request), _audience(client, request)
        return _answer(state, state.issue(client, scopes, audience))
    if grant == "refresh_token":
        return _refreshed(state, client, request)
    raise Refused(Answer.error(400, "invalid_grant", "The provided authorization grant is invalid."))


def revoke(state: HydraState, request: Received) -> Answer:
    """200 for an unknown token and, with no effect, for that of another client."""
    value = request.form.get("token", "")
    if not value:
        raise Refused(Answer.error(400, "invalid_request", "The POST body can not be empty."))
    client = authenticate(state, request)
    found = state.tokens.get(value)
    if found is not None and found.client_id == client.client_id:
        state.end(family=found.family)
    return Answer(status=200)


def userinfo(state: HydraState, request: Received) -> Answer:
    """The person behind a token."""
    found = state.live(request.bearer)
    if found is None or found.use != "access_token" or "openid" not in found.scopes:
        raise Refused(Answer.error(401, "request_unauthorized", challenge='Bearer error="request_unauthorized"'))
    return Answer.of({"sub": found.subject})


def register(state: HydraState, request: Received) -> Answer:
    """RFC 7591 for whoever comes: ``owner``, ``scope`` and ``audience`` are taken as they are sent."""
    body = request.json
    if not state.habits.dynamic_registration:
        raise Refused(Answer.error(404, "not_found"))
    if not isinstance(body, dict) or any(body.get(name) for name in _REFUSED_IN_REGISTRATION):
        raise Refused(Answer.error(400, "invalid_client_metadata"))
    client_id = str(uuid.uuid4())
    client = HydraClient(client_id=client_id, document=document_of(state, body, client_id), secret=new_secret())
    client.registration_access_token = secrets.token_urlsafe(32)
    state.clients[client_id] = client
    return Answer.of({**client.shown(secret=True), **_management(state, client)}, status=201)


def show_own(state: HydraState, request: Received, client_id: str) -> Answer:
    """RFC 7592 2.1: neither secret nor registration access token, and nothing of what an administrator wrote."""
    return Answer.of(_public_view(_managed(state, request, client_id)))


def replace_own(state: HydraState, request: Received, client_id: str) -> Answer:
    """RFC 7592 2.2: full replacement, resetting what may not be sent here. The registration token is a new one."""
    client = _managed(state, request, client_id)
    body = request.json
    if not isinstance(body, dict):
        raise Refused(Answer.error(400, "invalid_client_metadata"))
    if body.get("client_secret"):
        raise Refused(Answer.error(403, "forbidden", "The client secret can not be chosen."))
    if any(body.get(name) for name in _REFUSED_IN_REGISTRATION):
        raise Refused(Answer.error(400, "invalid_client_metadata"))
    client.document = document_of(state, body, client_id)
    client.registration_access_token = secrets.token_urlsafe(32)
    return Answer.of({**_public_view(client), **_management(state, client)})


def delete_own(state: HydraState, request: Received, client_id: str) -> Answer:
    """RFC 7592 2.3: 204; afterwards 401, as for a wrong token."""
    _managed(state, request, client_id)
    state.remove(client_id)
    return Answer(status=204)


def _managed(state: HydraState, request: Received, client_id: str) -> HydraClient:
    client = state.clients.get(client_id)
    if not state.habits.dynamic_registration:
        raise Refused(Answer.error(404, "not_found"))
    if client is None or not request.bearer or request.bearer != client.registration_access_token:
        raise Refused(Answer.error(401, "request_unauthorized", "The requested OAuth 2.0 client does not exist."))
    return client


def _management(state: HydraState, client: HydraClient) -> dict[str, str]:
    return {
        "registration_access_token": client.registration_access_token,
        "registration_client_uri": f"{state.issuer}/oauth2/register/{client.client_id}",
    }


def _public_view(client: HydraClient) -> dict[str, object]:
    return {name: value for name, value in client.shown().items() if name != "metadata"}


def authenticate(state: HydraState, request: Received) -> HydraClient:
    """By the registered method and no other; the hint names it, which tells that the client exists."""
    form = request.form
    if request.basic is not None:
        method, (client_id, secret) = "client_secret_basic", request.basic
        client_id, secret = urllib.parse.unquote_plus(client_id), urllib.parse.unquote_plus(secret)
    elif "client_secret" in form:
        method, client_id, secret = "client_secret_post", form.get("client_id", ""), form["client_secret"]
    elif "client_id" in form:
        method, client_id, secret = "none", form["client_id"], ""
    else:
        raise Refused(Answer.error(400, "invalid_request", "Client credentials missing or malformed."))
    client = state.clients.get(client_id)
    registered = client.document["token_endpoint_auth_method"] if client else ""
    if client is not None and registered != method:
        hint = f"The OAuth 2.0 Client supports client authentication method '{registered}', not '{method}'."
        raise Refused(Answer.error(401, "invalid_client", f"Client authentication failed. {hint}"))
    if client is None or (method != "none" and not client.knows(secret)):
        raise Refused(Answer.error(401, "invalid_client", "Client authentication failed."))
    return client


def _granted(state: HydraState, client: HydraClient, request: Received) -> list[str]:
    asked = list(dict.fromkeys(request.form.get("scope", "").split()))
    for scope in asked:
        if not any(_scope_matches(state, own, scope) for own in client.scopes):
            raise Refused(
                Answer.error(400, "invalid_scope", f"The OAuth 2.0 Client is not allowed to request scope '{scope}'.")
            )
    return asked


def _scope_matches(state: HydraState, own: str, asked: str) -> bool:
    if state.habits.scope_strategy == "exact":
        return own == asked
    mine, theirs = own.split("."), asked.split(".")
    if len(mine) > len(theirs):
        return False
    same = all(part in ("*", other) for part, other in zip(mine, theirs, strict=False))
    return same and (len(mine) == len(theirs) or mine[-1] == "*")


def _audience(client: HydraClient, request: Received) -> list[str]:
    """``audience``, repeated or separated by spaces; ``resource`` (RFC 8707) means nothing here."""
    asked = [one for name, value in request.form_pairs if name == "audience" for one in value.split()]
    for one in asked:
        if not any(_audience_matches(own, one) for own in client.document["audience"] or []):
            raise Refused(Answer.error(400, "invalid_request", f"Requested audience '{one}' has not been whitelisted."))
    return asked


def _audience_matches(own: str, asked: str) -> bool:
    """By scheme, host and path as Go reads them: of a URN only the scheme is left, so any two of them match."""
    mine, theirs = urllib.parse.urlsplit(own), urllib.parse.urlsplit(asked)
    if mine.scheme != theirs.scheme or mine.netloc != theirs.netloc:
        return False
    paths = ["" if parts.scheme == "urn" else parts.path for parts in (mine, theirs)]
    return paths[0].rstrip("/") == paths[1].rstrip("/") or paths[1].startswith(f"{paths[0].rstrip('/')}/")


def _refreshed(state: HydraState, client: HydraClient, request: Received) -> Answer:
    old = state.tokens.get(request.form.get("refresh_token", ""))
    if old is None or old.use != "refresh_token" or old.client_id != client.client_id:
        raise Refused(Answer.error(400, "invalid_grant", "The refresh token is unknown."))
    if state.live(old.value) is None:
        state.end(family=old.family)  # used twice: the whole family ends
        raise Refused(Answer.error(400, "invalid_grant", "The refresh token was used or revoked."))
    gone = [scope for scope in old.scopes if not any(_scope_matches(state, own, scope) for own in client.scopes)]
    if gone:
        raise Refused(Answer.error(400, "invalid_scope", f"The client may no longer request scope '{gone[0]}'."))
    state.end(family=old.family)
    refresh = state.issue(client, old.scopes, old.audience, use="refresh_token", subject=old.subject, family=old.family)
    return _answer(
        state, state.issue(client, old.scopes, old.audience, subject=old.subject, family=old.family), refresh
    )


def _answer(state: HydraState, access: HydraToken, refresh: HydraToken | None = None) -> Answer:
    body = {
        "access_token": access.value,
        "expires_in": int(access.expires_at - access.issued_at),
        "scope": " ".join(access.scopes),
        "token_type": "bearer",
        **({"refresh_token": refresh.value} if refresh else {}),
    }
    return Answer.of(body)
