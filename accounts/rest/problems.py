"""Every error of the REST API as an RFC 9457 problem document that names the field."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.correlation import current_correlation_id
from common.errors import ArchwayError, InputError, NotAllowed, NotFound
from common.problem import CONTENT_TYPE, problem, problem_type, retry_headers

logger = logging.getLogger(__name__)


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: our taxonomy and DRF's own exceptions in one form; anything else is re-raised."""
    error = _translate(exc)
    if error is not None:
        set_rollback()
        body = problem(error, portal_url=settings.ARCHWAY_PUBLIC_URL, reference=current_correlation_id())
        return _answer(body, error.status, retry_headers(error))
    if isinstance(exc, exceptions.APIException):
        set_rollback()
        headers = {}
        if challenge := getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(int(wait))
        body = {
            "type": problem_type(exc.default_code, portal_url=settings.ARCHWAY_PUBLIC_URL),
            "title": HTTPStatus(exc.status_code).phrase,
            "status": exc.status_code,
            "detail": str(exc.detail),
            "code": exc.default_code,
            "reference": current_correlation_id(),
        }
        return _answer(body, exc.status_code, headers)
    return None


def _translate(exc: Exception) -> ArchwayError | None:
    if isinstance(exc, ArchwayError):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        fields: dict[str, list[str]] = {}
        for name, message in _flatten(exc.detail):
            fields.setdefault(name or "body", []).append(message)
        return InputError("; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items()), fields=fields)
    if isinstance(exc, exceptions.ParseError):
        return InputError.of("body", str(exc.detail))
    if isinstance(exc, (Http404, exceptions.NotFound)):
        return NotFound()
    if isinstance(exc, (PermissionDenied, exceptions.PermissionDenied)):
        return NotAllowed(str(exc) or "")
    return None


def _flatten(detail: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, _inside(prefix, key))
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            nested = isinstance(value, (dict, list))
            yield from _flatten(value, f"{prefix}[{position}]" if nested else prefix)
    else:
        yield prefix, str(detail)


def _inside(prefix: str, key: object) -> str:
    if isinstance(key, int):
        return f"{prefix}[{key}]"
    if key == "non_field_errors":
        return prefix
    return f"{prefix}.{key}" if prefix else str(key)


def _answer(body: dict[str, object], status: int, headers: dict[str, str]) -> Response:
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)
