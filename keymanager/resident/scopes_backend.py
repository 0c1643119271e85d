"""Which scopes a client may have: those it was registered with and that exist here."""

from typing import TYPE_CHECKING, Any

from oauth2_provider.scopes import BaseScopes

if TYPE_CHECKING:
    from keymanager.resident.models import Client

STANDARD_SCOPES = {
    "openid": "Sign you in",
    "profile": "Read your name",
    "email": "Read your e-mail address",
}
# These would stand for rights of the portal itself; no client can be registered with them, so none can get them.
RESERVED_SCOPES = frozenset({"introspection", "registration", "management"})
RESERVED_PREFIXES = ("oauth2_provider:", "resident:")


def is_reserved(scope: str) -> bool:
    """True for a scope that no client and no API may use."""
    return scope in RESERVED_SCOPES or scope.startswith(RESERVED_PREFIXES)


def is_scope_token(scope: str) -> bool:
    """True for the characters of RFC 6749 section 3.3."""
    return bool(scope) and all(0x21 <= ord(char) <= 0x7E and char not in '"\\' for char in scope)


def allowed_scopes(client: "Client") -> list[str]:
    """The client's registered scopes that exist, in the order of registration."""
    from keymanager.resident.models import Scope

    wanted = [scope for scope in client.scopes if not is_reserved(scope)]
    existing = set(Scope.objects.filter(key__in=wanted).values_list("key", flat=True)) | set(STANDARD_SCOPES)
    return [scope for scope in wanted if scope in existing]


def describe(scopes: list[str]) -> list[tuple[str, str]]:
    """Pairs of scope and description for people."""
    from keymanager.resident.models import Scope

    described = STANDARD_SCOPES | dict(Scope.objects.filter(key__in=scopes).values_list("key", "description"))
    return [(scope, described.get(scope, "")) for scope in scopes]


class ResidentScopes(BaseScopes):
    """The toolkit's door to the two lists."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with its description."""
        from keymanager.resident.models import Scope

        return STANDARD_SCOPES | dict(Scope.objects.values_list("key", "description"))

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """What the client may ask for."""
        return [] if application is None else allowed_scopes(application)

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """What the client gets when it asks for nothing (RFC 6749 section 3.3): its own list."""
        return self.get_available_scopes(application, request)
