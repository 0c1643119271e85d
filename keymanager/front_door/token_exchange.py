"""What a token exchange (RFC 8693) may ask for at ``/token`` before it is passed on."""

from typing import Final

from common.errors import InputError
from keymanager.front_door.client_authentication import AUTHENTICATION_PARAMETERS
from keymanager.front_door.forms import Parameters

# RFC 8693 section 2.1. Servers have more of their own: Keycloak's requested_subject asks for a token of another person.
_PASSED_ON: Final = frozenset(
    {"grant_type", "resource", "audience", "scope", "requested_token_type"}
    | {"subject_token", "subject_token_type", "actor_token", "actor_token_type"}
    | {*AUTHENTICATION_PARAMETERS}
)


def check_exchange(form: Parameters) -> None:
    """Raises ``InputError`` naming a parameter that is missing or that RFC 8693 section 2.1 does not have."""
    for name in ("subject_token", "subject_token_type"):
        form.require(name)
    if bool(form.get("actor_token")) != bool(form.get("actor_token_type")):
        raise InputError.of("actor_token_type", "It goes with actor_token: both, or none.")
    for name, _ in form.pairs:
        if name not in _PASSED_ON:
            # Not by field: the name is whatever was sent.
            raise InputError(f"{name[:40]}: This parameter is not one of RFC 8693 and is not passed on.")
