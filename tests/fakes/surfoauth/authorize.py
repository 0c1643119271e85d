"""``/oauth2/authorize`` and ``/oauth2/consent``: login, consent, code and implicit grant."""

import html
import uuid
from urllib.parse import quote_plus

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.surfoauth.answers import NO_SCOPE, TOKEN_CACHE, Headers, fault
from tests.fakes.surfoauth.checks import is_uri
from tests.fakes.surfoauth.store import Authorization, Client, Principal, Store
from tests.fakes.surfoauth.tokens import split

_UTF8_PAGE = "text/html;charset=utf-8"
_NOT_REGISTERED = "The redirect_uri does not equal any of the registered redirect_uri values"


class Authorize:
    """The calls. ``everybody``: the principal that every visitor is without a login, or nobody."""

    def __init__(self, store: Store, users: dict[str, Principal], everybody: Principal | None) -> None:
        self._store = store
        self._users = users
        self._everybody = everybody

    def start(self, request: Received, now: int) -> Answer:
        """A visitor arrives."""
        visit = self._validated(request)
        self._store.authorizations[visit.state_key] = visit
        session, cookie = self._session(request)
        principal = self._store.sessions[session] or self._everybody
        if principal is None:
            return _login_page(visit, cookie)
        self._store.sessions[session] = visit.principal = principal
        return self._logged_in(request, visit, cookie, now)

    def login(self, request: Received, now: int) -> Answer:
        """Any name and password are good."""
        session, cookie = self._session(request)
        visit = self._store.authorizations.get(request.form.get("AUTH_STATE", ""))
        if visit is None:
            title = "No valid AbstractAuthenticator.AUTH_STATE on the Request"
            raise fault(request.method, 400, title, cookie)
        name = request.form.get("j_username", "")
        visit.principal = self._users.get(name) or Principal(name=name)
        self._store.sessions[session] = visit.principal
        return self._logged_in(request, visit, cookie, now)

    def consent(self, request: Received, now: int) -> Answer:
        """The boxes that were ticked; what they say is not checked."""
        visit = self._store.authorizations.get(request.form.get("AUTH_STATE", ""))
        if visit is None or visit.principal is None:
            raise fault(request.method, 400, "Internal Server Error")
        if request.form.get("user_oauth_approval") != "true":
            return Answer(status=200, body=b"<html><body>denied</body></html>", content_type=_UTF8_PAGE)
        visit.granted = [value for name, value in request.form_pairs if name == "GRANTED_SCOPES"]
        return self._done(request, visit, (), now)

    def _validated(self, request: Received) -> Authorization:
        asked = request.parameters
        redirect, response_type = asked.get("redirect_uri"), asked.get("response_type")
        if response_type not in ("code", "token"):
            text = "The supported response_type values are 'token' and 'code'"
            raise _back(request, redirect, "unsupported_response_type", text)
        client = self._store.client_by_id(asked.get("client_id", ""))
        if client is None:
            raise _back(request, redirect, "unauthorized_client", "The client_id is unknown")
        if response_type == "token" and not client.implicit:
            text = "The client has no permisssion for implicit grant"
            raise _back(request, redirect, "unsupported_response_type", text)
        redirect = _redirect_uri(request, client, redirect, response_type)
        requested = split(asked.get("scope", "")) if asked.get("scope", "").strip() else []
        if not set(requested) <= set(client.scopes):
            raise _back(request, redirect, "invalid_scope", NO_SCOPE)
        return Authorization(
            state_key=str(uuid.uuid4()), client=client.id, response_type=response_type, redirect_uri=redirect,
            requested=requested, state=asked.get("state"),
        )  # fmt: skip

    def _session(self, request: Received) -> tuple[str, Headers]:
        """The visitor's session, and the header that begins it when it is new."""
        name = request.headers.get("cookie", "").removeprefix("JSESSIONID=")
        if name in self._store.sessions:
            return name, ()
        name = f"node0{uuid.uuid4().hex[:20]}.node0"
        self._store.sessions[name] = None
        return name, (("Set-Cookie", f"JSESSIONID={name}; Path=/"),)

    def _logged_in(self, request: Received, visit: Authorization, cookie: Headers, now: int) -> Answer:
        """Consent is asked once per person and client: later, the scopes of the first stored token are given again."""
        client = self._store.clients[visit.client]
        if visit.principal is None:
            raise TypeError("nobody is logged in")
        if client.skip_consent:
            visit.granted = list(visit.requested)
            return self._done(request, visit, cookie, now)
        for token in self._store.tokens.values():
            if token.owner == visit.principal.name and token.client == client.id:
                visit.granted = list(token.scopes)
                return self._done(request, visit, cookie, now)
        return _consent_page(visit, client, cookie)

    def _done(self, request: Received, visit: Authorization, cookie: Headers, now: int) -> Answer:
        state = "" if visit.state is None else f"&state={quote_plus(visit.state)}"
        if visit.response_type == "code":
            visit.code = str(uuid.uuid4())
            location = f"{visit.redirect_uri}{_joint(visit.redirect_uri)}code={visit.code}{state}"
        else:
            location = f"{visit.redirect_uri}#{self._fragment(visit, now)}{state}{self._principal(visit)}"
            del self._store.authorizations[visit.state_key]
        return Answer(
            status=303,
            content_type="text/html" if request.method == "POST" else None,
            headers=(("Location", location), *TOKEN_CACHE, *cookie),
        )

    def _fragment(self, visit: Authorization, now: int) -> str:
        client = self._store.clients[visit.client]
        if visit.principal is None:
            raise TypeError("nobody is logged in")
        token = self._store.issue(client, visit.principal, visit.granted, now=now, refresh=False)
        scope = ",".join(token.scopes)
        return f"access_token={token.value}&token_type=bearer&expires_in={client.expire_duration}&scope={scope}"

    def _principal(self, visit: Authorization) -> str:
        shown = self._store.clients[visit.client].include_principal and visit.principal is not None
        return f"&principal={quote_plus(visit.principal.name)}" if shown and visit.principal else ""


