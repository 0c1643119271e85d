"""``Idempotency-Key`` on creates: a repeat gets the first answer, and nothing is made twice."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdempotentAnswer, User
from common.errors import InputError, RuleError


def once(request: Request, create: Callable[[], Response]) -> Response:
    """Run ``create`` once per (user, key, path).

    The answer is stored in the transaction of the create itself, so either both exist or none. Raises ``InputError``
    when the key was used with another body, ``RuleError`` while the first request is still at work.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return create()
    if len(key) > 200 or not key.isprintable():
        raise InputError.of("Idempotency-Key", "At most 200 printable characters.")
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - creates are never anonymous
    fingerprint = hashlib.sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()
    known = IdempotentAnswer.objects.filter(user=user, key=key, path=request.path).first()
    if known is not None:
        return _replay(known, fingerprint)
    try:
        with transaction.atomic():
            row = IdempotentAnswer.objects.create(user=user, key=key, path=request.path, fingerprint=fingerprint)
            response = create()
            row.status = response.status_code
            row.body = _plain(response.data)
            row.save()
            return response
    except IntegrityError:
        known = IdempotentAnswer.objects.filter(user=user, key=key, path=request.path).first()
        if known is None:
            raise
        return _replay(known, fingerprint)


def _replay(known: IdempotentAnswer, fingerprint: str) -> Response:
    if known.fingerprint != fingerprint:
        raise InputError.of("Idempotency-Key", "This key was used with another body.")
    if not known.status:
        raise RuleError("The first request with this Idempotency-Key is still at work.")
    return Response(known.body, status=known.status, headers={"Idempotency-Replayed": "true"})


def _plain(data: Any) -> Any:
    return json.loads(json.dumps(data, default=str))
