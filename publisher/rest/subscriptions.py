"""Subscribers of an API and the plans that it may offer, by REST: parse, call one service, render."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.permissions import PUBLISHERS_CHANGE
from accounts.rest.views import OwnListView, actor_for, checked, own
from keymanager.rest import PlanBody
from publisher import services
from publisher.rest.apis import own_versions
from publisher.rest.serializers import (
    BlockInput,
    PublisherSubscriptionBody,
    UnblockInput,
)
from subscriptions.models import Plan, Subscription
from subscriptions.queries.owned import subscriptions_to_teams


class ApiSubscriptionsView(OwnListView[Subscription]):
    """Who subscribes to an API version."""

    serializer_class = PublisherSubscriptionBody

    def rows(self) -> QuerySet[Subscription]:
        """Subscriptions to one own API version."""
        row = own(own_versions(self.request), pk=self.kwargs["pk"])
        return subscriptions_to_teams(actor_for(self.request).team_ids).filter(api_version=row)


class SubscriptionBlockView(APIView):
    """Block one subscription."""

    permission_classes = PUBLISHERS_CHANGE

    @extend_schema(request=BlockInput, responses=PublisherSubscriptionBody)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Refuse every call, or production calls only."""
        actor = actor_for(request)
        row = own(subscriptions_to_teams(actor.team_ids), pk=pk)
        scope = checked(BlockInput, request)["scope"]
        row = services.block_subscription(actor=actor, subscription=row, production_only=scope == "production")
        return Response(PublisherSubscriptionBody(row).data)


class SubscriptionUnblockView(APIView):
    """Unblock one subscription."""

    permission_classes = PUBLISHERS_CHANGE

    @extend_schema(request=UnblockInput, responses=PublisherSubscriptionBody)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Let its calls through again; with `production` only where nothing else is blocked."""
        actor = actor_for(request)
        row = own(subscriptions_to_teams(actor.team_ids), pk=pk)
        scope = checked(UnblockInput, request)["scope"]
        row = services.unblock_subscription(actor=actor, subscription=row, production_only=scope == "production")
        return Response(PublisherSubscriptionBody(row).data)


class PlanListView(generics.ListAPIView[Plan]):
    """Plans that an API may offer."""

    serializer_class = PlanBody
    queryset = Plan.objects.order_by("created_at", "slug")
