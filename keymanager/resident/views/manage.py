"""Management of clients, scopes and resources by the portal: JSON, with the management token as bearer."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from keymanager.resident import catalogue, client_services
from keymanager.resident.answers import endpoint_view, json_answer, no_content, oauth_error
from keymanager.resident.client_metadata import RegistrationRefused
from keymanager.resident.management import management_only
from keymanager.resident.models import Client, Resource
from keymanager.resident.views.registration import json_body, refused

DEFAULT_PAGE = 100
LARGEST_PAGE = 500


def _unknown(what: str) -> HttpResponse:
    return oauth_error("not_found", f"There is no such {what}.", status=404)


@endpoint_view("GET")
@management_only
def clients(request: HttpRequest) -> HttpResponse:
    """List clients, oldest first: ``marker`` finds, ``cursor`` and ``limit`` page, ``next_cursor`` is "" at the end."""
    cursor, limit = request.GET.get("cursor", "0") or "0", request.GET.get("limit", str(DEFAULT_PAGE))
    if not cursor.isdecimal() or not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_PAGE:
        return oauth_error("invalid_request", f"cursor and limit must be numbers, limit from 1 to {LARGEST_PAGE}.")
    rows = Client.objects.filter(pk__gt=int(cursor)).order_by("pk")
    if "marker" in request.GET:
        rows = rows.filter(marker=request.GET["marker"]).exclude(marker="")
    page = list(rows[: int(limit) + 1])
    shown = page[: int(limit)]
    return json_answer(
        {
            "clients": [client_services.describe_client(client) | {"suspended": client.suspended} for client in shown],
            "next_cursor": str(shown[-1].pk) if len(page) > len(shown) else "",
        }
    )


@endpoint_view("GET", "DELETE")
@management_only
def client(request: HttpRequest, client_id: str) -> HttpResponse:
    """Read or delete any client, also one whose registration access token is lost."""
    if request.method == "DELETE":
        return no_content() if client_services.delete_client(client_id=client_id) else _unknown("client")
    row = Client.objects.filter(client_id=client_id).first()
    if row is None:
        return _unknown("client")
    return json_answer(client_services.describe_client(row) | {"suspended": row.suspended})


@endpoint_view("POST")
@management_only
def rotate_secret(request: HttpRequest, client_id: str) -> HttpResponse:
    """Replace the client's secret; the old one stops at once."""
    issued = client_services.rotate_secret(client_id=client_id)
    if issued is None:
        return _unknown("client with a secret")
    return json_answer({"client_id": client_id, "client_secret": issued.client_secret, "client_secret_expires_at": 0})


@endpoint_view("POST")
@management_only
def recover(request: HttpRequest, client_id: str) -> HttpResponse:
    """A new secret and registration access token for a client whose registration answer never arrived."""
    issued = client_services.recover_client(client_id=client_id)
    return _unknown("client") if issued is None else json_answer(client_services.describe_issued(issued))


@endpoint_view("POST")
@management_only
def revoke_tokens(request: HttpRequest, client_id: str) -> HttpResponse:
    """Revoke all that was ever issued to the client."""
    return no_content() if client_services.revoke_tokens(client_id=client_id) else _unknown("client")


@endpoint_view("POST")
@management_only
def suspend(request: HttpRequest, client_id: str) -> HttpResponse:
    """Stop the client: it gets no tokens and its tokens are inactive."""
    return no_content() if client_services.set_suspended(client_id=client_id, suspended=True) else _unknown("client")


@endpoint_view("POST")
@management_only
def resume(request: HttpRequest, client_id: str) -> HttpResponse:
    """Undo ``suspend``."""
    return no_content() if client_services.set_suspended(client_id=client_id, suspended=False) else _unknown("client")


@endpoint_view("GET")
@management_only
def scopes(request: HttpRequest) -> HttpResponse:
    """All scopes."""
    return json_answer({"scopes": catalogue.list_scopes()})


@endpoint_view("PUT", "DELETE")
@management_only
def scope(request: HttpRequest, key: str) -> HttpResponse:
    """Make a scope exist, or delete it."""
    if request.method == "DELETE":
        return no_content() if catalogue.delete_scope(key=key) else _unknown("scope")
    try:
        description = _member(json_body(request), "description", "")
        row, created = catalogue.put_scope(key=key, description=description)
    except RegistrationRefused as exc:
        return refused(exc)
    return json_answer({"key": row.key, "description": row.description}, status=201 if created else 200)


@endpoint_view("GET")
@management_only
def resources(request: HttpRequest) -> HttpResponse:
    """All resources."""
    rows = Resource.objects.order_by("identifier")
    return json_answer({"resources": [catalogue.describe_resource(row) for row in rows]})


@endpoint_view("GET", "PUT", "DELETE")
@management_only
def resource(request: HttpRequest, identifier: str) -> HttpResponse:
    """Read a resource, make it exist, or delete it."""
    if request.method == "DELETE":
        return no_content() if catalogue.delete_resource(identifier=identifier) else _unknown("resource")
    if request.method == "PUT":
        return _put_resource(request, identifier)
    row = catalogue.read_resource(identifier)
    return _unknown("resource") if row is None else json_answer(catalogue.describe_resource(row))


def _put_resource(request: HttpRequest, identifier: str) -> HttpResponse:
    try:
        document = json_body(request)
        scopes = document.get("scopes", []) if isinstance(document, dict) else None
        if not isinstance(scopes, list) or not all(isinstance(item, str) for item in scopes):
            raise RegistrationRefused("scopes", "must be a list of strings")
        row, created = catalogue.put_resource(
            identifier=identifier, name=_member(document, "name", identifier[:255]), scopes=scopes
        )
    except RegistrationRefused as exc:
        return refused(exc)
    return json_answer(catalogue.describe_resource(row), status=201 if created else 200)


def _member(document: Any, member: str, default: str) -> str:
    value = document.get(member, default) if isinstance(document, dict) else None
    if not isinstance(value, str) or len(value) > 1000 or "\x00" in value:
        raise RegistrationRefused(member, "must be a string of at most 1000 characters")
    return value
