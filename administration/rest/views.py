"""Views of the administration's REST API: parse, call one service, render."""

import uuid

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.entity_tags import ETAG, IF_MATCH, own_unchanged, with_entity_tag
from accounts.rest.idempotency import IDEMPOTENCY_KEY, once
from accounts.rest.permissions import ADMINISTRATORS
from accounts.rest.strictness import refuse_body
from accounts.rest.views import actor_for, checked, checked_change, own
from administration.rest.filters import AuditFilter, RegistrationFilter
from administration.rest.serializers import (
    AuditBody,
    CheckBody,
    DeletionBody,
    DiscoveredBody,
    DiscoverInput,
    KeyManagerBody,
    KeyManagerChange,
    KeyManagerInput,
    PlanChange,
    PlanInput,
    RegistrationBody,
    RegistrationDetailBody,
    UsageBody,
)
from keymanager.models import KeyManager, KeyManagerCheck, Registration
from keymanager.rest import PlanBody
from keymanager.services import credentials, key_managers
from keymanager.services.key_manager_deletion import Clients
from subscriptions.models import AuditEvent, Plan
from subscriptions.services import plans


class KeyManagerListView(generics.ListAPIView[KeyManager]):
    """List key managers, or add one."""

    permission_classes = ADMINISTRATORS
    serializer_class = KeyManagerBody
    queryset = KeyManager.objects.order_by("created_at", "id")

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ETAG], request=KeyManagerInput, responses={201: KeyManagerBody})
    def post(self, request: Request) -> Response:
        """Add a key manager; existing APIs that accept all get their registrations there."""
        actor = actor_for(request)
        data = checked(KeyManagerInput, request)

        def create() -> Response:
            row = key_managers.create_key_manager(actor=actor, **data)
            return with_entity_tag(Response(KeyManagerBody(row).data, status=status.HTTP_201_CREATED), row.revision)

        return once(request, create)


class KeyManagerView(APIView):
    """One key manager."""

    permission_classes = ADMINISTRATORS

    @extend_schema(parameters=[ETAG], responses=KeyManagerBody)
    def get(self, request: Request, slug: str) -> Response:
        """Read it, secrets masked."""
        row = own(KeyManager.objects.all(), slug=slug)
        return with_entity_tag(Response(KeyManagerBody(row).data), row.revision)

    @extend_schema(parameters=[IF_MATCH, ETAG], request=KeyManagerChange, responses=KeyManagerBody)
    @transaction.atomic
    def patch(self, request: Request, slug: str) -> Response:
        """Change it; a secret sent back as its mask is kept."""
        row = own_unchanged(request, KeyManager.objects.all(), slug=slug)
        data = checked_change(KeyManagerChange, request, shown=KeyManagerBody(row).data, fixed=("slug", "issuer"))
        row = key_managers.update_key_manager(actor=actor_for(request), key_manager=row, **data)
        return with_entity_tag(Response(KeyManagerBody(row).data), row.revision)

    @extend_schema(
        parameters=[IF_MATCH, OpenApiParameter("clients", enum=list(Clients))],
        responses={200: DeletionBody, 202: DeletionBody, 204: None},
    )
    @transaction.atomic
    def delete(self, request: Request, slug: str) -> Response:
        """Delete it: when nothing uses it, or with ``?clients=`` what becomes of its clients.

        204: it is gone, and nothing is left there. 200: it is gone, and the answer names what is left there. 202: its
        clients are being removed, and then it is deleted.
        """
        row = own_unchanged(request, KeyManager.objects.all(), slug=slug)
        clients = request.query_params.get("clients", "")
        done = key_managers.delete_key_manager(actor=actor_for(request), key_manager=row, clients=clients)
        if done.deleted and not done.orphans:
            return Response(status=status.HTTP_204_NO_CONTENT)
        code = status.HTTP_200_OK if done.deleted else status.HTTP_202_ACCEPTED
        return Response(DeletionBody(done).data, status=code)


