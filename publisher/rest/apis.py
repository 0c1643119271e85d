"""API versions by REST: parse, call one service, render."""

import json
import uuid
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest.entity_tags import ETAG, IF_MATCH, own_unchanged, require_match, with_entity_tag
from accounts.rest.idempotency import IDEMPOTENCY_KEY, once, replayed
from accounts.rest.parsers import StorableJsonParser
from accounts.rest.permissions import API_DEVELOPERS_CHANGE, PUBLISHERS_CHANGE
from accounts.rest.views import OwnListView, actor_for, checked, checked_change, own, team_of
from common.errors import InputError
from publisher import services
from publisher.definitions import Definition, HandOperation, operations_by_hand, parse_definition
from publisher.fetching import fetch_definition
from publisher.rest.filters import ApiFilter
from publisher.rest.serializers import (
    ApiBody,
    ApiCreateInput,
    ApiDetailBody,
    ApiFactsInput,
    DefinitionInput,
    LifecycleInput,
)
from publisher.rest.uploads import UploadedDefinitionParser
from subscriptions.models import ApiVersion
from subscriptions.queries.owned import versions_of_teams
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

    @extend_schema(parameters=[IDEMPOTENCY_KEY, ETAG], request=ApiCreateInput, responses={201: ApiDetailBody})
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

    @extend_schema(parameters=[ETAG], responses=ApiDetailBody)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it."""
        row = own(own_versions(request), pk=pk)
        return with_entity_tag(Response(_detail(request, pk)), row.revision)

    @extend_schema(parameters=[IF_MATCH, ETAG], request=ApiFactsInput, responses=ApiDetailBody)
    @transaction.atomic
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change facts or accepted key managers."""
        row = own_unchanged(request, own_versions(request), pk=pk)
        data = checked_change(ApiFactsInput, request, shown=_detail(request, pk), fixed=FIXED)
        row = services.change_api(
            actor=actor_for(request), api_version=row, facts=_facts(data), key_managers=data.get("key_managers")
        )
        return with_entity_tag(Response(_detail(request, pk)), row.revision)

    @extend_schema(parameters=[IF_MATCH, OpenApiParameter("force", enum=["true"])], responses={204: None})
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

    @extend_schema(parameters=[IF_MATCH, ETAG], request=DefinitionInput, responses=ApiDetailBody)
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

    @extend_schema(parameters=[IF_MATCH, ETAG], request=LifecycleInput, responses=ApiDetailBody)
    @transaction.atomic
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Publish, block, unblock, deprecate, retire or demote."""
        row = own_unchanged(request, own_versions(request), pk=pk)
        action = LifecycleAction(checked(LifecycleInput, request)["action"])
        row = services.move_api(actor=actor_for(request), api_version=row, action=action)
        return with_entity_tag(Response(_detail(request, pk)), row.revision)


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
