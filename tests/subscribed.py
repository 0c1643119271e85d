"""Subscriptions that tests need before a client may have scopes: rows only, no key manager hears of them."""

import uuid

from keymanager.registrations.rules import OPENID_SCOPES
from subscriptions.models import Api, ApiVersion, Application, Plan, Scope, Subscription


def subscribe_to(application: Application, *scopes: str) -> None:
    """Let the application have these scopes: by the APIs that have them, else by one that is made for them."""
    wanted = set(scopes) - OPENID_SCOPES
    missing = wanted - set(Scope.objects.values_list("key", flat=True))
    if missing:
        api = Api.objects.create(
            team_id=application.team_id, name=f"Offer {uuid.uuid4()}", context=f"/offer-{uuid.uuid4()}"
        )
        made = ApiVersion.objects.create(api=api, version="1")
        Scope.objects.bulk_create(Scope(api_version=made, key=key) for key in sorted(missing))
    for version in ApiVersion.objects.filter(scopes__key__in=wanted).distinct():
        Subscription.objects.get_or_create(
            application=application, api_version=version, defaults={"plan": Plan.objects.get(slug="unlimited")}
        )
