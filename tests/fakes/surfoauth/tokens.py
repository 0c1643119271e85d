"""``token``, ``revoke`` and ``tokeninfo``."""

from tests.fakes.messages import Answer, Received
from tests.fakes.surfoauth.answers import TOKEN_CACHE, fault, found, nothing, oauth_error, unauthorized
from tests.fakes.surfoauth.store import Client, Principal, Store, Token

_FORM = "application/x-www-form-urlencoded"
_UNKNOWN_CLIENT = ("unauthorized_client", "The client_id is unknown")
_GRANTS = "The supported grant_type values are 'authorization_code' and 'refresh_token'"
_NO_PERSON = ("invalid_grant", "The resource owners credentials must be provided")


class Tokens:
    """The calls. ``complete_schema``: there is a table of people for the password grant."""

    def __init__(self, store: Store, *, complete_schema: bool) -> None:
        self._store = store
        self._complete = complete_schema

    def token(self, request: Received, now: int) -> Answer:
        """The token endpoint."""
        _need_form(request)
        client = self._client(request)
        grant = request.form.get("grant_type", "")
        if grant == "authorization_code":
            token = self._by_code(request, now)
        elif grant == "refresh_token":
            token = self._by_refresh_token(request, now)
        elif grant == "client_credentials":
            token = self._by_client(client, request, now)
        elif grant == "password":
            token = self._by_password(client, request, now)
        else:
            raise oauth_error("unsupported_grant_type", _GRANTS)
        answer = {
            "scope": " ".join(token.scopes),
            "access_token": token.value,
            "token_type": "bearer",
            "expires_in": token.seconds_left(now),
        }
        if token.refresh is not None:
            answer["refresh_token"] = token.refresh
        return found(answer, headers=TOKEN_CACHE)

    def revoke(self, request: Received) -> Answer:
        """Access tokens of the calling client only; says 200 whatever happened."""
        _need_form(request)
        if "authorization" in request.headers:
            user, password = request.basic or ("", "")
            client = self._proved(user, password)
        else:
            client = self._proved(request.form.get("client_id", ""), request.form.get("client_secret"))
        if client is None:
            raise oauth_error(*_UNKNOWN_CLIENT)
        token = self._store.token_by_value(request.form.get("token", ""))
        if token is not None and token.client == client.id:
            del self._store.tokens[token.id]
        return nothing(200)

    def info(self, request: Received, now: int) -> Answer:
        """What a resource server may know of a token of its own clients."""
        key, secret = request.basic or ("", "")
        server = next((server for server in self._store.servers.values() if server.key == key), None)
        if server is None or server.secret != secret:
            raise unauthorized(request.method)
        token = self._store.token_by_value(request.parameters.get("access_token", ""))
        client = None if token is None else self._store.clients[token.client]
        if token is None or client is None or client.server_id != server.id:
            raise oauth_error("not_found", status=404)
        if token.expired(now):
            raise oauth_error("token_expired", status=410)
        return found(
            {
                "audience": client.name,
                "scopes": list(token.scopes),
                "principal": token.principal.shown(),
                "expires_in": token.expires,
            }
        )

    def _proved(self, client_id: str, secret: str | None) -> Client | None:
        client = self._store.client_by_id(client_id)
        return client if client is not None and client.secret == secret else None

    def _client(self, request: Received) -> Client | None:
        """A header, right or wrong, wins over the form; without either there is no client, which some grants allow."""
        if "authorization" in request.headers:
            user, password = request.basic or ("", "")
            client = self._proved(user, password)
            if client is None:
                raise unauthorized(request.method)
            return client
        if "client_id" not in request.form:
            return None
        client = self._proved(request.form["client_id"], request.form.get("client_secret"))
        if client is None:
            raise oauth_error(*_UNKNOWN_CLIENT)
        return client

    def _by_code(self, request: Received, now: int) -> Token:
        code = request.form.get("code", "")
        visit = next((visit for visit in self._store.authorizations.values() if code and visit.code == code), None)
        if visit is None or visit.principal is None:
            raise oauth_error("invalid_grant", "The authorization code is invalid")
        if request.form.get("redirect_uri") != visit.redirect_uri:
            raise oauth_error("invaid_request", "The redirect_uri does not match the initial authorization request")
        del self._store.authorizations[visit.state_key]
        client = self._store.clients[visit.client]
        return self._store.issue(client, visit.principal, visit.granted, now=now, refresh=client.use_refresh_tokens)

    def _by_refresh_token(self, request: Received, now: int) -> Token:
        value = request.form.get("refresh_token")
        old = next((token for token in self._store.tokens.values() if value and token.refresh == value), None)
        if old is None:
            raise oauth_error("invalid_grant", "The refresh token is invalid")
        del self._store.tokens[old.id]
        client = self._store.clients[old.client]
        return self._store.issue(client, old.principal, old.scopes, now=now, refresh=client.use_refresh_tokens)

    def _by_client(self, client: Client | None, request: Received, now: int) -> Token:
        if client is None:
            raise oauth_error("invalid_grant", "The client is invalid")
        if not client.client_credentials:
            raise oauth_error("unauthorized_client", "The client has no permisssion for client credentials")
        return self._asked(client, Principal(name=client.client_id), request, now)

    def _by_password(self, client: Client | None, request: Received, now: int) -> Token:
        name, password = request.form.get("username"), request.form.get("password")
        if not name or not password:
            raise oauth_error(*_NO_PERSON)
        if not self._complete:
            raise fault(request.method, 500, "org.springframework.orm.jpa.JpaSystemException: RESOURCEOWNER")
        person = next((person for person in self._store.people.values() if person.username == name), None)
        if person is None or person.password != password:
            raise oauth_error(*_NO_PERSON)
        if client is None:
            raise fault(request.method, 500, "java.lang.NullPointerException: client is null")
        return self._asked(client, Principal(name=name), request, now)

    def _asked(self, client: Client, principal: Principal, request: Received, now: int) -> Token:
        """Whatever scope is asked is granted: the client's own are only the default."""
        asked = request.form.get("scope", "")
        scopes = split(asked) if asked.strip() else list(client.scopes)
        if any(len(scope) > 255 for scope in scopes):
            raise fault(request.method, 500, "org.springframework.orm.jpa.JpaSystemException")
        return self._store.issue(client, principal, scopes, now=now, refresh=client.use_refresh_tokens)


def split(text: str) -> list[str]:
    """Java's ``split(",")``: at commas only, empty ones at the end dropped."""
    parts = text.split(",")
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _need_form(request: Received) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        raise fault(request.method, 415, "Unsupported Media Type")
