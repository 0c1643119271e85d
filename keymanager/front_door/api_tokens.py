"""API tokens of the portal as bearer tokens of the front door (RFC 6750 section 2.1)."""

from typing import Final

from django.http import HttpRequest

from accounts.models import ApiToken
from accounts.queries import find_api_token
from keymanager.front_door.refusals import BearerRefused

_LONGEST: Final = 8192


def bearer_of(request: HttpRequest) -> str:
    """The bearer token in the Authorization header, or "" when there is none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and len(value) <= _LONGEST else ""


def require_api_token(request: HttpRequest) -> ApiToken:
    """The live API token of the request. Raises ``BearerRefused``."""
    value = bearer_of(request)
    if not value:
        raise BearerRefused("An API token of a team is needed as bearer token.", presented=False)
    token = find_api_token(value)
    if token is None:
        raise BearerRefused("This is not a live API token.", presented=True)
    return token
