"""Bodies of the publisher's REST API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Team
from keymanager.models import Registration
from keymanager.rest import AttemptBody
from keymanager.services.acceptance import ALL
from subscriptions.models import ApiVersion, Operation, Plan, Subscription
from subscriptions.states import ApiState, LifecycleAction, available_actions


@extend_schema_field({"oneOf": [{"type": "string", "enum": [ALL]}, {"type": "array", "items": {"type": "string"}}]})
class KeyManagersField(serializers.Field[Any, Any, Any, Any]):
    """``"all"`` or a list of slugs."""

    def to_internal_value(self, data: Any) -> str | list[str]:
        """Accept the word or a list of texts."""
        if data == ALL:
            return ALL
        if isinstance(data, list) and data and all(isinstance(item, str) for item in data):
            return data
        raise serializers.ValidationError('Give "all" or a non-empty list of key manager slugs.')

    def to_representation(self, value: Any) -> Any:
        """As stored."""
        return value


class EndpointsInput(serializers.Serializer[Any]):
    """Upstream URLs; private addresses are allowed, only the gateway calls them."""

    production = serializers.CharField(required=False, allow_blank=True)
    sandbox = serializers.CharField(required=False, allow_blank=True)


class OperationInputBody(serializers.Serializer[Any]):
    """One operation given by hand."""

    method = serializers.CharField()
    path = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    auth = serializers.ChoiceField(choices=["required", "none"], required=False, default="required")
    summary = serializers.CharField(required=False, allow_blank=True, default="")


class ApiFactsInput(serializers.Serializer[Any]):
    """What may be changed on an API version besides its definition."""

    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    endpoints = EndpointsInput(required=False)
    plans = serializers.ListField(child=serializers.SlugField(), required=False)
    key_managers = KeyManagersField(required=False)
    public = serializers.BooleanField(required=False)
    forward_token = serializers.BooleanField(required=False)
    backend_jwt = serializers.BooleanField(required=False)
    audiences = serializers.ListField(child=serializers.CharField(), required=False)
    scope_roles = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Scope to roles: a token with a user carries the scope only if the user has one of them.",
    )
    user_claims = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Name in the backend JWT to name of a claim of the user.",
    )

    def validate_plans(self, slugs: list[str]) -> list[Plan]:
        """Every plan must exist."""
        plans = list(Plan.objects.filter(slug__in=slugs))
        unknown = sorted(set(slugs) - {plan.slug for plan in plans})
        if unknown:
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)}.")
        return plans


class DefinitionInput(serializers.Serializer[Any]):
    """A definition: object, text or file, the URL to fetch it from once, or operations given by hand."""

    definition = serializers.JSONField(required=False)
    definition_url = serializers.CharField(required=False, max_length=2000)
    operations = OperationInputBody(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one source of operations."""
        given = [name for name in ("definition", "definition_url", "operations") if attrs.get(name)]
        if len(given) != 1:
            raise serializers.ValidationError(
                {"definition": "Give exactly one of definition, definition_url and operations."}
            )
        return attrs


class ApiCreateInput(ApiFactsInput, DefinitionInput):
    """A new API version."""

    name = serializers.CharField()
    version = serializers.CharField()
    context = serializers.CharField()  # type: ignore[assignment] # DRF has an attribute of this name


class OperationBody(serializers.ModelSerializer[Operation]):
    """One stored operation."""

    scopes = serializers.SlugRelatedField[Any](many=True, read_only=True, slug_field="key")

    class Meta:
        model = Operation
        fields = ("method", "path", "operation_id", "summary", "auth", "scopes")


