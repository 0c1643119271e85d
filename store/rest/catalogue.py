"""The catalogue by REST: API versions in the store, their definitions."""

import uuid

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.rest.views import OwnListView, actor_for, own
from common.served_definition import with_gateway_urls
from store.rest.catalogue_bodies import StoreApiBody, StoreApiDetailBody
from store.rest.filters import StoreApiFilter
from subscriptions.models import ApiVersion
from subscriptions.queries.catalogue import store_versions


def visible_versions(request: Request) -> QuerySet[ApiVersion]:
    """API versions that the caller, signed in or not, may see in the store."""
    team_ids = actor_for(request).team_ids if isinstance(request.user, User) else frozenset()
    return store_versions(team_ids).order_by("-created_at", "id")


class StoreApiListView(OwnListView[ApiVersion]):
    """The catalogue; public APIs are readable without signing in."""

    permission_classes = (permissions.AllowAny,)
    serializer_class = StoreApiBody
    filterset_class = StoreApiFilter

    def rows(self) -> QuerySet[ApiVersion]:
        """What the caller may see."""
        return visible_versions(self.request)


class StoreApiView(APIView):
    """One API version in the store."""

    permission_classes = (permissions.AllowAny,)

    @extend_schema(responses=StoreApiDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        return Response(StoreApiDetailBody(own(visible_versions(request), pk=pk)).data)


class StoreDefinitionView(APIView):
    """The definition as app developers use it: its server is the gateway."""

    permission_classes = (permissions.AllowAny,)

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The document with the gateway's URL and the portal's token endpoint."""
        row = own(visible_versions(request), pk=pk)
        base = f"{settings.ARCHWAY_GATEWAY_URL}{row.path_prefix}"
        document = with_gateway_urls(
            row.definition or {},
            production_url=base,
            sandbox_url=base if row.sandbox_url else None,
            token_url=f"{settings.ARCHWAY_PUBLIC_URL}/token",
        )
        return Response(document)