def _redirect_uri(request: Received, client: Client, redirect: str | None, response_type: str) -> str:
    """Where to go: what was sent if it *starts* with a registered one, else the first registered one."""
    registered = client.redirect_uris
    if not redirect:
        if response_type == "token" or not registered:
            raise _back(request, None, "invalid_request", "")
        return registered[0]
    if not is_uri(redirect) or "#" in redirect:
        raise _back(
            request, redirect, "invalid_request", "The redirect_uri endpoint must not include a fragment component"
        )
    if registered and not any(redirect.startswith(uri) for uri in registered):
        raise _back(request, registered[0], "invalid_request", _NOT_REGISTERED)
    return redirect


def _back(request: Received, redirect: str | None, error: str, description: str) -> Refused:
    if redirect is None:
        return fault(request.method, 500, "java.lang.NullPointerException")
    if not is_uri(redirect):
        return fault(request.method, 400, "The redirect_uri is not a valid URI")
    state = request.parameters.get("state")
    tail = "" if state is None else f"&state={quote_plus(state)}"
    location = f"{redirect}{_joint(redirect)}error={error}&error_description={description}{tail}"
    return Refused(Answer(status=302, headers=(("Location", location),)))


def _joint(uri: str) -> str:
    return "&" if "?" in uri else "?"


def _login_page(visit: Authorization, cookie: Headers) -> Answer:
    body = (
        '<html><head><title>Login</title></head><body><form action="/oauth2/authorize" method="post">'
        f'<input type="hidden" name="AUTH_STATE" value="{visit.state_key}"/>'
        '<input type="text" name="j_username"/><input type="password" name="j_password"/></form></body></html>'
    )
    return Answer(status=200, body=body.encode(), content_type=_UTF8_PAGE, headers=cookie)


def _consent_page(visit: Authorization, client: Client, cookie: Headers) -> Answer:
    boxes = "".join(
        f'<input type="checkbox" name="GRANTED_SCOPES" value="{html.escape(scope)}"'
        f"{' checked' if scope in visit.requested else ''}/>"
        for scope in client.scopes
    )
    body = (
        '<html><head><title>Consent</title></head><body><form action="/oauth2/consent" method="post">'
        f'<input type="hidden" name="AUTH_STATE" value="{visit.state_key}"/>{boxes}'
        '<button type="submit" name="user_oauth_approval" value="true">ok</button>'
        '<button type="submit" name="user_oauth_approval" value="false">no</button></form></body></html>'
    )
    headers = (("X-Frame-Options", "SAMEORIGIN"), *cookie)
    return Answer(status=200, body=body.encode(), content_type=_UTF8_PAGE, headers=headers)
