"""The management token: the one bearer token that registers, lists, rotates, suspends and introspects.

It is derived, not stored, so the portal can configure its own key manager without keeping a secret.
"""

import base64
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from keymanager.resident.answers import View, bearer_challenge
from keymanager.resident.sealing import derived_key


def management_token() -> str:
    """The token of this installation: 43 characters, the same in every process."""
    return base64.urlsafe_b64encode(derived_key("resident-management")).decode().rstrip("=")


def bearer_token(request: HttpRequest) -> str:
    """The bearer token in the Authorization header, or "" (RFC 6750 section 2.1); never taken from URL or body."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_management(request: HttpRequest) -> bool:
    """True when the request carries the management token."""
    return constant_time_compare(bearer_token(request).encode(), management_token().encode())


def management_only(view: View) -> View:
    """Answer 401 to everyone without the management token."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_management(request):
            return bearer_challenge(presented=bool(bearer_token(request)))
        return view(request, *args, **kwargs)

    return guarded
