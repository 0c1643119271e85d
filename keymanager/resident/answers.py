"""Answers of the embedded authorization server: JSON, never cached, with the challenge that belongs to a 401."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponse]
REALM = "archway"
BASIC_CHALLENGE = f'Basic realm="{REALM}", charset="UTF-8"'


def json_answer(document: Mapping[str, Any], *, status: int = 200) -> JsonResponse:
    """A JSON answer that no cache keeps (RFC 6749 section 5.1)."""
    response = JsonResponse(dict(document), status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response


def no_content() -> HttpResponse:
    """204 without a body."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def oauth_error(code: str, description: str = "", *, status: int = 400) -> JsonResponse:
    """An OAuth error (RFC 6749 section 5.2, RFC 7591 section 3.2.2). ``description`` must hold no secret."""
    document = {"error": code}
    if description:
        document["error_description"] = description
    return json_answer(document, status=status)


def client_challenge(description: str = "The client could not be authenticated.") -> JsonResponse:
    """401 invalid_client with a Basic challenge (RFC 6749 section 5.2)."""
    response = oauth_error("invalid_client", description, status=401)
    response["WWW-Authenticate"] = BASIC_CHALLENGE
    return response


def bearer_challenge(*, presented: bool, description: str = "The token is not valid here.") -> JsonResponse:
    """401 with a Bearer challenge; without a token in the request it names no error (RFC 6750 section 3.1)."""
    response = oauth_error("invalid_token", description, status=401)
    challenge = f'Bearer realm="{REALM}"'
    response["WWW-Authenticate"] = f'{challenge}, error="invalid_token"' if presented else challenge
    return response


def endpoint_view(*methods: str) -> Callable[[View], View]:
    """An endpoint for programs: only ``methods``, 405 as JSON otherwise, no CSRF check (there is no session)."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def dispatch(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                response = oauth_error("invalid_request", f"Use {' or '.join(methods)}.", status=405)
                response["Allow"] = ", ".join(methods)
                return response
            if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
                # PostgreSQL cannot even be asked for such a value.
                return oauth_error("invalid_request", "The URL contains a NUL character.")
            return view(request, *args, **kwargs)

        return dispatch

    return decorate
