"""Bodies of the administration's REST API."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.errors import InputError
from keymanager.adapters.registry import ADAPTERS
from keymanager.models import KeyManager, KeyManagerCheck, Registration, WhenDisabled
from keymanager.registrations.states import RegistrationState
from keymanager.rest import AttemptBody
from keymanager.services.discovery_findings import Level
from keymanager.services.key_managers import adapter_for, shown_config
from subscriptions.models import AuditEvent


class KeyManagerInput(serializers.Serializer[Any]):
    """A new key manager."""

    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=100)
    adapter = serializers.ChoiceField(choices=sorted(ADAPTERS))
    config = serializers.DictField(default=dict)
    description = serializers.CharField(max_length=256, required=False, allow_blank=True, default="")
    enabled = serializers.BooleanField(default=True)
    when_disabled = serializers.ChoiceField(choices=WhenDisabled.choices, default=WhenDisabled.REFUSE.value)
    keep_secrets = serializers.BooleanField(default=True)


class KeyManagerChange(serializers.Serializer[Any]):
    """What may be changed; a secret sent back as its mask is kept. ``adapter`` may only be said again."""

    adapter = serializers.CharField(required=False)
    name = serializers.CharField(max_length=100, required=False)
    config = serializers.DictField(required=False)
    description = serializers.CharField(max_length=256, required=False, allow_blank=True)
    enabled = serializers.BooleanField(required=False)
    when_disabled = serializers.ChoiceField(choices=WhenDisabled.choices, required=False)
    keep_secrets = serializers.BooleanField(required=False)


class KeyManagerBody(serializers.ModelSerializer[KeyManager]):
    """One key manager; secrets are masked."""

    config = serializers.SerializerMethodField()
    capabilities = serializers.SerializerMethodField()

    class Meta:
        model = KeyManager
        fields = (
            "slug",
            "name",
            "description",
            "adapter",
            "config",
            "capabilities",
            "issuer",
            "enabled",
            "when_disabled",
            "deletion_asked_at",
            "keep_secrets",
            "consecutive_failures",
            "circuit_open_until",
            "last_success_at",
            "last_failure_at",
            "last_failure",
            "revision",
            "created_at",
            "updated_at",
        )

    def get_config(self, row: KeyManager) -> dict[str, Any]:
        """The adapter's fields, secrets as five asterisks."""
        return shown_config(row)

    def get_capabilities(self, row: KeyManager) -> list[str]:
        """What the configured adapter can do; nothing while its stored configuration does not fit it."""
        try:
            return sorted(adapter_for(row).capabilities)
        except InputError:
            return []


class DiscoverInput(serializers.Serializer[Any]):
    """An issuer or a discovery document's URL; without an adapter the first that knows the server is taken."""

    url = serializers.CharField(max_length=2000)
    adapter = serializers.ChoiceField(choices=sorted(ADAPTERS), required=False, allow_blank=True, default="")
    preset = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class SuggestionBody(serializers.Serializer[Any]):
    """An adapter that knows the server, and by what."""

    adapter = serializers.CharField()
    title = serializers.CharField()
    preset = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()


class ImportedSettingBody(serializers.Serializer[Any]):
    """One setting: its value, where that came from, and whether it is to be stored or followed."""

    name = serializers.CharField()
    title = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    origin = serializers.ChoiceField(choices=["document", "adapter", "preset", "default", "person"])
    store = serializers.BooleanField()
    secret = serializers.BooleanField()


class FindingBody(serializers.Serializer[Any]):
    """Something that was not found, or that looks wrong."""

    code = serializers.CharField()
    level = serializers.ChoiceField(choices=[level.value for level in Level])
    member = serializers.CharField(allow_blank=True)
    message = serializers.CharField()


class DiscoveredBody(serializers.Serializer[Any]):
    """What discovery found, what it did not find, and what looks wrong.

    ``config``: to begin a key manager's configuration with. ``needed``: the settings that a person must still give.
    ``missing`` and ``doubtful`` are the messages of ``findings``.
    """

    adapter = serializers.CharField()
    preset = serializers.CharField(allow_blank=True)
    issuer = serializers.CharField(allow_blank=True)
    document_url = serializers.CharField(allow_blank=True)
    found = serializers.DictField(child=serializers.CharField())
    settings = ImportedSettingBody(many=True)
    suggestions = SuggestionBody(many=True)
    findings = FindingBody(many=True)
    config = serializers.DictField()
    needed = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())
    doubtful = serializers.ListField(child=serializers.CharField())


