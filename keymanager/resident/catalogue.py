"""Scopes and resources that exist at the embedded authorization server."""

from typing import Any

from keymanager.resident.client_metadata import RegistrationRefused
from keymanager.resident.models import Resource, Scope
from keymanager.resident.scopes_backend import STANDARD_SCOPES, is_reserved, is_scope_token


def put_scope(*, key: str, description: str) -> tuple[Scope, bool]:
    """Make a scope exist with this description; True when it is new. Raises ``RegistrationRefused``."""
    if not is_scope_token(key) or len(key) > 255:
        raise RegistrationRefused("key", "is not a scope (RFC 6749 section 3.3)")
    if is_reserved(key):
        raise RegistrationRefused("key", "is reserved")
    return Scope.objects.update_or_create(key=key, defaults={"description": description})


def delete_scope(*, key: str) -> bool:
    """Delete a scope: no new token can have it. False when there was none."""
    return Scope.objects.filter(key=key).delete()[0] > 0


def list_scopes() -> list[dict[str, str]]:
    """All scopes; those of OpenID Connect are always there."""
    described = STANDARD_SCOPES | dict(Scope.objects.order_by("key").values_list("key", "description"))
    return [{"key": key, "description": description} for key, description in described.items()]


def put_resource(*, identifier: str, name: str, scopes: list[str]) -> tuple[Resource, bool]:
    """Make a resource exist; True when it is new. Raises ``RegistrationRefused``."""
    scheme, colon, rest = identifier.partition(":")
    if not (scheme and colon and rest) or any(ord(char) <= 0x20 or ord(char) >= 0x7F for char in identifier):
        raise RegistrationRefused("identifier", "must be an absolute URI, e.g. a URL or a URN (RFC 8707 section 2)")
    if "#" in identifier or len(identifier) > 500:
        raise RegistrationRefused("identifier", "must have no fragment and at most 500 characters")
    for scope in scopes:
        if not is_scope_token(scope) or is_reserved(scope):
            raise RegistrationRefused("scopes", "contains something that is not a scope or is reserved")
    return Resource.objects.update_or_create(
        identifier=identifier, defaults={"name": name, "scopes": list(dict.fromkeys(scopes))}
    )


def read_resource(identifier: str) -> Resource | None:
    """The resource, or ``None``."""
    return Resource.objects.filter(identifier=identifier).first()


def delete_resource(*, identifier: str) -> bool:
    """Delete a resource: no new token can be restricted to it. False when there was none."""
    return Resource.objects.filter(identifier=identifier).delete()[0] > 0


def unknown_resource(identifiers: list[Any]) -> str | None:
    """The first of ``identifiers`` that is not registered, or ``None``."""
    askable = [str(item) for item in identifiers if str(item).isprintable()]
    known = set(Resource.objects.filter(identifier__in=askable).values_list("identifier", flat=True))
    return next((str(item) for item in identifiers if item not in known), None)


def describe_resource(resource: Resource) -> dict[str, Any]:
    """The resource as the management endpoint shows it."""
    return {"identifier": resource.identifier, "name": resource.name, "scopes": list(resource.scopes)}
