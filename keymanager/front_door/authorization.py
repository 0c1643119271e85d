"""``GET /authorize`` (RFC 6749 section 3.1): a redirect to the authorization endpoint of the client's key manager."""

from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse

from common.errors import InputError, NotSupported
from keymanager.front_door.answers import endpoint
from keymanager.front_door.asked_scopes import with_allowed_scope
from keymanager.front_door.client_authentication import PUBLIC
from keymanager.front_door.forms import Parameters, read_query
from keymanager.front_door.refusals import ClientRefused
from keymanager.front_door.routing import find_credentials, require_enabled, the_credential
from keymanager.models import Credential
from keymanager.services.token_calls import authorization_address

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


@endpoint("GET")
def authorize(request: HttpRequest, key_manager_slug: str = "") -> HttpResponse:
    """302 with the query; only scopes that the client may not have are left out.

    An unknown client or redirect URI is answered here, never by a redirect.
    """
    query = read_query(request)
    credential = _client_of(query, key_manager_slug)
    redirect_uri = _redirect_uri(query, credential)
    require_enabled(credential.key_manager)
    fault = _fault(query, credential)
    if fault:
        return _redirect(_with_error(redirect_uri, fault, query.get("state")))
    try:
        cut = with_allowed_scope(query, credential)
    except InputError:
        return _redirect(_with_error(redirect_uri, "invalid_scope", query.get("state")))
    unchanged = request.META.get("QUERY_STRING", "")
    try:
        address = authorization_address(
            credential=credential, query=unchanged if cut == query else urlencode(cut.pairs)
        )
    except NotSupported:
        address = _with_error(redirect_uri, "unauthorized_client", query.get("state"))
    return _redirect(address)


def _client_of(query: Parameters, key_manager_slug: str) -> Credential:
    client_id = query.require("client_id")
    try:
        return the_credential(find_credentials(client_id, key_manager_slug), endpoint="authorize")
    except ClientRefused as exc:
        # 401 would ask a browser for a password.
        raise InputError.of("client_id", "There is no such client.") from exc


def _redirect_uri(query: Parameters, credential: Credential) -> str:
    """The registered one that the request means (RFC 6749 section 3.1.2.3). Raises ``InputError``."""
    asked = query.get("redirect_uri")
    registered = [str(uri) for uri in credential.redirect_uris]
    if not asked:
        if len(registered) != 1:
            raise InputError.of("redirect_uri", "This parameter is missing.")
        return registered[0]
    if asked not in registered and not any(same_but_for_the_port(asked, uri) for uri in registered):
        raise InputError.of("redirect_uri", "This is not a redirect URI of the client.")
    return asked


def same_but_for_the_port(asked: str, registered: str) -> bool:
    """RFC 8252 section 7.3: on the loopback address the port is chosen when the request is made."""
    try:
        left, right = urlsplit(asked), urlsplit(registered)
        return (
            right.scheme == "http"
            and right.hostname in _LOOPBACK
            and "@" not in left.netloc
            and _without_port(left) == _without_port(right)
        )
    except ValueError:
        return False


def _without_port(parts: SplitResult) -> tuple[str, str | None, str, str, str]:
    _ = parts.port  # raises ValueError for what is no port
    return parts.scheme, parts.hostname, parts.path, parts.query, parts.fragment


def _fault(query: Parameters, credential: Credential) -> str:
    """The error of RFC 6749 section 4.1.2.1 that our own rules find, or ""."""
    if "authorization_code" not in credential.grant_types:
        return "unauthorized_client"
    is_public = credential.token_endpoint_auth_method == PUBLIC
    if is_public and (not query.get("code_challenge") or query.get("code_challenge_method") != "S256"):
        return "invalid_request"
    return ""


def _with_error(redirect_uri: str, error: str, state: str) -> str:
    parts = urlsplit(redirect_uri)
    members = {"error": error} | ({"state": state} if state else {})
    query = "&".join(part for part in (parts.query, urlencode(members)) if part)
    return urlunsplit(parts._replace(query=query))


def _redirect(address: str) -> HttpResponse:
    # Django's own redirect refuses the private-use schemes of native apps (RFC 8252 section 7.1).
    return HttpResponse(status=302, headers={"Location": address, "Cache-Control": "no-store"})
