"""What every REST view needs: the actor behind the request, and own rows or 404."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from accounts.actor import Actor, actor_of
from accounts.models import ApiToken, User
from accounts.rest.strictness import refuse_unknown_members
from common.errors import InputError, NotAllowed, NotFound

RowT = TypeVar("RowT", bound=Model)


class OwnListView(generics.ListAPIView[RowT]):
    """A list whose rows depend on who asks; ``rows`` says which.

    While the schema is made nobody asks, so the list is then empty.
    """

    def rows(self) -> QuerySet[RowT]:
        """What the caller may see."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[RowT]:
        """The rows, or none of them where there is no caller."""
        if getattr(self, "swagger_fake_view", False):
            meta: Any = getattr(self.serializer_class, "Meta", None)
            return cast(QuerySet[RowT], meta.model._default_manager.none())
        return self.rows()


def actor_for(request: Request) -> Actor:
    """The actor behind an authenticated request; looked up once per request."""
    known = getattr(request, "_archway_actor", None)
    if isinstance(known, Actor):
        return known
    if not isinstance(request.user, User):
        raise NotAllowed("Sign in first.")
    token = request.auth if isinstance(request.auth, ApiToken) else None
    actor = actor_of(request.user, token)
    request._archway_actor = actor  # type: ignore[attr-defined] # kept for this request
    return actor


def team_of(actor: Actor) -> uuid.UUID:
    """The team that new things of this actor belong to."""
    if actor.team_id is None:
        raise NotAllowed("You are no longer a member of this token's team.")
    return actor.team_id


def own(rows: QuerySet[RowT], **lookup: Any) -> RowT:
    """The one row, or ``NotFound``: unknown and not-yours answer alike."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise NotFound
    return row


def checked(
    serializer_class: type[Serializer[Any]], request: Request, *, known: Collection[str] = ()
) -> dict[str, Any]:
    """The validated body. Raises DRF's ``ValidationError``, which names the field, and ``InputError`` naming members
    that do not exist: ignoring them would answer with success to what was not done. ``known``: others that may be sent.
    """
    serializer = serializer_class(data=request.data)
    refuse_unknown_members(serializer, request.data, known=known)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def checked_change(
    serializer_class: type[Serializer[Any]], request: Request, *, shown: Mapping[str, Any], fixed: Collection[str]
) -> dict[str, Any]:
    """The validated body of a PATCH of what is ``shown``.

    The whole of it may be sent back with some members changed. Raises ``InputError`` for a change of a member in
    ``fixed`` and for a member that does not exist.
    """
    data = checked(serializer_class, request, known=shown)
    changeable = serializer_class().fields
    sent = request.data if isinstance(request.data, dict) else {}
    faults = {
        name: ["This cannot be changed here."]
        for name, value in sent.items()
        if name not in changeable and name in fixed and value != shown[name]
    }
    if faults:
        raise InputError("; ".join(f"{name}: {messages[0]}" for name, messages in faults.items()), fields=faults)
    return data
