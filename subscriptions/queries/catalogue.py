"""What the store shows: API versions that are in the store, public ones to everybody."""

import json
import uuid
from collections.abc import Collection
from difflib import get_close_matches

from django.db.models import Prefetch, Q, QuerySet

from subscriptions.models import ApiVersion, Plan
from subscriptions.states import IN_STORE


def store_versions(team_ids: Collection[uuid.UUID]) -> QuerySet[ApiVersion]:
    """API versions that a person of these teams (none: nobody signed in) may see in the store."""
    return (
        ApiVersion.objects.filter(state__in=[state.value for state in IN_STORE])
        .filter(Q(public=True) | Q(api__team__in=team_ids))
        .select_related("api", "api__team")
        .defer("definition")
        .prefetch_related(plans_in_order())
    )


def plans_in_order() -> Prefetch[str, QuerySet[Plan], str]:
    """The plans of API versions, oldest first, so that every answer lists them alike."""
    return Prefetch("plans", queryset=Plan.objects.order_by("created_at", "slug"))


def search(versions: QuerySet[ApiVersion], text: str) -> QuerySet[ApiVersion]:
    """Those whose name, context, description, version or tags contain ``text``."""
    return versions.filter(
        Q(api__name__icontains=text)
        | Q(api__context__icontains=text)
        | Q(description__icontains=text)
        | Q(version__icontains=text)
        | _in_tags(text)
    )


def nearest_names(versions: QuerySet[ApiVersion], text: str) -> list[str]:
    """Names among ``versions`` that somebody who typed ``text`` may have meant, the nearest first; three at most."""
    names = versions.order_by().values_list("api__name", flat=True).distinct()
    spelled: dict[str, str] = {}
    for name in names:
        for part in (name, *name.split()):
            spelled.setdefault(part.lower(), name)
    near = get_close_matches(text.strip().lower(), spelled, n=9, cutoff=0.6)
    return list(dict.fromkeys(spelled[part] for part in near))[:3]


def tagged(versions: QuerySet[ApiVersion], tag: str) -> QuerySet[ApiVersion]:
    """Those that have this whole tag."""
    text = tag.strip().lower()
    return versions.filter(_in_tags(text, whole=True)) if text else versions


def _in_tags(text: str, *, whole: bool = False) -> Q:
    """Tags are stored as a JSON text, which SQLite keeps with escapes (RFC 8259 section 7) and PostgreSQL without."""
    found = Q(pk__in=[])
    if not whole and not any(character.isalnum() for character in text):
        # Brackets, quotes and commas are in the text of every list.
        return found
    for ensure_ascii in (True, False):
        written = json.dumps(text, ensure_ascii=ensure_ascii)
        found |= Q(tags__icontains=written if whole else written[1:-1])
    return found
