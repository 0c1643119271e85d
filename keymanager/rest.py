"""Bodies that store, publisher and administration share."""

from typing import Any

from rest_framework import serializers


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
