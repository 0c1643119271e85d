"""What a client may have: the scopes and resources of the APIs that its application is subscribed to.

Subscribing, unsubscribing, blocking, and changes of an API's scopes or accepted key managers change it; each of them
calls ``follow_subscriptions`` in its own transaction.
"""

import uuid
from collections.abc import Collection
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.actor import Actor
from common.errors import InputError
from keymanager.adapters.contract import RESOURCES, SCOPES
from keymanager.models import Credential, KeyManager
from keymanager.registrations.rules import OPENID_SCOPES, scopes_to_have
from keymanager.registrations.states import Wish
from keymanager.registrations.wishes import want_present
from keymanager.services.adapters import adapter_for
from subscriptions.models import ApiVersion, Application, Scope, Subscription
from subscriptions.rules import resource_identifier
from subscriptions.states import Environment, SubscriptionState

# Which subscriptions let a client of an environment have what their APIs offer.
_OPEN: Final = {
    Environment.PRODUCTION: (SubscriptionState.UNBLOCKED,),
    Environment.SANDBOX: (SubscriptionState.UNBLOCKED, SubscriptionState.PRODUCTION_BLOCKED),
}


def subscribed_versions(credential: Credential) -> QuerySet[ApiVersion]:
    """The API versions that the client's application may call with tokens of its key manager."""
    open_ones = Subscription.objects.filter(
        application=credential.application_id, state__in=_OPEN[Environment(credential.environment)]
    )
    return ApiVersion.objects.filter(
        Q(accepted_key_managers=None)
        | Q(accepted_key_managers__accepts_all=True)
        | Q(accepted_key_managers__key_managers=credential.key_manager_id),
        pk__in=open_ones.values("api_version"),
    ).distinct()


def allowed_scopes(credential: Credential) -> frozenset[str]:
    """The scopes that the client may have now, besides those of OpenID Connect that it was not given by choice."""
    offered = Scope.objects.filter(api_version__in=subscribed_versions(credential)).values_list("key", flat=True)
    return scopes_to_have(credential.scopes, offered=frozenset(offered))


def cut_scopes(credential: Credential, asked: Collection[str], *, name: str) -> list[str]:
    """Those of ``asked`` that the client may have, in their order; the scopes of OpenID Connect pass.

    Raises ``InputError`` naming ``name`` when nothing is left (RFC 6749 section 3.3 and 5.2, ``invalid_scope``).
    """
    allowed = allowed_scopes(credential) | OPENID_SCOPES
    left = [scope for scope in asked if scope in allowed]
    if asked and not left:
        words = " ".join(asked)[:200]
        raise InputError.of(
            name, f"{words}: no API that the application is subscribed to has this, or the client was not given it."
        )
    return left


def kept_on_clients(key_manager: KeyManager) -> frozenset[str]:
    """What the key manager keeps on each client; a broken configuration is left to the job."""
    try:
        return adapter_for(key_manager).kept_on_clients
    except InputError:
        return frozenset({SCOPES})


def wanted_access(credential: Credential) -> dict[str, Any]:
    """The part of a client's wish that follows from the subscriptions.

    Where the key manager keeps no scopes on clients, the chosen ones are told once, and subscriptions change nothing.
    """
    kept = kept_on_clients(credential.key_manager)
    wanted: dict[str, Any] = {
        "scopes": sorted(allowed_scopes(credential)) if SCOPES in kept else list(credential.scopes)
    }
    if RESOURCES in kept:
        versions = subscribed_versions(credential).values_list("pk", flat=True)
        wanted["resources"] = sorted(resource_identifier(pk) for pk in versions)
    return wanted


@transaction.atomic
def follow_subscriptions(*, actor: Actor, application_ids: Collection[uuid.UUID]) -> int:
    """Wish anew for each client of these applications that may have other scopes or resources now; returns how many.

    Clients made elsewhere are left alone. Call it in the transaction of the change, after it.
    """
    # Two changes at once would each see only their own half.
    list(Application.objects.select_for_update().filter(pk__in=application_ids).order_by("pk").values_list("pk"))
    rows = Credential.objects.filter(
        application__in=application_ids, removed_at=None, mapped=False, registration__wish=Wish.PRESENT
    ).select_related("key_manager", "registration")
    changed = 0
    for row in rows.order_by("pk"):
        access = wanted_access(row)
        wanted = row.registration.wanted
        if any(wanted.get(name) != value for name, value in access.items()):
            want_present(actor=actor, registration_id=row.registration.pk, wanted={**wanted, **access})
            changed += 1
    return changed


def subscribed_applications(api_version: ApiVersion) -> list[uuid.UUID]:
    """The applications with a subscription to the API version, whatever its state."""
    return list(Subscription.objects.filter(api_version=api_version).values_list("application_id", flat=True))
