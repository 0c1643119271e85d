"""All tokens that descend from one authorization code."""

import hashlib
import uuid
from typing import Any

from django.db import transaction

from keymanager.resident.models import AccessToken, RefreshToken


def family_of_code(code: str) -> uuid.UUID:
    """The family's id: derived from the code, which cannot be found from it."""
    return uuid.UUID(bytes=hashlib.sha256(b"family:" + code.encode()).digest()[:16])


@transaction.atomic
def end_family(family: uuid.UUID, client: Any) -> None:
    """Revoke every token of the family, if it is the client's."""
    if RefreshToken.objects.filter(token_family=family).exclude(application=client).exists():
        return
    RefreshToken.revoke_family(family)
    AccessToken.objects.filter(token_family=family, application=client).delete()
