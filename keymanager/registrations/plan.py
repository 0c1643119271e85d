"""What the next call of a registration is; pure, decided from what is stored."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.errors import NotSupported, OutcomeUnknown
from keymanager.adapters.contract import Capability
from keymanager.registrations.states import RegistrationState, Wish


class Operation(StrEnum):
    """One call of a registration, as its attempts name it."""

    CREATE = "create"
    FIND = "find"
    UPDATE = "update"
    ROTATE = "rotate_secret"
    DROP_OLD_SECRET = "drop_old_secret"
    VERIFY = "verify"
    DELETE = "delete"
    FIND_AND_DELETE = "find_and_delete"


REMOVALS: Final = frozenset({Operation.DELETE, Operation.FIND_AND_DELETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Nothing needs to be called: the registration moves to ``state`` as it is."""

    state: RegistrationState
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides. ``exists``: we know it at the key manager. ``as_applied``: the wish is what was last applied."""

    wish: Wish
    exists: bool
    in_doubt: bool
    as_applied: bool
    wants_rotation: bool = False
    wants_old_secret_dropped: bool = False
    mapped: bool = False
    capabilities: Collection[Capability] = ()


S = RegistrationState
C = Capability
_ORPHAN_POSSIBLE: Final = (
    "The key manager was asked to create this client and the answer was lost; it cannot be searched. "
    "A client may exist there that the portal does not know. Look there, remove it if so, and then retry: "
)


def plan_client(facts: Facts) -> Operation | Settled:
    """The next call for a client, or where it settles without one."""
    return _client_wanted(facts) if facts.wish == Wish.PRESENT else _client_unwanted(facts)


def _client_wanted(facts: Facts) -> Operation | Settled:
    if facts.mapped:
        # Asking can be repeated; what it cannot find out at this key manager, its answer says.
        return Settled(state=S.ACTIVE) if facts.as_applied else Operation.VERIFY
    if not facts.exists and facts.in_doubt:
        if C.FIND_CLIENT in facts.capabilities:
            return Operation.FIND
        return Settled(
            state=S.REFUSED, code=OutcomeUnknown.code, message=f"{_ORPHAN_POSSIBLE}a new one will be registered."
        )
    if not facts.exists:
        return _needs(Operation.CREATE, C.CREATE_CLIENT, facts, "Clients are made by hand at this key manager.")
    if not facts.as_applied or facts.in_doubt:
        return _needs(Operation.UPDATE, C.UPDATE_CLIENT, facts, "Clients cannot be changed at this key manager.")
    if facts.wants_old_secret_dropped and (C.OVERLAPPING_SECRETS in facts.capabilities or not facts.wants_rotation):
        # Before a rotation: it is the secret that is old now which shall end.
        return _needs(Operation.DROP_OLD_SECRET, C.OVERLAPPING_SECRETS, facts, "There are no two secrets here.")
    if facts.wants_rotation:
        return _needs(Operation.ROTATE, C.ROTATE_SECRET, facts, "Secrets cannot be replaced at this key manager.")
    return Settled(state=S.ACTIVE)


def _client_unwanted(facts: Facts) -> Operation | Settled:
    if facts.mapped or (not facts.exists and not facts.in_doubt):
        return Settled(state=S.REMOVED)
    if facts.exists:
        text = "Clients cannot be deleted at this key manager. Remove it there by hand and then retry."
        return _needs(Operation.DELETE, C.DELETE_CLIENT, facts, text)
    if C.FIND_CLIENT in facts.capabilities:
        return Operation.FIND_AND_DELETE
    return Settled(state=S.REFUSED, code=OutcomeUnknown.code, message=f"{_ORPHAN_POSSIBLE}this will be forgotten.")


def plan_kept_thing(facts: Facts, needed: Capability) -> Operation | Settled:
    """The next call for a resource or a scope; registering and deleting them can be repeated."""
    if facts.wish == Wish.PRESENT:
        if needed not in facts.capabilities:
            return Settled(state=S.NOT_KEPT)
        if facts.exists and facts.as_applied and not facts.in_doubt:
            return Settled(state=S.ACTIVE)
        return Operation.UPDATE if facts.exists else Operation.CREATE
    if not facts.exists and not facts.in_doubt:
        return Settled(state=S.REMOVED)
    return _needs(Operation.DELETE, needed, facts, "This key manager's configuration no longer allows to remove it.")


def _needs(operation: Operation, capability: Capability, facts: Facts, text: str) -> Operation | Settled:
    if capability in facts.capabilities:
        return operation
    return Settled(state=S.REFUSED, code=NotSupported.code, message=text)
