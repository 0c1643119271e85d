"""Dynamic client registration (RFC 7591) and its management (RFC 7592)."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from keymanager.resident import client_services
from keymanager.resident.answers import bearer_challenge, endpoint_view, json_answer, no_content, oauth_error
from keymanager.resident.client_metadata import RegistrationRefused, parse_registration
from keymanager.resident.hashers import secret_matches
from keymanager.resident.management import bearer_token, management_only


def json_body(request: HttpRequest) -> Any:
    """The JSON document in the body. Raises ``RegistrationRefused``."""
    try:
        return json.loads(request.body)
    except ValueError as exc:
        raise RegistrationRefused("body", "must be a JSON document") from exc


def refused(exc: RegistrationRefused) -> HttpResponse:
    """The 400 of RFC 7591 section 3.2.2; its description begins with the member at fault."""
    return oauth_error(exc.code, str(exc))


@endpoint_view("POST")
@management_only
def register(request: HttpRequest) -> HttpResponse:
    """Register a client; the management token is the initial access token."""
    try:
        asked = parse_registration(json_body(request))
    except RegistrationRefused as exc:
        return refused(exc)
    return json_answer(client_services.describe_issued(client_services.register_client(request=asked)), status=201)


@endpoint_view("GET", "PUT", "DELETE")
def registered_client(request: HttpRequest, client_id: str) -> HttpResponse:
    """Read, replace or delete a client with its own registration access token."""
    client = client_services.client_with_registration_token(client_id, bearer_token(request))
    if client is None:
        return bearer_challenge(presented=bool(bearer_token(request)))
    if request.method == "DELETE":
        client_services.delete_client(client_id=client_id)
        return no_content()
    if request.method == "PUT":
        return _replace(request, client)
    return json_answer(client_services.describe_client(client))


def _replace(request: HttpRequest, client: Any) -> HttpResponse:
    try:
        document = json_body(request)
        asked = parse_registration(document)
        if document.get("client_id") != client.client_id:
            raise RegistrationRefused("client_id", "must be the id of this client")
        secret = document.get("client_secret")
        if secret is not None and not secret_matches(str(secret), client.client_secret):
            raise RegistrationRefused("client_secret", "is not the present secret; it cannot be chosen")
    except RegistrationRefused as exc:
        return refused(exc)
    issued = client_services.update_client(client_id=client.client_id, request=asked)
    return bearer_challenge(presented=True) if issued is None else json_answer(client_services.describe_issued(issued))
