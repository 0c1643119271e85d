"""Views of the store's REST API: parse, call one service, render."""

import uuid
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.rest.entity_tags import own_unchanged, with_entity_tag
from accounts.rest.idempotency import once
from accounts.rest.permissions import APP_DEVELOPERS_CHANGE
from accounts.rest.strictness import refuse_body
from accounts.rest.views import OwnListView, actor_for, checked, checked_change, own, team_of
from common.errors import InputError, NotFound
from common.served_definition import with_gateway_urls
from keymanager.models import Credential
from keymanager.services import credentials, old_secrets
from keymanager.validation.verdicts import find_verdict
from store import services
from store.rest.filters import ApplicationFilter, StoreApiFilter, SubscriptionFilter
from store.rest.serializers import (
    ApplicationBody,
    ApplicationChange,
    ApplicationInput,
    CredentialBody,
    CredentialChange,
    CredentialDetailBody,
    CredentialInput,
    RevealedBody,
    StoreApiBody,
    SubscriptionBody,
    SubscriptionChange,
    SubscriptionInput,
    TokenBody,
    TokenInput,
    VerdictBody,
)
from subscriptions.models import ApiVersion, Application, Plan, Subscription
from subscriptions.queries.catalogue import store_versions
from subscriptions.queries.owned import applications_of_teams, subscriptions_of_teams
from subscriptions.services import subscribing

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


def visible_versions(request: Request) -> QuerySet[ApiVersion]:
    """API versions that the caller, signed in or not, may see in the store."""
    team_ids = actor_for(request).team_ids if isinstance(request.user, User) else frozenset()
    return store_versions(team_ids).order_by("-created_at", "id")


def own_applications(request: Request) -> QuerySet[Application]:
    """Applications of the caller's teams."""
    return applications_of_teams(actor_for(request).team_ids).prefetch_related(
        "credentials__key_manager", "credentials__registration"
    )


def own_credentials(request: Request) -> QuerySet[Credential]:
    """Credentials of the caller's teams, removed ones included so that their end can be seen."""
    return Credential.objects.filter(application__team__in=actor_for(request).team_ids).select_related(
        "application", "key_manager", "registration"
    )


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

    @extend_schema(responses=StoreApiBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        return Response(StoreApiBody(own(visible_versions(request), pk=pk)).data)


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


class ApplicationListView(OwnListView[Application]):
    """List own applications, or create one with its credentials."""

    permission_classes = APP_DEVELOPERS_CHANGE
    serializer_class = ApplicationBody
    filterset_class = ApplicationFilter

    def rows(self) -> QuerySet[Application]:
        """Own rows."""
        return own_applications(self.request)

    @extend_schema(request=ApplicationInput, responses={201: ApplicationBody})
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

    @extend_schema(responses=ApplicationBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        return _application(request, own(own_applications(request), pk=pk))

    @extend_schema(request=ApplicationChange, responses=ApplicationBody)
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change name or description; a new name goes to every client at its identity provider."""
        row = own_unchanged(request, own_applications(request), pk=pk)
        data = checked_change(ApplicationChange, request, shown=ApplicationBody(row).data, fixed=("team", "state"))
        row = services.rename_application(
            actor=actor_for(request), application=row, name=data.get("name"), description=data.get("description")
        )
        return _application(request, row)

    @extend_schema(responses={202: ApplicationBody})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Refuse its calls at once and remove its clients; it is listed as removing until the last is removed."""
        row = own_unchanged(request, own_applications(request), pk=pk)
        services.remove_application(actor=actor_for(request), application=row)
        row = own(Application.objects.prefetch_related("credentials__key_manager"), pk=pk)
        return Response(ApplicationBody(row).data, status=status.HTTP_202_ACCEPTED)


class ApplicationCredentialsView(APIView):
    """Credentials of one application."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=CredentialInput, responses={202: CredentialBody})
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

    @extend_schema(responses=CredentialDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it with its attempts."""
        row = own(own_credentials(request), pk=pk)
        return with_entity_tag(Response(CredentialDetailBody(row).data), row.revision)

    @extend_schema(request=CredentialChange, responses={202: CredentialBody})
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change grants, redirect URIs or scopes, or correct the secret of a client made elsewhere; a job follows."""
        row = own_unchanged(request, own_credentials(request), pk=pk)
        data = checked_change(CredentialChange, request, shown=CredentialDetailBody(row).data, fixed=FIXED)
        services.change_credential(actor=actor_for(request), credential=row, **data)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)

    @extend_schema(responses={202: CredentialBody})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Refuse its tokens at once and remove the client at the key manager."""
        row = own_unchanged(request, own_credentials(request), pk=pk)
        credentials.remove_credential(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialRotateView(APIView):
    """Replace a client's secret."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=None, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """A job asks the key manager for a new secret."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        credentials.rotate_secret(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialDropOldSecretView(APIView):
    """End the older of two secrets."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=None, responses={202: CredentialBody})
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """A job tells the key manager; 422 where it has no two secrets."""
        row = own(own_credentials(request), pk=pk)
        refuse_body(request)
        old_secrets.drop_old_secret(actor=actor_for(request), credential=row)
        return _credential(request, pk, status.HTTP_202_ACCEPTED)


class CredentialRetryView(APIView):
    """Try a registration again."""

    permission_classes = APP_DEVELOPERS_CHANGE

    @extend_schema(request=None, responses={202: CredentialBody})
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


class SubscriptionListView(OwnListView[Subscription]):
    """List own subscriptions, or subscribe."""

    permission_classes = APP_DEVELOPERS_CHANGE
    serializer_class = SubscriptionBody
    filterset_class = SubscriptionFilter

    def rows(self) -> QuerySet[Subscription]:
        """Own rows."""
        return subscriptions_of_teams(actor_for(self.request).team_ids)

    @extend_schema(request=SubscriptionInput, responses={201: SubscriptionBody})
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

    @extend_schema(responses=SubscriptionBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        row = own(subscriptions_of_teams(actor_for(request).team_ids), pk=pk)
        return with_entity_tag(Response(SubscriptionBody(row).data), row.revision)

    @extend_schema(request=SubscriptionChange, responses=SubscriptionBody)
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

    @extend_schema(responses={204: None})
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


def _application(request: Request, row: Application, status_code: int = status.HTTP_200_OK) -> Response:
    fresh = own(own_applications(request), pk=row.pk)
    return with_entity_tag(Response(ApplicationBody(fresh).data, status=status_code), fresh.revision)


def _credential(request: Request, pk: uuid.UUID, status_code: int) -> Response:
    row = own(own_credentials(request), pk=pk)
    return with_entity_tag(Response(CredentialBody(row).data, status=status_code), row.revision)
