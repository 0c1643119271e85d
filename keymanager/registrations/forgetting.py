"""Deleting what has served its time."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, QuerySet

from accounts.models import IdempotentAnswer
from keymanager.models import KeyManagerCheck, RefusedCall, RegistrationAttempt, RevokedToken, SigningKey
from subscriptions.models import ChangeEvent

ATTEMPTS_KEPT: Final = timedelta(days=30)
VERDICTS_KEPT: Final = timedelta(days=7)
ANSWERS_KEPT: Final = timedelta(days=1)
CHANGES_KEPT: Final = timedelta(days=1)
CHECKS_KEPT: Final = timedelta(days=7)


def forget_what_is_old(now: datetime) -> dict[str, int]:
    """Delete old rows; returns how many per kind.

    The newest attempt of a registration and the newest change event stay: the one says why things are as they are,
    the other tells followers of the feed where they are. A check whose throw-away client may be left stays, too.
    """
    newest_attempts = RegistrationAttempt.objects.order_by().values("registration").annotate(newest=Max("pk"))
    old_attempts = RegistrationAttempt.objects.filter(started_at__lt=now - ATTEMPTS_KEPT)
    last_change = ChangeEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return {
        "attempts": _deleted(old_attempts.exclude(pk__in=newest_attempts.values("newest"))),
        "verdicts": _deleted(RefusedCall.objects.filter(at__lt=now - VERDICTS_KEPT)),
        "revoked_tokens": _deleted(RevokedToken.objects.filter(expires_at__lt=now)),
        "idempotent_answers": _deleted(IdempotentAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT)),
        "changes": _deleted(ChangeEvent.objects.filter(at__lt=now - CHANGES_KEPT, pk__lt=last_change)),
        "signing_keys": _deleted(SigningKey.objects.filter(retired_at__lte=now)),
        "checks": _deleted(KeyManagerCheck.objects.filter(started_at__lt=now - CHECKS_KEPT, sealed_trial="")),
    }


def _deleted(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]
