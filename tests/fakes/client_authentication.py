"""Client authentication at the fake server's token, introspection and revocation endpoints (RFC 6749 2.3)."""

import hmac
import re
import urllib.parse

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeClient, Store


def authenticate(store: Store, request: Received) -> FakeClient:
    """The client that the request proves to be; raises ``Refused`` in this server's own way."""
    form = request.form
    if request.basic is not None:
        method = "client_secret_basic"
        client_id, secret = request.basic
        if store.quirks.basic_decoding == "percent":
            client_id, secret = _decoded(client_id), _decoded(secret)
    elif "client_secret" in form:
        method = "client_secret_post"
        client_id, secret = form.get("client_id", ""), form["client_secret"]
    elif "client_id" in form:
        method, client_id, secret = "none", form["client_id"], ""
    else:
        raise Refused(no_credentials(store))
    client = store.clients.get(client_id)
    if client is None or not client.enabled or not _proves(store, client, method, secret):
        raise Refused(wrong_client(store))
    return client


def _proves(store: Store, client: FakeClient, method: str, secret: str) -> bool:
    if "none" in (method, client.auth_method):
        return method == client.auth_method
    if store.quirks.only_registered_auth_method and method != client.auth_method:
        return False
    known = filter(None, (client.client_secret, *client.older_secrets))
    return any(hmac.compare_digest(each.encode(), secret.encode()) for each in known)


def _decoded(value: str) -> str:
    if re.search(r"%(?![0-9a-fA-F]{2})", value):
        raise Refused(Answer.error(400, "invalid_request", "client credentials are not form-encoded"))
    return urllib.parse.unquote_plus(value)


def wrong_client(store: Store) -> Answer:
    """What this server says to an unknown client and to a wrong secret alike."""
    if store.quirks.wrong_client == "403_empty":
        return Answer(status=403)
    return Answer.error(401, "invalid_client", "client authentication failed", challenge=store.quirks.challenge)


def no_credentials(store: Store) -> Answer:
    """What this server says when no client authentication was sent."""
    match store.quirks.no_credentials:
        case "403_empty":
            return Answer(status=403)
        case "400":
            return Answer.error(400, "invalid_request", "no client authentication mechanism provided")
        case "401":
            return Answer.error(401, "invalid_client", "no client authentication", challenge=store.quirks.challenge)


def request_error(store: Store, error: str, description: str) -> Answer:
    """400 for a request that cannot be served, without a body where the server is terse."""
    return Answer(status=400) if store.quirks.empty_request_errors else Answer.error(400, error, description)
