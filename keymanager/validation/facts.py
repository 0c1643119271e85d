"""What the validator knows of the portal's objects: compact values, one per row, and the questions asked of them.

Ids are the integers of the UUIDs: they hash and compare natively, which a call's path and 100,000 subscriptions notice.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from keymanager.validation.matching import OperationMatcher
from subscriptions.rules import resource_identifier
from subscriptions.states import ApiState, Environment, SubscriptionState

Id = int


def id_of(value: uuid.UUID | str) -> Id:
    """The integer of a UUID, however it is written."""
    return value.int if isinstance(value, uuid.UUID) else uuid.UUID(value).int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """One operation; a token needs at least one of ``scopes``, if there are any."""

    method: str
    path: str
    scopes: frozenset[str]
    needs_token: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """One API version. ``accepted``: ids of the key managers whose tokens it takes, ``None`` for all enabled ones.

    ``scope_roles``: of the scopes that are bound to roles. ``user_claims``: names in the backend JWT to the user's.
    """

    id: Id
    api_id: str
    api_version_id: str
    name: str
    context: str
    version: str
    state: ApiState
    matcher: OperationMatcher[OperationFacts]
    audiences: frozenset[str]
    accepted: frozenset[Id] | None
    has_production: bool
    has_sandbox: bool
    backend_jwt: bool
    forward_token: bool
    scope_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    user_claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """Its identifier at key managers (RFC 8707)."""
        return resource_identifier(self.api_version_id)

    @property
    def prefix(self) -> str:
        """Where the gateway serves it: ``context/version``."""
        return f"{self.context}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyManagerFacts:
    """One key manager. ``position``: its place in the order of asking. ``revision``: grows with its settings.

    ``enabled``: its tokens are taken, because it is enabled or because they are still accepted while it is not.
    ``issuers``: every ``iss`` that its tokens may have. ``audience_rule`` and ``audiences``: see ``TokenRules``.
    ``shares_users``: its users are the portal's.
    """

    id: Id
    slug: str
    issuers: frozenset[str]
    enabled: bool
    revision: int
    position: int
    audience_rule: str = "none"
    audiences: frozenset[str] = frozenset()
    shares_users: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UserFacts:
    """The user behind a token. ``roles``: none for one that the portal does not know, whose ``id`` is ""."""

    username: str
    id: str = ""
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CredentialFacts:
    """One client that is wanted: removed ones, and those whose removal was asked for, are not loaded."""

    id: Id
    application_id: Id
    key_manager_id: Id
    client_id: str
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ApplicationFacts:
    """One application. ``active`` is false from the moment that its removal was asked for."""

    id: Id
    uuid: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubscriptionFacts:
    """One application's right to call one API version, under one plan."""

    id: Id
    application_id: Id
    api_version_id: Id
    plan_id: Id
    state: SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanFacts:
    """A plan; ``requests`` calls in ``per_seconds`` seconds, both 0 for no limit."""

    id: Id
    slug: str
    name: str
    requests: int
    per_seconds: int


class Facts(Protocol):
    """The questions that steps ask. The validator answers from memory, ``explain_call`` from the database."""

    def find_route(self, path: str) -> tuple[Route, str] | None:
        """The API version that serves a gateway path, and the rest of the path ("" or beginning with ``/``)."""
        ...

    def key_manager(self, key_manager_id: Id) -> KeyManagerFacts | None:
        """A key manager by id."""
        ...

    def enabled_key_managers(self) -> tuple[KeyManagerFacts, ...]:
        """The enabled key managers in the order in which they are asked."""
        ...

    def credential(self, key_manager_id: Id, client_id: str) -> CredentialFacts | None:
        """The usable credential that is this client."""
        ...

    def application(self, application_id: Id) -> ApplicationFacts | None:
        """An application by id."""
        ...

    def subscription(self, application_id: Id, api_version_id: Id) -> SubscriptionFacts | None:
        """The subscription of an application to an API version."""
        ...

    def plan(self, plan_id: Id) -> PlanFacts | None:
        """A plan by id."""
        ...

    def is_revoked(self, digest: bytes) -> bool:
        """Whether the token with this SHA-256 was revoked through us."""
        ...
