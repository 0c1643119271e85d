"""Bodies of the catalogue by REST."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.errors import InputError
from keymanager.models import KeyManager
from keymanager.services.acceptance import accepted_key_managers
from keymanager.services.offered_grants import offered_grant_types
from subscriptions.models import ApiVersion, Plan, Scope


class StoreApiBody(serializers.ModelSerializer[ApiVersion]):
    """One API version as the store shows it."""

    name = serializers.CharField(source="api.name")
    context = serializers.CharField(source="api.context")  # type: ignore[assignment] # DRF has an attribute of this name
    team = serializers.CharField(source="api.team.name")
    plans = serializers.SlugRelatedField[Plan](many=True, read_only=True, slug_field="slug")
    base_urls = serializers.SerializerMethodField()

    class Meta:
        model = ApiVersion
        fields: tuple[str, ...] = (
            "id",
            "name",
            "version",
            "context",
            "team",
            "state",
            "description",
            "tags",
            "plans",
            "base_urls",
            "created_at",
            "updated_at",
        )

    def get_base_urls(self, row: ApiVersion) -> dict[str, str]:
        """Where the gateway serves it; the kind of key chooses the environment."""
        url = f"{settings.ARCHWAY_GATEWAY_URL}{row.path_prefix}"
        return {
            name: url
            for name, upstream in (("production", row.production_url), ("sandbox", row.sandbox_url))
            if upstream
        }


class StoreKeyManagerBody(serializers.ModelSerializer[KeyManager]):
    """A key manager whose tokens an API takes; ``slug`` is what a credential names."""

    grant_types = serializers.SerializerMethodField()

    class Meta:
        model = KeyManager
        fields = ("slug", "name", "grant_types")

    def get_grant_types(self, row: KeyManager) -> list[str]:
        """Those that a client there may have; none while its stored configuration does not fit its adapter."""
        try:
            return sorted(offered_grant_types(row))
        except InputError:
            return []


class StoreScopeBody(serializers.ModelSerializer[Scope]):
    """A scope of an API."""

    class Meta:
        model = Scope
        fields = ("key", "description")


class StoreApiDetailBody(StoreApiBody):
    """The same with what a client for it needs: key managers whose tokens it takes, and its scopes."""

    key_managers = serializers.SerializerMethodField()
    scopes = serializers.SerializerMethodField()

    class Meta(StoreApiBody.Meta):
        fields = (*StoreApiBody.Meta.fields, "key_managers", "scopes")

    @extend_schema_field(StoreKeyManagerBody(many=True))
    def get_key_managers(self, row: ApiVersion) -> Any:
        """By name."""
        return StoreKeyManagerBody(accepted_key_managers(row).order_by("name"), many=True).data

    @extend_schema_field(StoreScopeBody(many=True))
    def get_scopes(self, row: ApiVersion) -> Any:
        """By key."""
        return StoreScopeBody(row.scopes.order_by("key"), many=True).data
