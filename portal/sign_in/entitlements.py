"""What groups and roles of login providers and directories give here, by the settings."""

from django.conf import settings

from accounts.directory import EntitlementRules, entitlement_rules

_NAMES = {
    "roles": "ARCHWAY_SIGN_IN_ROLES",
    "teams": "ARCHWAY_SIGN_IN_TEAMS",
    "for_all": "ARCHWAY_SIGN_IN_ROLES_FOR_ALL",
}


def rules_of_settings() -> EntitlementRules:
    """The rules. Raises ``ConfigurationError`` naming the setting that cannot be read."""
    return entitlement_rules(
        roles=settings.ARCHWAY_SIGN_IN_ROLES,
        teams=settings.ARCHWAY_SIGN_IN_TEAMS,
        for_all=settings.ARCHWAY_SIGN_IN_ROLES_FOR_ALL,
        names=_NAMES,
    )
