"""``/register``: dynamic client registration (RFC 7591) and its management (RFC 7592).

No request here calls a key manager: the wish is saved, a job carries it out, the request waits on our database.
The registration access token stays the same until the client is deleted; only the answer to a repeated ``POST``
replaces it, because it cannot be said again.
"""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.actor import Actor, actor_of
from accounts.models import Role
from common.errors import NotAllowed, RuleError
from keymanager.front_door import services
from keymanager.front_door.answers import empty_answer, endpoint, json_answer
from keymanager.front_door.api_tokens import bearer_of, require_api_token
from keymanager.front_door.client_authentication import PUBLIC, secret_matches
from keymanager.front_door.client_metadata import parse_wish, read_document
from keymanager.front_door.refusals import BearerRefused, MetadataRefused
from keymanager.front_door.waiting import wait_until_applied
from keymanager.models import Credential, FrontDoorClient
from keymanager.services import credentials

# RFC 7592 section 2.2: what an update must not carry.
_NOT_IN_UPDATES = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


@endpoint("POST")
def register(request: HttpRequest) -> HttpResponse:
    """201 with the client (RFC 7591 section 3.2.1); 503 with ``Retry-After`` when it is not there in time."""
    token = require_api_token(request)
    actor = actor_of(token.user, token)
    wish = parse_wish(read_document(request))
    try:
        if token.team_id not in actor.team_ids:
            raise NotAllowed("You are no longer a member of this token's team.")
        client = services.register_once(
            actor=actor, team_id=token.team_id, wish=wish, idempotency_key=_idempotency_key(request)
        )
    except NotAllowed as exc:
        raise BearerRefused(exc.message, presented=True, lacks_rights=True) from exc
    if not client.credential.client_id:
        _wait_for_client(actor, client)
    client = _fresh(client)
    return json_answer(_information(actor, client, services.issue_management_token(client=client)), status=201)


def _wait_for_client(actor: Actor, client: FrontDoorClient) -> None:
    registration = client.credential.registration
    try:
        wait_until_applied(registration.pk, registration.wanted_version)
    except MetadataRefused:
        # An error of RFC 7591 means that nothing was registered, so nothing of it may stay.
        services.remove_client(actor=actor, client=client)
        raise


@endpoint("GET", "PUT", "DELETE")
def registered_client(request: HttpRequest, client_id: str) -> HttpResponse:
    """Read, replace or delete a client with its registration access token (RFC 7592 section 2)."""
    client = _client_of(request, client_id)
    actor = _actor_of(client)
    if request.method == "DELETE":
        services.remove_client(actor=actor, client=client)
        return empty_answer(status=204)
    if request.method == "PUT":
        _replace(request, actor, client)
        client = _fresh(client)
    return json_answer(_information(actor, client, bearer_of(request)))


def _fresh(client: FrontDoorClient) -> FrontDoorClient:
    """The client as it is after the wait. Raises ``MetadataRefused`` when it was removed in the meantime."""
    row = services.living_clients().filter(pk=client.pk).first()
    if row is None:
        raise MetadataRefused("", "The client was removed while it was being registered.")
    return row


def _replace(request: HttpRequest, actor: Actor, client: FrontDoorClient) -> None:
    document = read_document(request)
    _check_update(document, client.credential)
    wish = parse_wish({"environment": client.credential.environment, **document})
    registration = services.change_client(actor=actor, client=client, wish=wish).registration
    wait_until_applied(registration.pk, registration.wanted_version)


def _check_update(document: Mapping[str, Any], credential: Credential) -> None:
    for member in _NOT_IN_UPDATES:
        if member in document:
            raise MetadataRefused(member, "This must not be sent in an update.")
    if document.get("client_id") != credential.client_id:
        raise MetadataRefused("client_id", "An update must carry the client's own id.")
    if "client_secret" in document and not secret_matches(credential, str(document["client_secret"])):
        raise MetadataRefused("client_secret", "A client cannot choose its secret.")


def _client_of(request: HttpRequest, client_id: str) -> FrontDoorClient:
    """The client that the registration access token manages. Raises ``BearerRefused``."""
    value = bearer_of(request)
    if not value:
        raise BearerRefused("The registration access token is needed as bearer token.", presented=False)
    digest = services.hash_management_token(value)
    client = services.living_clients().filter(registration_access_token_sha256=digest).first()
    if client is None or not hmac.compare_digest(client.credential.client_id.encode(), client_id.encode()):
        raise BearerRefused("This registration access token is not valid here.", presented=True)
    return client


def _actor_of(client: FrontDoorClient) -> Actor:
    """The client itself: its token stands for the team, in this one matter."""
    team_id = client.credential.application.team_id
    return Actor(
        name=f"client {client.credential.client_id}"[:150],
        team_id=team_id,
        team_ids=frozenset({team_id}),
        roles=frozenset({Role.APP_DEVELOPER}),
    )


def _idempotency_key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > 200 or not key.isprintable():
        raise MetadataRefused("Idempotency-Key", "At most 200 printable characters.")
    return key


def _information(actor: Actor, client: FrontDoorClient, registration_access_token: str) -> dict[str, Any]:
    """The client information response (RFC 7591 section 3.2.1)."""
    credential = client.credential
    answer: dict[str, Any] = {
        **client.remarks,
        "client_id": credential.client_id,
        "client_id_issued_at": int(credential.created_at.timestamp()),
        "client_name": credential.application.name,
        "grant_types": list(credential.grant_types),
        "response_types": ["code"] if "authorization_code" in credential.grant_types else [],
        "redirect_uris": list(credential.redirect_uris),
        "scope": " ".join(credential.scopes),
        "token_endpoint_auth_method": credential.token_endpoint_auth_method,
        "key_manager": credential.key_manager.slug,
        "environment": credential.environment,
        "registration_access_token": registration_access_token,
        "registration_client_uri": f"{settings.ARCHWAY_PUBLIC_URL}/register/{quote(credential.client_id, safe='')}",
    }
    if credential.application.software_id:
        answer["software_id"] = credential.application.software_id
    secret = _secret(actor, credential)
    if secret:
        answer |= {"client_secret": secret, "client_secret_expires_at": credential.client_secret_expires_at}
    return answer


def _secret(actor: Actor, credential: Credential) -> str:
    """The client's secret, or "" for a public client and where secrets are not kept and this one was shown."""
    if credential.token_endpoint_auth_method == PUBLIC:
        return ""
    try:
        return credentials.reveal_secret(actor=actor, credential=credential).client_secret
    except RuleError:
        return ""
