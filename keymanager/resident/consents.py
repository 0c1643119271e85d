"""Standing approvals: a person is asked once for the same client and scopes."""

from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from keymanager.resident.models import Consent


def has_consented(*, user: AbstractBaseUser, client: Any, scopes: list[str]) -> bool:
    """True when the person approved all of ``scopes`` before.

    A public client that does not own its redirect URI (loopback, private-use scheme) may be anybody: it is asked about
    every time (RFC 8252 section 8.6).
    """
    if client.is_public and any(urlsplit(uri).scheme != "https" for uri in client.redirect_uris.split()):
        return False
    consent = Consent.objects.filter(user_id=user.pk, client=client).first()
    return consent is not None and set(scopes) <= set(consent.scopes)


@transaction.atomic
def remember_consent(*, user: AbstractBaseUser, client: Any, scopes: list[str]) -> Consent:
    """Add ``scopes`` to what the person approved for this client."""
    consent, _ = Consent.objects.select_for_update().get_or_create(user_id=user.pk, client=client)
    consent.scopes = sorted({*consent.scopes, *scopes})
    consent.save(update_fields=["scopes", "changed"])
    return consent
