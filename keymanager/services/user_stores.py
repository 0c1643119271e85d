"""Roles and user claims need key managers whose users the portal knows."""

from django.db.models import Q

from common.errors import InputError, RuleError
from keymanager.adapters.token_rules import TokenRules
from keymanager.models import KeyManager
from keymanager.services.acceptance import accepted_key_managers
from subscriptions.models import ApiVersion, Scope

_MOST_NAMED = 20
_DEFAULT = TokenRules().user_store


def shares_users(key_manager: KeyManager) -> bool:
    """Whether its users are the portal's users (``user_store``)."""
    return bool(key_manager.config.get("user_store", _DEFAULT) == "shared")


def user_settings_of(api_version: ApiVersion) -> list[str]:
    """The fields by which the API version depends on users; empty: on none."""
    fields = ["scope_roles"] if api_version.scopes.exclude(roles=[]).exists() else []
    return [*fields, "user_claims"] if api_version.user_claims else fields


def require_shared_users(api_version: ApiVersion, *, changed: str = "") -> None:
    """Every accepted key manager must share its users where the API version depends on them.

    Raises ``InputError`` naming ``changed``, else the fields that depend.
    """
    fields = user_settings_of(api_version)
    if not fields:
        return
    without = [row.slug for row in accepted_key_managers(api_version).order_by("slug") if not shares_users(row)]
    if without:
        message = f"The users of {', '.join(without)} are not the portal's (user_store); the API depends on users."
        raise InputError(message, fields={name: [message] for name in ([changed] if changed else fields)})


def require_users_kept(key_manager: KeyManager) -> None:
    """Call it when an enabled key manager was saved. Raises ``RuleError`` with the APIs that depend on its users."""
    if not key_manager.enabled or shares_users(key_manager):
        return
    accepting = (
        Q(accepted_key_managers=None)
        | Q(accepted_key_managers__accepts_all=True)
        | Q(accepted_key_managers__key_managers=key_manager)
    )
    depending = ~Q(user_claims={}) | Q(pk__in=Scope.objects.exclude(roles=[]).values("api_version"))
    hit = ApiVersion.objects.filter(accepting).filter(depending).select_related("api").distinct()[:_MOST_NAMED]
    unmet = [f"The API {row} accepts its tokens and depends on users." for row in hit]
    if unmet:
        message = "Its users are not the portal's."
        raise RuleError(message, unmet=unmet, fields={"config.user_store": [message]})
