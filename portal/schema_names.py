"""Names in the REST schema for sets of words that several bodies call ``state``."""

from typing import Any

from keymanager.models import Registration
from subscriptions.models import ApiVersion, Application, Subscription


def api_states() -> Any:
    """States of API versions."""
    return ApiVersion._meta.get_field("state").choices


def application_states() -> Any:
    """States of applications."""
    return Application._meta.get_field("state").choices


def subscription_states() -> Any:
    """States of subscriptions."""
    return Subscription._meta.get_field("state").choices


def registration_states() -> Any:
    """States of registrations."""
    return Registration._meta.get_field("state").choices
