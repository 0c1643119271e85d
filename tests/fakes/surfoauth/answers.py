"""The shapes of SurfOAuth's answers: JSON, text labelled JSON, the container's pages, nothing at all."""

import html
import json
from typing import Any

from tests.fakes.messages import Answer, Refused

Headers = tuple[tuple[str, str], ...]

JSON = "application/json"
_PAGE = "text/html;charset=iso-8859-1"
_CONTAINER_CACHE = ("Cache-Control", "must-revalidate,no-cache,no-store")
TOKEN_CACHE: Headers = (("Cache-Control", "no-store, no-transform"), ("Pragma", "no-cache"))
_NO_SCOPE = "The requested scope is invalid, unknown, malformed, or exceeds the scope granted by the resource owner."


def found(payload: Any, *, status: int = 200, headers: Headers = ()) -> Answer:
    """JSON by the application."""
    return Answer(status=status, body=json.dumps(payload).encode(), content_type=JSON, headers=headers)


def nothing(status: int) -> Answer:
    """An empty body that is labelled JSON."""
    return Answer(status=status, content_type=JSON)


def fault(method: str, status: int, title: str, headers: Headers = ()) -> Refused:
    """The container's own error: a page, except for PUT, DELETE and OPTIONS where Jetty sends an empty body."""
    if method in ("PUT", "DELETE", "OPTIONS"):
        return Refused(Answer(status=status, headers=headers))
    shown = f"Error {status} {html.escape(title)}"
    body = f"<html>\n<head>\n<title>{shown}</title>\n</head>\n<body><h2>HTTP ERROR {status}</h2></body>\n</html>\n"
    return Refused(
        Answer(status=status, body=body.encode("latin-1", "replace"), content_type=_PAGE,
               headers=(_CONTAINER_CACHE, *headers))
    )  # fmt: skip


def not_acceptable() -> Refused:
    """406: no body and no type."""
    return Refused(Answer(status=406, headers=(_CONTAINER_CACHE,)))


def unauthorized(method: str) -> Refused:
    """401 with the container's challenge."""
    return fault(method, 401, "Unauthorized", (("WWW-Authenticate", 'Basic realm="OAuth2 Secure"'),))


def violations(messages: list[str]) -> Refused:
    """400 by bean validation: messages without the names of the fields."""
    return Refused(found({"violations": messages}, status=400))


def labelled_text(status: int, text: str) -> Refused:
    """Plain text that is labelled JSON."""
    return Refused(Answer(status=status, body=text.encode(), content_type=JSON))


def internal() -> Refused:
    """What the application says of any exception of its own."""
    return labelled_text(500, "Internal server error")


def not_unique() -> Refused:
    """What the application says of a unique key."""
    return labelled_text(400, "Violating unique constraints")


def oauth_error(error: str, description: str = "", *, status: int = 400) -> Refused:
    """An OAuth error."""
    words = {"error_description": description} if description else {}
    return Refused(found({"error": error, **words}, status=status))


def invalid_scope() -> Refused:
    """The token of an administration call lacks read or write."""
    return oauth_error("invalid_scope", _NO_SCOPE)


NO_SCOPE = _NO_SCOPE
