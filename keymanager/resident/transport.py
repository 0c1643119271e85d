"""HTTP requests to the embedded authorization server, answered in this process without a socket.

The web process need not call itself, and a worker can register clients while no web process runs.
"""

import io
import logging
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import cast
from urllib.parse import unquote_to_bytes, urlsplit

import httpx2
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern, get_resolver

from keymanager.resident.answers import oauth_error
from keymanager.resident.issuer import issuer, metadata_path
from keymanager.resident.views.discovery import server_metadata

logger = logging.getLogger(__name__)
_URLCONF = "keymanager.resident.urls"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ResidentTransport(httpx2.BaseTransport):
    """Answers what lies below the issuer by calling the views; anything else is ``httpx2.ConnectError``.

    It may be used inside another request and inside a transaction: no signal is sent, no connection is closed, no
    thread-local (URLs, script prefix, language) is touched. When the database fails, the view's changes are rolled
    back and the answer is 503: nothing was done. Errors of programming and configuration are raised.
    """

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the view behind the URL."""
        base = urlsplit(issuer())
        url = request.url
        if (url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)) != (
            base.scheme,
            base.hostname,
            base.port or _DEFAULT_PORTS.get(base.scheme),
        ):
            raise httpx2.ConnectError("Only the embedded authorization server is reachable this way.", request=request)
        answer = _call(_django_request(request), base.path)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.items()]
        return httpx2.Response(answer.status_code, headers=headers, content=answer.content, request=request)


def _call(request: WSGIRequest, base_path: str) -> HttpResponse:
    if request.path_info == metadata_path():
        return server_metadata(request)
    try:
        match = _resolver(base_path).resolve(request.path_info)
    except Resolver404:
        return oauth_error("not_found", "There is no such endpoint.", status=404)
    try:
        with _isolated():
            answer = match.func(request, *match.args, **match.kwargs)
    except (BadRequest, RequestDataTooBig):
        return oauth_error("invalid_request", "The request could not be read.")
    except DatabaseError:
        logger.exception("The database failed at %s", request.path_info)
        answer = oauth_error("temporarily_unavailable", "Nothing was done; try again later.", status=503)
        answer["Retry-After"] = "1"
    return cast("HttpResponse", answer)


def _isolated() -> AbstractContextManager[None]:
    """A savepoint inside a transaction of the caller; else nothing, as in a web request: views open their own.

    On SQLite a transaction takes the write lock at once, which introspection need not wait for.
    """
    return transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext()


@lru_cache(maxsize=4)
def _resolver(base_path: str) -> URLResolver:
    return URLResolver(RegexPattern(rf"^{re.escape(base_path)}/"), get_resolver(_URLCONF).url_patterns)


def _django_request(request: httpx2.Request) -> WSGIRequest:
    content = request.read()
    raw_path, _, query = request.url.raw_path.partition(b"?")
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query.decode("ascii"),
        "SERVER_NAME": request.url.host,
        "SERVER_PORT": str(request.url.port or _DEFAULT_PORTS[request.url.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key != "CONTENT_LENGTH":
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    django_request = WSGIRequest(environ)
    django_request.user = AnonymousUser()
    return django_request