class KeyManagerUsageView(APIView):
    """Who uses a key manager."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=UsageBody)
    def get(self, request: Request, slug: str) -> Response:
        """Applications with clients there, APIs that list it, counts."""
        row = own(KeyManager.objects.all(), slug=slug)
        return Response(UsageBody(key_managers.usage_of(row)).data)


class DiscoverView(APIView):
    """Discovery before adding a key manager."""

    permission_classes = ADMINISTRATORS

    @extend_schema(request=DiscoverInput, responses=DiscoveredBody)
    def post(self, request: Request) -> Response:
        """What the discovery document says: found, not found, what looks wrong."""
        found = key_managers.discover(**checked(DiscoverInput, request))
        return Response(DiscoveredBody(found).data)


class KeyManagerChecksView(APIView):
    """Connection checks of one key manager."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=CheckBody)
    def get(self, request: Request, slug: str) -> Response:
        """The newest run, step by step."""
        row = own(KeyManagerCheck.objects.filter(key_manager__slug=slug))
        return Response(CheckBody(row).data)

    @extend_schema(request=None, responses={202: CheckBody})
    def post(self, request: Request, slug: str) -> Response:
        """Start a run; a job does the steps, read them by GET."""
        row = own(KeyManager.objects.all(), slug=slug)
        refuse_body(request)
        check = key_managers.start_check(actor=actor_for(request), key_manager=row)
        return Response(CheckBody(check).data, status=status.HTTP_202_ACCEPTED)


class PlanListView(generics.ListAPIView[Plan]):
    """List plans, or add one."""

    permission_classes = ADMINISTRATORS
    serializer_class = PlanBody
    queryset = Plan.objects.order_by("created_at", "slug")

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=PlanInput, responses={201: PlanBody})
    def post(self, request: Request) -> Response:
        """Add a plan."""
        actor = actor_for(request)
        data = checked(PlanInput, request)

        def create() -> Response:
            row = plans.create_plan(actor=actor, **data)
            return Response(PlanBody(row).data, status=status.HTTP_201_CREATED)

        return once(request, create)


class PlanView(APIView):
    """One plan."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=PlanBody)
    def get(self, request: Request, slug: str) -> Response:
        """Read it."""
        return Response(PlanBody(own(Plan.objects.all(), slug=slug)).data)

    @extend_schema(request=PlanChange, responses=PlanBody)
    def patch(self, request: Request, slug: str) -> Response:
        """Change it for every subscription that has it."""
        row = own(Plan.objects.all(), slug=slug)
        changes = checked_change(PlanChange, request, shown=PlanBody(row).data, fixed=("slug",))
        row = plans.change_plan(actor=actor_for(request), plan=row, changes=changes)
        return Response(PlanBody(row).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Delete it when nothing uses it."""
        plans.delete_plan(actor=actor_for(request), plan=own(Plan.objects.all(), slug=slug))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RegistrationListView(generics.ListAPIView[Registration]):
    """The provisioning queue."""

    permission_classes = ADMINISTRATORS
    serializer_class = RegistrationBody
    filterset_class = RegistrationFilter

    def get_queryset(self) -> QuerySet[Registration]:
        """Newest change first."""
        return Registration.objects.select_related("key_manager").order_by("-updated_at", "id")


class RegistrationView(APIView):
    """One registration with its attempts."""

    permission_classes = ADMINISTRATORS

    @extend_schema(responses=RegistrationDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """What was sent and answered, secrets removed."""
        row = own(Registration.objects.select_related("key_manager"), pk=pk)
        return Response(RegistrationDetailBody(row).data)


class RegistrationRetryView(APIView):
    """Try a registration again."""

    permission_classes = ADMINISTRATORS

    @extend_schema(request=None, responses={202: RegistrationBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Now, with fresh attempts."""
        row = own(Registration.objects.select_related("key_manager"), pk=pk)
        refuse_body(request)
        row = credentials.retry(actor=actor_for(request), registration=row)
        return Response(RegistrationBody(row).data, status=status.HTTP_202_ACCEPTED)


class AuditListView(generics.ListAPIView[AuditEvent]):
    """Who did what."""

    permission_classes = ADMINISTRATORS
    serializer_class = AuditBody
    filterset_class = AuditFilter
    queryset = AuditEvent.objects.all()
