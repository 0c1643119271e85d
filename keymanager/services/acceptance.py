"""Which key managers' tokens an API version accepts."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.actor import Actor
from common.errors import InputError
from keymanager.models import AcceptedKeyManagers, KeyManager
from subscriptions.models import ApiVersion, ChangeKind
from subscriptions.recording import announce, audit

ALL = "all"


@transaction.atomic
def accept_key_managers(*, actor: Actor, api_version: ApiVersion, slugs: str | Sequence[str]) -> AcceptedKeyManagers:
    """Accept all enabled key managers (``"all"``) or the listed ones. Raises ``InputError`` naming ``key_managers``."""
    row, _ = AcceptedKeyManagers.objects.get_or_create(api_version=api_version)
    if isinstance(slugs, str):
        if slugs != ALL:
            raise InputError.of("key_managers", 'Give "all" or a list of slugs.')
        row.accepts_all = True
        row.key_managers.clear()
    else:
        rows = list(KeyManager.objects.filter(slug__in=slugs))
        unknown = sorted(set(slugs) - {key_manager.slug for key_manager in rows})
        if unknown or not rows:
            raise InputError.of("key_managers", f"Unknown: {', '.join(unknown)}." if unknown else "At least one.")
        row.accepts_all = False
        row.key_managers.set(rows)
    row.save()
    audit(
        actor,
        "api.key_managers",
        api_version,
        team_id=api_version.api.team_id,
        detail={"key_managers": ALL if row.accepts_all else sorted(slugs)},
    )
    announce(ChangeKind.API_VERSION, api_version.pk)
    return row


def accepted_key_managers(api_version: ApiVersion) -> QuerySet[KeyManager]:
    """The enabled key managers whose tokens the API version accepts."""
    row = AcceptedKeyManagers.objects.filter(api_version=api_version).first()
    if row is None or row.accepts_all:
        return KeyManager.objects.filter(enabled=True)
    return row.key_managers.filter(enabled=True)


def accepted_at(versions: QuerySet[ApiVersion], slug: str) -> QuerySet[ApiVersion]:
    """Those of ``versions`` that accept the tokens of this key manager; none when it is unknown or switched off."""
    key_manager = KeyManager.objects.filter(slug=slug, enabled=True).first()
    if key_manager is None:
        return versions.none()
    rules = AcceptedKeyManagers.objects.filter(api_version=OuterRef("pk"))
    listed = rules.filter(Q(accepts_all=True) | Q(key_managers=key_manager))
    return versions.filter(~Exists(rules) | Exists(listed))
