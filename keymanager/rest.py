"""Bodies that store, publisher and administration share."""

from typing import Any

from rest_framework import serializers

from subscriptions.models import Plan


class AttemptBody(serializers.Serializer[Any]):
    """One attempt of a registration, secrets removed."""

    number = serializers.IntegerField()
    operation = serializers.CharField()
    started_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    outcome = serializers.CharField()
    error_code = serializers.CharField()
    error = serializers.CharField()
    exchanges = serializers.JSONField()


class PlanBody(serializers.ModelSerializer[Plan]):
    """One plan; null for both numbers means no limit."""

    class Meta:
        model = Plan
        fields = ("slug", "name", "description", "requests", "per_seconds", "created_at")
