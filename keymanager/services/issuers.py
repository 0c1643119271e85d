"""Whose tokens are whose: an issuer, or one of its aliases, belongs to one key manager whose tokens are taken."""

from django.db import IntegrityError, transaction

from common.errors import InputError
from keymanager.models import LONGEST_ISSUER, ClaimedIssuer, KeyManager


def claim_issuers(row: KeyManager) -> None:
    """Claim the issuer and the aliases of a key manager whose tokens are taken, and give up what it no longer names.

    Call it in the transaction that saves ``row``. Raises ``InputError`` naming ``issuer`` or ``config.issuer_aliases``.
    """
    wanted = _issuers_of(row) if row.takes_tokens else {}
    row.claimed_issuers.exclude(issuer__in=wanted).delete()
    held = set(row.claimed_issuers.values_list("issuer", flat=True))
    for issuer, field in wanted.items():
        if issuer not in held:
            _claim(row, issuer, field)


def _issuers_of(row: KeyManager) -> dict[str, str]:
    """Each issuer with the field that names it."""
    aliases = {str(alias): "config.issuer_aliases" for alias in row.config.get("issuer_aliases", ())}
    return {**aliases, **({row.issuer: "issuer"} if row.issuer else {})}


def _claim(row: KeyManager, issuer: str, field: str) -> None:
    if len(issuer) > LONGEST_ISSUER:
        raise InputError.of(field, f"An issuer has at most {LONGEST_ISSUER} characters.")
    try:
        # The primary key decides, also between two that are saved at the same moment.
        with transaction.atomic():
            ClaimedIssuer.objects.create(issuer=issuer, key_manager=row)
    except IntegrityError as exc:
        raise InputError.of(field, f"Another enabled key manager has the issuer {issuer}.") from exc
