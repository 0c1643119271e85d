"""Bodies of the store's REST API."""

from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from keymanager.models import Credential
from keymanager.rest import AttemptBody
from keymanager.services.old_secrets import has_two_secrets, secret_warnings
from keymanager.services.outside_changes import outside_warnings
from subscriptions.models import Application, Plan, Subscription
from subscriptions.states import Environment

TOKEN_METHODS = ["client_secret_basic", "client_secret_post", "none"]


class CredentialInput(serializers.Serializer[Any]):
    """A client that shall be registered; with ``client_id`` one that exists at the key manager and is used as it is."""

    key_manager = serializers.SlugField()
    environment = serializers.ChoiceField(choices=[env.value for env in Environment], default="production")
    grant_types = serializers.ListField(child=serializers.CharField(), default=lambda: ["client_credentials"])
    redirect_uris = serializers.ListField(child=serializers.CharField(), default=list)
    scopes = serializers.ListField(child=serializers.CharField(), default=list)
    token_endpoint_auth_method = serializers.ChoiceField(choices=TOKEN_METHODS, default="client_secret_basic")
    extra = serializers.DictField(default=dict, help_text="Members that only this kind of key manager has.")
    client_id = serializers.CharField(default="", allow_blank=True, trim_whitespace=False)
    client_secret = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, write_only=True)


class CredentialChange(serializers.Serializer[Any]):
    """What may be changed on a client; ``client_secret`` only of one that was made elsewhere."""

    grant_types = serializers.ListField(child=serializers.CharField(), required=False)
    redirect_uris = serializers.ListField(child=serializers.CharField(), required=False)
    scopes = serializers.ListField(child=serializers.CharField(), required=False)
    extra = serializers.DictField(required=False)
    client_secret = serializers.CharField(required=False, trim_whitespace=False, write_only=True)


class VerificationBody(serializers.Serializer[Any]):
    """What the key manager proved of a client made elsewhere; null: it could not be checked, ``notes`` say why."""

    exists = serializers.BooleanField(allow_null=True)
    secret_works = serializers.BooleanField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField()


class ApplicationInput(serializers.Serializer[Any]):
    """A new application, with the clients that it shall have."""

    name = serializers.CharField()
    description = serializers.CharField(required=False, allow_blank=True, default="")
    credentials = CredentialInput(many=True, required=False, default=list)


class ApplicationChange(serializers.Serializer[Any]):
    """What may be changed on an application."""

    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False, allow_blank=True)


class CredentialBody(serializers.ModelSerializer[Credential]):
    """One client and where its registration stands. The secret is never part of it."""

    application = serializers.UUIDField(source="application_id")
    key_manager = serializers.SlugRelatedField[Any](read_only=True, slug_field="slug")
    state = serializers.CharField(source="registration.state")
    attempts = serializers.IntegerField(source="registration.attempts")
    next_try_at = serializers.DateTimeField(source="registration.next_try_at", allow_null=True)
    last_error = serializers.CharField(source="registration.last_error")
    last_error_code = serializers.CharField(source="registration.last_error_code")
    verification = VerificationBody(allow_null=True, read_only=True)
    two_secrets = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()

    class Meta:
        model = Credential
        fields: tuple[str, ...] = (
            "id",
            "application",
            "key_manager",
            "environment",
            "state",
            "client_id",
            "grant_types",
            "redirect_uris",
            "scopes",
            "token_endpoint_auth_method",
            "extra",
            "mapped",
            "mapped_client_id",
            "verification",
            "client_secret_expires_at",
            "two_secrets",
            "old_secret_until",
            "warnings",
            "attempts",
            "next_try_at",
            "last_error",
            "last_error_code",
            "revision",
            "created_at",
            "updated_at",
        )

    def get_two_secrets(self, row: Credential) -> bool:
        """True while the secret before the present one is good too."""
        return has_two_secrets(row)

    def get_warnings(self, row: Credential) -> list[str]:
        """What to do about the secrets before something stops working."""
        return secret_warnings(row) + outside_warnings(row)


class ApplicationBody(serializers.ModelSerializer[Application]):
    """One application with its credentials."""

    team = serializers.CharField(source="team.name")
    credentials = serializers.SerializerMethodField()

    class Meta:
        model = Application
        fields = ("id", "name", "description", "team", "state", "credentials", "revision", "created_at", "updated_at")

    @extend_schema_field(CredentialBody(many=True))
    def get_credentials(self, row: Application) -> Any:
        """Credentials that are not removed."""
        rows = [credential for credential in row.credentials.all() if credential.removed_at is None]
        return [self._credential.to_representation(each) for each in rows]

    @cached_property
    def _credential(self) -> CredentialBody:
        """One for the whole list: making it costs more than using it."""
        return CredentialBody()


class CredentialDetailBody(CredentialBody):
    """One client with its attempts, newest first."""

    actor_name = serializers.CharField(source="registration.actor_name")
    correlation_id = serializers.CharField(source="registration.correlation_id")
    trace = serializers.SerializerMethodField()

    class Meta(CredentialBody.Meta):
        fields = (*CredentialBody.Meta.fields, "actor_name", "correlation_id", "trace")

    @extend_schema_field(AttemptBody(many=True))
    def get_trace(self, row: Credential) -> Any:
        """The newest 20 attempts."""
        return AttemptBody(row.registration.attempt_rows.all()[:20], many=True).data


class SubscriptionInput(serializers.Serializer[Any]):
    """Ids of the application and the API version, and the plan's slug."""

    application = serializers.UUIDField()
    api = serializers.UUIDField()
    plan = serializers.SlugField()


class SubscriptionChange(serializers.Serializer[Any]):
    """Another plan."""

    plan = serializers.SlugField()


class SubscriptionBody(serializers.ModelSerializer[Subscription]):
    """One subscription as its subscriber sees it."""

    application = serializers.UUIDField(source="application_id")
    api = serializers.UUIDField(source="api_version_id")
    api_name = serializers.CharField(source="api_version.api.name")
    api_version = serializers.CharField(source="api_version.version")
    plan = serializers.SlugRelatedField[Plan](read_only=True, slug_field="slug")

    class Meta:
        model = Subscription
        fields = (
            "id",
            "application",
            "api",
            "api_name",
            "api_version",
            "plan",
            "state",
            "revision",
            "created_at",
            "updated_at",
        )


class RevealedBody(serializers.Serializer[Any]):
    """A client's secret, for its team."""

    client_id = serializers.CharField()
    client_secret = serializers.CharField()


class TokenInput(serializers.Serializer[Any]):
    """Scopes asked for; none asks for what the key manager gives by default."""

    scopes = serializers.ListField(child=serializers.CharField(), default=list)


class TokenBody(serializers.Serializer[Any]):
    """A token, shown this once."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(allow_null=True)
    scope = serializers.CharField(allow_blank=True)


class VerdictStepBody(serializers.Serializer[Any]):
    """One step of a verdict."""

    name = serializers.CharField()
    outcome = serializers.CharField()
    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)


class VerdictBody(serializers.Serializer[Any]):
    """Why a call was refused: each step, and the first that failed."""

    reference = serializers.CharField()
    at = serializers.DateTimeField()
    method = serializers.CharField()
    path = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    first_failed = serializers.CharField(source="failed_step")
    steps = VerdictStepBody(many=True)
    application = serializers.UUIDField(source="application_id", allow_null=True)
    api = serializers.UUIDField(source="api_version_id", allow_null=True)
    key_manager = serializers.CharField(allow_blank=True)
