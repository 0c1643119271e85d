"""``Idempotency-Key`` on creates: a repeat gets the first answer, and nothing is made twice."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken, IdempotentAnswer, User
from accounts.rest.entity_tags import with_entity_tag
from common.errors import InputError, RuleError

IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="At most 200 characters; a repeat with the same key and body gets the first answer, and makes nothing.",
)


def once(request: Request, create: Callable[[], Response]) -> Response:
    """Run ``create`` once per (user, key, path).

    The answer is stored in the transaction of the create itself, so either both exist or none. Raises ``InputError``
    when the key was used with another body, ``RuleError`` while the first request is still at work.
    """
    asked = _asked(request)
    if asked is None:
        return create()
    if (answer := _known_answer(asked)) is not None:
        return answer
    try:
        with transaction.atomic():
            row = IdempotentAnswer.objects.create(
                user=asked.user, key=asked.key, path=asked.path, fingerprint=asked.fingerprint
            )
            response = create()
            row.status = response.status_code
            row.body = _plain(response.data)
            row.save()
            return response
    except IntegrityError:
        if (answer := _known_answer(asked)) is None:
            raise
        return answer


def replayed(request: Request) -> Response | None:
    """The answer to an earlier request with this key; for creates that read something from elsewhere first."""
    asked = _asked(request)
    return None if asked is None else _known_answer(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    user: User
    key: str
    path: str
    fingerprint: str


def _asked(request: Request) -> _Asked | None:
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if len(key) > 200 or not key.isprintable():
        raise InputError.of("Idempotency-Key", "At most 200 printable characters.")
    assert isinstance(request.user, User)  # noqa: S101 - creates are never anonymous
    team = request.auth.team_id if isinstance(request.auth, ApiToken) else None
    text = json.dumps([request.data, str(team or "")], sort_keys=True, default=str)
    fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return _Asked(user=request.user, key=key, path=request.path, fingerprint=fingerprint)


def _known_answer(asked: _Asked) -> Response | None:
    known = IdempotentAnswer.objects.filter(user=asked.user, key=asked.key, path=asked.path).first()
    if known is None:
        return None
    if known.fingerprint != asked.fingerprint:
        raise InputError.of("Idempotency-Key", "This key was used with another body.")
    if not known.status:
        raise RuleError("The first request with this Idempotency-Key is still at work.")
    answer = Response(known.body, status=known.status, headers={"Idempotency-Replayed": "true"})
    revision = known.body.get("revision") if isinstance(known.body, dict) else None
    return answer if revision is None else with_entity_tag(answer, revision)


def _plain(data: Any) -> Any:
    """As the client got it."""
    return json.loads(JSONRenderer().render(data))
