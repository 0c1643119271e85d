"""Views of the publisher's REST API: parse, call one service, render."""

import json
import uuid
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.entity_tags import own_unchanged, require_match, with_entity_tag
from accounts.rest.idempotency import once, replayed
from accounts.rest.parsers import StorableJsonParser
from accounts.rest.permissions import API_DEVELOPERS_CHANGE, PUBLISHERS_CHANGE
from accounts.rest.strictness import refuse_body
from accounts.rest.views import OwnListView, actor_for, checked, checked_change, own, team_of
from common.errors import InputError
from keymanager.models import Registration
from keymanager.rest import PlanBody
from keymanager.services import credentials
from keymanager.services.resources import registrations_of
from publisher import services
from publisher.definitions import Definition, HandOperation, operations_by_hand, parse_definition
from publisher.fetching import fetch_definition
from publisher.rest.filters import ApiFilter
from publisher.rest.serializers import (
    ApiBody,
    ApiCreateInput,
    ApiDetailBody,
    ApiFactsInput,
    BlockInput,
    DefinitionInput,
    LifecycleInput,
    PublisherSubscriptionBody,
    ResourceRegistrationBody,
    ResourceRegistrationDetailBody,
    UnblockInput,
)
from publisher.rest.uploads import UploadedDefinitionParser
from subscriptions.models import ApiVersion, Plan, Subscription
from subscriptions.queries.owned import subscriptions_to_teams, versions_of_teams
from subscriptions.services.apis import VersionFacts
from subscriptions.states import LifecycleAction

_PARSERS = (StorableJsonParser, UploadedDefinitionParser)
# Members of an API version that PATCH cannot change; its definition changes operations and scopes.
FIXED: Final = ("name", "version", "context", "team", "state", "operations", "scopes")


def own_versions(request: Request) -> QuerySet[ApiVersion]:
    """API versions of the caller's teams."""
    return versions_of_teams(actor_for(request).team_ids)


class ApiListView(OwnListView[ApiVersion]):
    """List own API versions, or create one."""

    permission_classes = API_DEVELOPERS_CHANGE
    parser_classes = _PARSERS
    serializer_class = ApiBody
    filterset_class = ApiFilter

    def rows(self) -> QuerySet[ApiVersion]:
        """Own rows."""
        return own_versions(self.request)

    @extend_schema(request=ApiCreateInput, responses={201: ApiDetailBody})
    def post(self, request: Request) -> Response:
        """Create an API version from a definition, a URL or operations given by hand."""
        actor = actor_for(request)
        if (answer := replayed(request)) is not None:
            return answer
        data = checked(ApiCreateInput, request)
        # Read (and perhaps fetched) before any transaction is open.
        new = services.NewApi(
            name=data["name"],
            version=data["version"],
            context=data["context"],
            definition=_definition(data, title=data["name"], version=data["version"]),
            facts=_facts(data),
            key_managers=data.get("key_managers", "all"),
        )

        def create() -> Response:
            row = services.create_api(actor=actor, team_id=team_of(actor), new=new)
            return with_entity_tag(Response(_detail(request, row.pk), status=status.HTTP_201_CREATED), row.revision)

        return once(request, create)


class ApiView(APIView):
    """One API version."""

    permission_classes = API_DEVELOPERS_CHANGE

    @extend_schema(responses=ApiDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        row = own(own_versions(request), pk=pk)
        return with_entity_tag(Response(_detail(request, pk)), row.revision)

    @extend_schema(request=ApiFactsInput, responses=ApiDetailBody)
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change facts or accepted key managers."""
        row = own_unchanged(request, own_versions(request), pk=pk)
        data = checked_change(ApiFactsInput, request, shown=_detail(request, pk), fixed=FIXED)
        row = services.change_api(
            actor=actor_for(request), api_version=row, facts=_facts(data), key_managers=data.get("key_managers")
        )
        return with_entity_tag(Response(_detail(request, pk)), row.revision)

    @extend_schema(parameters=[OpenApiParameter("force", enum=["true"])], responses={204: None})
    @transaction.atomic
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a version that is not at the gateway. While applications are subscribed the answer is 409 with their
        names; `?force=true` ends their subscriptions with it.
        """
        row = own_unchanged(request, own_versions(request), pk=pk)
        force = request.query_params.get("force", "")
        if force not in ("", "true"):
            raise InputError.of("force", "This can be true, or be left out.")
        services.delete_api(actor=actor_for(request), api_version=row, end_subscriptions=force == "true")
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiDefinitionView(APIView):
    """The definition of one API version."""

    permission_classes = API_DEVELOPERS_CHANGE
    parser_classes = _PARSERS

    @extend_schema(responses={200: dict})
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The stored document."""
        return Response(own(own_versions(request), pk=pk).definition)

    @extend_schema(request=DefinitionInput, responses=ApiDetailBody)
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace it by a document, a file or operations given by hand; an invalid one changes nothing."""
        row = own(own_versions(request), pk=pk)
        require_match(request, row.revision)
        # Read (and perhaps fetched) before any transaction is open.
        definition = _definition(checked(DefinitionInput, request), title=row.api.name, version=row.version)
        with transaction.atomic():
            row = own_unchanged(request, own_versions(request), pk=pk)
            row = services.replace_definition(actor=actor_for(request), api_version=row, definition=definition)
        return with_entity_tag(Response(_detail(request, pk)), row.revision)


class ApiLifecycleView(APIView):
    """Lifecycle of one API version."""

    permission_classes = PUBLISHERS_CHANGE

    @extend_schema(request=LifecycleInput, responses=ApiDetailBody)
    @transaction.atomic
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Publish, block, unblock, deprecate, retire or demote."""
        row = own_unchanged(request, own_versions(request), pk=pk)
        action = LifecycleAction(checked(LifecycleInput, request)["action"])
        row = services.move_api(actor=actor_for(request), api_version=row, action=action)
        return with_entity_tag(Response(_detail(request, pk)), row.revision)


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


def _detail(request: Request, pk: uuid.UUID) -> dict[str, Any]:
    row = (
        own_versions(request)
        .select_related("accepted_key_managers")
        .prefetch_related("operations__scopes", "scopes", "accepted_key_managers__key_managers")
        .get(pk=pk)
    )
    return dict(ApiDetailBody(row).data)


def _facts(data: dict[str, Any]) -> VersionFacts:
    endpoints = data.get("endpoints", {})
    return VersionFacts(
        description=data.get("description"),
        tags=data.get("tags"),
        production_url=endpoints.get("production"),
        sandbox_url=endpoints.get("sandbox"),
        plans=data.get("plans"),
        public=data.get("public"),
        forward_token=data.get("forward_token"),
        backend_jwt=data.get("backend_jwt"),
        audiences=data.get("audiences"),
        scope_roles=data.get("scope_roles"),
        user_claims=data.get("user_claims"),
    )


def _definition(data: dict[str, Any], *, title: str, version: str) -> Definition:
    if url := data.get("definition_url"):
        return parse_definition(fetch_definition(url, settings.ARCHWAY_ALLOWED_NETWORKS))
    if operations := data.get("operations"):
        return operations_by_hand(
            [
                HandOperation(
                    method=item["method"],
                    path=item["path"],
                    scopes=tuple(item["scopes"]),
                    auth=item["auth"],
                    summary=item["summary"],
                )
                for item in operations
            ],
            title=title,
            version=version,
        )
    definition = data.get("definition")
    if isinstance(definition, dict):
        return parse_definition(json.dumps(definition))
    if isinstance(definition, str):
        return parse_definition(definition)
    raise InputError.of("definition", "Give the document as an object or as text.")
