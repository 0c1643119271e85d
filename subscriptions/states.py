"""State tables of API versions and subscriptions; pure data, tested without a database."""

from enum import StrEnum
from typing import Final


class ApiState(StrEnum):
    """Lifecycle of an API version."""

    CREATED = "created"
    PUBLISHED = "published"
    BLOCKED = "blocked"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class LifecycleAction(StrEnum):
    """What a publisher can do to an API version."""

    PUBLISH = "publish"
    BLOCK = "block"
    UNBLOCK = "unblock"
    DEPRECATE = "deprecate"
    RETIRE = "retire"
    DEMOTE = "demote"


LIFECYCLE: Final[dict[tuple[ApiState, LifecycleAction], ApiState]] = {
    (ApiState.CREATED, LifecycleAction.PUBLISH): ApiState.PUBLISHED,
    (ApiState.PUBLISHED, LifecycleAction.BLOCK): ApiState.BLOCKED,
    (ApiState.PUBLISHED, LifecycleAction.DEPRECATE): ApiState.DEPRECATED,
    (ApiState.PUBLISHED, LifecycleAction.DEMOTE): ApiState.CREATED,
    (ApiState.BLOCKED, LifecycleAction.UNBLOCK): ApiState.PUBLISHED,
    (ApiState.BLOCKED, LifecycleAction.DEPRECATE): ApiState.DEPRECATED,
    (ApiState.BLOCKED, LifecycleAction.RETIRE): ApiState.RETIRED,
    (ApiState.BLOCKED, LifecycleAction.DEMOTE): ApiState.CREATED,
    (ApiState.DEPRECATED, LifecycleAction.PUBLISH): ApiState.PUBLISHED,
    (ApiState.DEPRECATED, LifecycleAction.DEMOTE): ApiState.CREATED,
    (ApiState.DEPRECATED, LifecycleAction.RETIRE): ApiState.RETIRED,
}

# Where the gateway routes calls. A blocked version is routed so that it can be answered with 503.
ROUTED: Final = frozenset({ApiState.PUBLISHED, ApiState.BLOCKED, ApiState.DEPRECATED})
IN_STORE: Final = frozenset({ApiState.PUBLISHED, ApiState.BLOCKED, ApiState.DEPRECATED})
SUBSCRIBABLE: Final = frozenset({ApiState.PUBLISHED})


def next_state(state: ApiState, action: LifecycleAction) -> ApiState | None:
    """The state after ``action``, or ``None`` when the table does not have the move."""
    return LIFECYCLE.get((state, action))


def available_actions(state: ApiState) -> tuple[LifecycleAction, ...]:
    """The actions that ``state`` allows, in the table's order."""
    return tuple(action for (start, action) in LIFECYCLE if start == state)


class SubscriptionState(StrEnum):
    """What a subscription allows. Every state but the first two refuses every call."""

    UNBLOCKED = "unblocked"
    PRODUCTION_BLOCKED = "production_blocked"
    BLOCKED = "blocked"
    ON_HOLD = "on_hold"
    REJECTED = "rejected"


# Between these a publisher moves a subscription freely; the other two wait for, or are, a decision about approval.
BLOCKABLE: Final = frozenset(
    {SubscriptionState.UNBLOCKED, SubscriptionState.PRODUCTION_BLOCKED, SubscriptionState.BLOCKED}
)


class Environment(StrEnum):
    """Kind of key, and the upstream that it reaches."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class OperationAuth(StrEnum):
    """Whether an operation needs a token."""

    REQUIRED = "required"
    NONE = "none"


class ApplicationState(StrEnum):
    """An application that is being removed is refused at once and disappears with its last client."""

    ACTIVE = "active"
    REMOVING = "removing"
    REMOVED = "removed"
