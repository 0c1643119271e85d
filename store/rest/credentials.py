"""Credentials by REST: parse, call one service, render."""

import uuid
from typing import Final

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
from accounts.rest.strictness import refuse_body
from accounts.rest.views import actor_for, checked, checked_change, own
from keymanager.models import Credential
from keymanager.services import credentials, old_secrets
from store import services
from store.rest.applications import own_applications
from store.rest.serializers import (
    CredentialBody,
    CredentialChange,
    CredentialDetailBody,
    CredentialInput,
    RevealedBody,
    TokenBody,
    TokenInput,
)

# Members of a credential that PATCH cannot change.
FIXED: Final = (
    "application",
    "key_manager",
    "environment",
    "client_id",
    "token_endpoint_auth_method",
    "mapped",
    "mapped_client_id",
)


def own_credentials(request: Request) -> QuerySet[Credential]:
    """Credentials of the caller's teams, removed ones included so that their end can be seen."""
    return Credential.objects.filter(application__team__in=actor_for(request).team_ids).select_related(
        "application", "key_manager", "registration"
    )


class ApplicationCredentialsView(APIView):
    """Credentials of one application."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ETAG], request=CredentialInput, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Wish for a client; a job registers it at the key manager, or verifies the one that ``client_id`` names."""
        actor = actor_for(request)
        application = own(own_applications(request), pk=pk)
        data = checked(CredentialInput, request)

        def create() -> Response:
            row = services.add_credential(actor=actor, application=application, new=services.NewCredential(**data))
            return _credential(request, row.pk, status.HTTP_202_ACCEPTED)

        return once(request, create)


class CredentialView(APIView):
    """One credential."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], responses=CredentialDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it with its attempts."""
        row = own(own_credentials(request), pk=pk)
        return with_entity_tag(Response(CredentialDetailBody(row).data), row.revision)

    @extend_schema(parameters=[IF_MATCH, ETAG], request=CredentialChange, responses={202: CredentialBody})
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change grants, redirect URIs or scopes, or correct the secret of a client made elsewhere; a job follows."""
        row = own_unchanged(request, own_credentials(request), pk=pk)
        data = checked_change(CredentialChange, request, shown=CredentialDetailBody(row).data, fixed=FIXED)
        services.change_credential(actor=actor_for(request), credential=row, **data)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)

    @extend_schema(parameters=[IF_MATCH, ETAG], responses={202: CredentialBody})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Refuse its tokens at once and remove the client at the key manager."""
        row = own_unchanged(request, own_credentials(request), pk=pk)
        credentials.remove_credential(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialRotateView(APIView):
    """Replace a client's secret."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], request=None, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """A job asks the key manager for a new secret."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        credentials.rotate_secret(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialDropOldSecretView(APIView):
    """End the older of two secrets."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], request=None, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """A job tells the key manager; 422 where it has no two secrets."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        old_secrets.drop_old_secret(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialRetryView(APIView):
    """Try a registration again."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(parameters=[ETAG], request=None, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Now, with fresh attempts."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        credentials.retry(actor=actor_for(request), registration=row.registration)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialRevealView(APIView):
    """Show a client's secret."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=None, responses=RevealedBody)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """The secret, to the owning team; every reading is audited."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        revealed = credentials.reveal_secret(actor=actor_for(request), credential=row)
        return Response(RevealedBody(revealed).data, headers={"Cache-Control": "no-store"})


class CredentialTokenView(APIView):
    """A token for a credential."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=TokenInput, responses=TokenBody)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Ask the key manager for a client_credentials token; it is shown this once."""
        row = own(own_credentials(request).filter(removed_at=None), pk=pk)
        data = checked(TokenInput, request)
        answer = services.issue_token(actor=actor_for(request), credential=row, scopes=data["scopes"])
        return Response(TokenBody(answer).data, headers={"Cache-Control": "no-store"})


def _credential(request: Request, pk: uuid.UUID, status_code: int) -> Response:
    row = own(own_credentials(request), pk=pk)
    return with_entity_tag(Response(CredentialBody(row).data, status=status_code), row.revision)
