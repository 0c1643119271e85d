"""Where an API's resource and scopes stand, by REST: parse, call one service, render."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.permissions import API_DEVELOPERS_CHANGE
from accounts.rest.strictness import refuse_body
from accounts.rest.views import OwnListView, actor_for, own
from keymanager.models import Registration
from keymanager.services import credentials
from keymanager.services.resources import registrations_of
from publisher.rest.apis import own_versions
from publisher.rest.serializers import (
    ResourceRegistrationBody,
    ResourceRegistrationDetailBody,
)


class ApiRegistrationsView(OwnListView[Registration]):
    """Where the API's resource and scopes stand at every key manager."""

    serializer_class = ResourceRegistrationBody

    def rows(self) -> QuerySet[Registration]:
        """Registrations of one own API version."""
        return registrations_of(own(own_versions(self.request), pk=self.kwargs["pk"]))


class ApiRegistrationView(APIView):
    """One of these registrations with its attempts."""

    @extend_schema(responses=ResourceRegistrationDetailBody)
    def get(self, request: Request, pk: uuid.UUID, registration: uuid.UUID) -> Response:
        """What was sent and answered, secrets removed."""
        row = own(registrations_of(own(own_versions(request), pk=pk)), pk=registration)
        return Response(ResourceRegistrationDetailBody(row).data)


class ApiRegistrationRetryView(APIView):
    """Try one of these registrations again."""

    permission_classes = API_DEVELOPERS_CHANGE

    @extend_schema(request=None, responses={202: ResourceRegistrationBody})
    def post(self, request: Request, pk: uuid.UUID, registration: uuid.UUID) -> Response:
        """Now, with fresh attempts."""
        row = own(registrations_of(own(own_versions(request), pk=pk)), pk=registration)
        refuse_body(request)
        row = credentials.retry(actor=actor_for(request), registration=row)
        return Response(ResourceRegistrationBody(row).data, status=status.HTTP_202_ACCEPTED)