class UsingApplicationBody(serializers.Serializer[Any]):
    """An application's client at a key manager."""

    application = serializers.UUIDField()
    name = serializers.CharField()
    team = serializers.CharField()
    environment = serializers.CharField()
    client_id = serializers.CharField(allow_blank=True)
    mapped = serializers.BooleanField()
    state = serializers.CharField()


class ListingApiBody(serializers.Serializer[Any]):
    """An API version that names a key manager; ``only``: it accepts no other."""

    api = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.CharField()
    state = serializers.CharField()
    only = serializers.BooleanField()


class UsageBody(serializers.Serializer[Any]):
    """Who uses a key manager: the first hundred of each, and counts of all."""

    applications = UsingApplicationBody(many=True)
    apis = ListingApiBody(many=True)
    credentials = serializers.IntegerField()
    apis_listing = serializers.IntegerField()
    apis_accepting_all = serializers.IntegerField()
    resources = serializers.IntegerField()
    scopes = serializers.IntegerField()
    deletion_asked_at = serializers.DateTimeField(allow_null=True)


class OrphanBody(serializers.Serializer[Any]):
    """Something that is left at the identity provider."""

    kind = serializers.CharField()
    name = serializers.CharField()
    remote_id = serializers.CharField()
    application = serializers.CharField(allow_blank=True)


class DeletionBody(serializers.Serializer[Any]):
    """Whether the key manager is gone, and what was left there."""

    deleted = serializers.BooleanField()
    orphans = OrphanBody(many=True)


class CheckBody(serializers.ModelSerializer[KeyManagerCheck]):
    """One run of a connection check; ``finished_at`` is null while it runs."""

    class Meta:
        model = KeyManagerCheck
        fields = ("id", "started_at", "finished_at", "steps")


class PlanInput(serializers.Serializer[Any]):
    """A plan; null for both numbers means no limit."""

    slug = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    requests = serializers.IntegerField(required=False, allow_null=True, default=None)
    per_seconds = serializers.IntegerField(required=False, allow_null=True, default=None)


class PlanChange(serializers.Serializer[Any]):
    """What may be changed on a plan."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    requests = serializers.IntegerField(required=False, allow_null=True)
    per_seconds = serializers.IntegerField(required=False, allow_null=True)


class RegistrationBody(serializers.ModelSerializer[Registration]):
    """One registration in the provisioning queue."""

    key_manager = serializers.SlugRelatedField[Any](read_only=True, slug_field="slug")
    credential = serializers.UUIDField(source="credential_id", allow_null=True)
    api = serializers.UUIDField(source="api_version_id", allow_null=True)
    state = serializers.ChoiceField(choices=[state.value for state in RegistrationState])

    class Meta:
        model = Registration
        fields: tuple[str, ...] = (
            "id",
            "key_manager",
            "kind",
            "subject",
            "credential",
            "api",
            "wish",
            "state",
            "attempts",
            "next_try_at",
            "last_error_code",
            "last_error",
            "actor_name",
            "correlation_id",
            "created_at",
            "updated_at",
        )


class RegistrationDetailBody(RegistrationBody):
    """One registration with its newest 50 attempts: what was sent and answered, secrets removed."""

    trace = serializers.SerializerMethodField()

    class Meta(RegistrationBody.Meta):
        fields = (*RegistrationBody.Meta.fields, "trace")

    @extend_schema_field(AttemptBody(many=True))
    def get_trace(self, row: Registration) -> Any:
        """Newest first."""
        return AttemptBody(row.attempt_rows.all()[:50], many=True).data


class AuditBody(serializers.ModelSerializer[AuditEvent]):
    """One line of the audit log."""

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "at",
            "actor_name",
            "action",
            "object_type",
            "object_id",
            "object_name",
            "detail",
            "correlation_id",
        )
