"""Every answer of the front door: JSON, never cached, errors in the form of RFC 6749 section 5.2."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from common.errors import ArchwayError, InputError
from common.problem import oauth_error
from keymanager.front_door.refusals import BearerRefused, MetadataRefused, WrongMethod
from keymanager.services.token_calls import TokenAnswer

P = ParamSpec("P")
_REALM = "archway"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def json_answer(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """A JSON answer that no cache keeps (RFC 6749 section 5.1)."""
    return JsonResponse(dict(body), status=status, headers={**_NO_STORE, **(headers or {})})


def empty_answer(*, status: int = 200) -> HttpResponse:
    """An answer without a body that no cache keeps."""
    response = HttpResponse(status=status, headers=_NO_STORE)
    if status == 204:
        del response["Content-Type"]
    return response


def passed_on(answer: TokenAnswer) -> JsonResponse:
    """The key manager's own answer: its status, its members, its challenge."""
    headers = {"WWW-Authenticate": answer.www_authenticate} if answer.www_authenticate else {}
    if answer.status == 401 and not headers:
        headers["WWW-Authenticate"] = f'Basic realm="{_REALM}"'
    return json_answer(answer.body, status=answer.status, headers=headers)


def failure(error: ArchwayError) -> JsonResponse:
    """The one place where an error becomes an answer of the front door."""
    status, body, headers = oauth_error(error)
    if isinstance(error, BearerRefused):
        status, code = (403, "insufficient_scope") if error.lacks_rights else (401, "invalid_token")
        challenge = f'Bearer realm="{_REALM}"'
        headers["WWW-Authenticate"] = f'{challenge}, error="{code}"' if error.presented else challenge
        body["error"] = code
    elif isinstance(error, MetadataRefused):
        status, body["error"] = 400, error.oauth_code
    elif isinstance(error, WrongMethod):
        status, headers["Allow"] = error.status, ", ".join(error.methods)
    return json_answer(body, status=status, headers=headers)


View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def endpoint(*methods: str) -> Callable[[View[P]], View[P]]:
    """A view for programs: only ``methods``, no session and hence no CSRF check, every expected error as JSON."""

    def decorate(view: View[P]) -> View[P]:
        @csrf_exempt
        @wraps(view)
        def dispatch(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise WrongMethod(methods)
                return view(request, *args, **kwargs)
            except ArchwayError as exc:
                return failure(exc)
            except (SuspiciousOperation, UnreadablePostError):
                return failure(InputError("The request body is too large or cannot be read."))

        return dispatch

    return decorate
