"""Subscriptions by REST, and why a call of theirs was refused: parse, call one service, render."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.entity_tags import ETAG, IF_MATCH, own_unchanged, with_entity_tag
from accounts.rest.idempotency import IDEMPOTENCY_KEY, once
from accounts.rest.permissions import APP_DEVELOPERS_CHANGE
from accounts.rest.views import OwnListView, actor_for, checked, checked_change, own
from common.errors import InputError, NotFound
from keymanager.validation.verdicts import find_verdict
from store import services
from store.rest.applications import own_applications
from store.rest.catalogue import visible_versions
from store.rest.filters import SubscriptionFilter
from store.rest.serializers import SubscriptionBody, SubscriptionChange, SubscriptionInput, VerdictBody
from subscriptions.models import Plan, Subscription
from subscriptions.queries.owned import subscriptions_of_teams
from subscriptions.services import subscribing


class SubscriptionListView(OwnListView[Subscription]):
    """List own subscriptions, or subscribe."""

    permission_classes = APP_DEVELOPERS_CHANGE
    serializer_class = SubscriptionBody
    filterset_class = SubscriptionFilter

    def rows(self) -> QuerySet[Subscription]:
        """Own rows."""
        return subscriptions_of_teams(actor_for(self.request).team_ids)

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ETAG], request=SubscriptionInput, responses={201: SubscriptionBody})
    def post(self, request: Request) -> Response:
        """Subscribe an application to an API version under a plan."""
        actor = actor_for(request)
        data = checked(SubscriptionInput, request)

        def create() -> Response:
            row = services.subscribe(
                actor=actor,
                application=_named(own_applications(request), "application", pk=data["application"]),
                api_version=_named(visible_versions(request), "api", pk=data["api"]),
                plan=_named(Plan.objects.all(), "plan", slug=data["plan"]),
            )
            return with_entity_tag(Response(SubscriptionBody(row).data, status=status.HTTP_201_CREATED), row.revision)

        return once(request, create)


class SubscriptionView(APIView):
    """One subscription."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], responses=SubscriptionBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        row = own(subscriptions_of_teams(actor_for(request).team_ids), pk=pk)
        return with_entity_tag(Response(SubscriptionBody(row).data), row.revision)

    @extend_schema(parameters=[IF_MATCH, ETAG], request=SubscriptionChange, responses=SubscriptionBody)
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Move to another plan that the API offers."""
        actor = actor_for(request)
        row = own_unchanged(request, subscriptions_of_teams(actor.team_ids), pk=pk)
        data = checked_change(
            SubscriptionChange, request, shown=SubscriptionBody(row).data, fixed=("application", "api", "state")
        )
        plan = _named(Plan.objects.all(), "plan", slug=data["plan"])
        row = subscribing.change_subscription_plan(actor=actor, subscription=row, plan=plan)
        return with_entity_tag(Response(SubscriptionBody(row).data), row.revision)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Unsubscribe."""
        actor = actor_for(request)
        row = own_unchanged(request, subscriptions_of_teams(actor.team_ids), pk=pk)
        services.unsubscribe(actor=actor, subscription=row)
        return Response(status=status.HTTP_204_NO_CONTENT)


class VerdictView(APIView):
    """Why a call was refused."""

    @extend_schema(responses=VerdictBody)
    def get(self, request: Request, reference: str) -> Response:
        """Each step of the verdict and the first that failed, to the application's team."""
        actor = actor_for(request)
        verdict = find_verdict(reference, actor.team_ids, administrator=actor.is_administrator)
        if verdict is None:
            raise NotFound
        return Response(VerdictBody(verdict).data)


def _named(rows: QuerySet[Any], field: str, **lookup: Any) -> Any:
    """The row, or an ``InputError`` that names the field of the body it came from."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise InputError.of(field, "There is nothing here that you can see.")
    return row
