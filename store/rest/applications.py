"""Applications by REST: parse, call one service, render."""

import uuid

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
from accounts.rest.views import OwnListView, actor_for, checked, checked_change, own, team_of
from store import services
from store.rest.filters import ApplicationFilter
from store.rest.serializers import ApplicationBody, ApplicationChange, ApplicationInput
from subscriptions.models import Application
from subscriptions.queries.owned import applications_of_teams


def own_applications(request: Request) -> QuerySet[Application]:
    """Applications of the caller's teams."""
    return applications_of_teams(actor_for(request).team_ids).prefetch_related(
        "credentials__key_manager", "credentials__registration"
    )


class ApplicationListView(OwnListView[Application]):
    """List own applications, or create one with its credentials."""

    permission_classes = APP_DEVELOPERS_CHANGE
    serializer_class = ApplicationBody
    filterset_class = ApplicationFilter

    def rows(self) -> QuerySet[Application]:
        """Own rows."""
        return own_applications(self.request)

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ETAG], request=ApplicationInput, responses={201: ApplicationBody})
    def post(self, request: Request) -> Response:
        """Create an application; the credentials given are registered by a job."""
        actor = actor_for(request)
        data = checked(ApplicationInput, request)

        def create() -> Response:
            row = services.create_application(
                actor=actor,
                team_id=team_of(actor),
                name=data["name"],
                description=data["description"],
                wanted=[services.NewCredential(**item) for item in data["credentials"]],
            )
            return _application(request, row, status.HTTP_201_CREATED)

        return once(request, create)


class ApplicationView(APIView):
    """One application."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], responses=ApplicationBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        return _application(request, own(own_applications(request), pk=pk))

    @extend_schema(parameters=[IF_MATCH, ETAG], request=ApplicationChange, responses=ApplicationBody)
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change name or description; a new name goes to every client at its identity provider."""
        row = own_unchanged(request, own_applications(request), pk=pk)
        data = checked_change(ApplicationChange, request, shown=ApplicationBody(row).data, fixed=("team", "state"))
        row = services.rename_application(
            actor=actor_for(request), application=row, name=data.get("name"), description=data.get("description")
        )
        return _application(request, row)

    @extend_schema(parameters=[IF_MATCH], responses={202: ApplicationBody})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Refuse its calls at once and remove its clients; it is listed as removing until the last is removed."""
        row = own_unchanged(request, own_applications(request), pk=pk)
        services.remove_application(actor=actor_for(request), application=row)
        row = own(Application.objects.prefetch_related("credentials__key_manager"), pk=pk)
        return Response(ApplicationBody(row).data, status=status.HTTP_202_ACCEPTED)


def _application(request: Request, row: Application, status_code: int = status.HTTP_200_OK) -> Response:
    fresh = own(own_applications(request), pk=row.pk)
    return with_entity_tag(Response(ApplicationBody(fresh).data, status=status_code), fresh.revision)