class ApiBody(serializers.ModelSerializer[ApiVersion]):
    """One API version as its publisher sees it."""

    name = serializers.CharField(source="api.name")
    context = serializers.CharField(source="api.context")  # type: ignore[assignment] # as above
    team = serializers.SlugRelatedField[Team](source="api.team", read_only=True, slug_field="name")
    endpoints = serializers.SerializerMethodField()
    plans = serializers.SlugRelatedField[Plan](many=True, read_only=True, slug_field="slug")
    available_actions = serializers.SerializerMethodField()

    class Meta:
        model = ApiVersion
        fields: tuple[str, ...] = (
            "id",
            "name",
            "version",
            "context",
            "team",
            "state",
            "available_actions",
            "description",
            "tags",
            "endpoints",
            "plans",
            "public",
            "forward_token",
            "backend_jwt",
            "audiences",
            "user_claims",
            "revision",
            "created_at",
            "updated_at",
        )

    def get_endpoints(self, row: ApiVersion) -> dict[str, str]:
        """Upstream URLs by environment."""
        return {"production": row.production_url, "sandbox": row.sandbox_url}

    def get_available_actions(self, row: ApiVersion) -> list[str]:
        """Lifecycle actions that its state allows."""
        return [action.value for action in available_actions(ApiState(row.state))]


class ApiDetailBody(ApiBody):
    """One API version with operations, scopes and accepted key managers."""

    operations = OperationBody(many=True, read_only=True)
    scopes = serializers.SerializerMethodField()
    scope_roles = serializers.SerializerMethodField()
    key_managers = serializers.SerializerMethodField()

    class Meta(ApiBody.Meta):
        fields = (*ApiBody.Meta.fields, "operations", "scopes", "scope_roles", "key_managers")

    def get_scopes(self, row: ApiVersion) -> list[dict[str, str]]:
        """Scopes with their descriptions."""
        return [{"key": scope.key, "description": scope.description} for scope in row.scopes.all()]

    def get_scope_roles(self, row: ApiVersion) -> dict[str, list[str]]:
        """Roles by scope, of the scopes that are bound to some."""
        return {scope.key: scope.roles for scope in row.scopes.all() if scope.roles}

    def get_key_managers(self, row: ApiVersion) -> str | list[str]:
        """``all`` or slugs."""
        accepted = getattr(row, "accepted_key_managers", None)
        if accepted is None or accepted.accepts_all:
            return ALL
        return [key_manager.slug for key_manager in accepted.key_managers.all()]


class LifecycleInput(serializers.Serializer[Any]):
    """A lifecycle action."""

    action = serializers.ChoiceField(choices=[action.value for action in LifecycleAction])


class BlockInput(serializers.Serializer[Any]):
    """How much of a subscription is blocked."""

    scope = serializers.ChoiceField(choices=["all", "production"], default="all")


class UnblockInput(serializers.Serializer[Any]):
    """Which block of a subscription is lifted."""

    scope = serializers.ChoiceField(choices=["all", "production"], default="all")


class PublisherSubscriptionBody(serializers.ModelSerializer[Subscription]):
    """A subscription as the API's publisher sees it."""

    application = serializers.SerializerMethodField()
    api = serializers.UUIDField(source="api_version_id")
    plan = serializers.SlugRelatedField[Plan](read_only=True, slug_field="slug")

    class Meta:
        model = Subscription
        fields = ("id", "application", "api", "plan", "state", "created_at", "updated_at")

    def get_application(self, row: Subscription) -> dict[str, str]:
        """Who subscribes."""
        return {"id": str(row.application_id), "name": row.application.name, "team": row.application.team.name}


class ResourceRegistrationBody(serializers.ModelSerializer[Registration]):
    """Where a resource or scope stands at one key manager."""

    key_manager = serializers.SlugRelatedField[Any](read_only=True, slug_field="slug")
    state = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields: tuple[str, ...] = (
            "id",
            "key_manager",
            "kind",
            "subject",
            "state",
            "attempts",
            "next_try_at",
            "last_error",
            "last_error_code",
            "updated_at",
        )

    def get_state(self, row: Registration) -> str:
        """The state, or the plain words where the key manager has no place for it."""
        return "not kept by this key manager" if row.state == "not_kept" else row.state


class ResourceRegistrationDetailBody(ResourceRegistrationBody):
    """The same with its newest 20 attempts. A scope may be shared with APIs of other teams, so nobody is named."""

    trace = serializers.SerializerMethodField()

    class Meta(ResourceRegistrationBody.Meta):
        fields = (*ResourceRegistrationBody.Meta.fields, "correlation_id", "trace")

    @extend_schema_field(AttemptBody(many=True))
    def get_trace(self, row: Registration) -> Any:
        """Newest first."""
        return AttemptBody(row.attempt_rows.all()[:20], many=True).data
