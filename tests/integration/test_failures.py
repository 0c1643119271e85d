"""What is answered when no view could answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from common.problem import CONTENT_TYPE
from portal import failures, urls


def broken(_request: HttpRequest) -> HttpResponse:
    """A view with a defect, whose error names a secret."""
    raise RuntimeError("client_secret=hunter2hunter2")


def lost(_request: HttpRequest) -> HttpResponse:
    """A view whose connection is lost while the database commits."""
    raise OperationalError("server closed the connection unexpectedly")


urlpatterns = [*urls.urlpatterns, path("api/v1/broken/", broken), path("broken/", broken)]
urlpatterns += [path("api/v1/lost/", lost), path("lost/", lost)]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.test_failures")]


def test_an_unknown_api_address_is_a_problem_document_with_a_reference() -> None:
    answer = Client().get("/api/v1/nothing/", headers={"X-Request-ID": "my-reference-1"})
    assert answer.status_code == 404
    assert answer["Content-Type"] == CONTENT_TYPE
    assert answer.json()["code"] == "not_found"
    assert answer.json()["reference"] == answer["X-Request-ID"] == "my-reference-1"


def test_an_unknown_page_is_a_page() -> None:
    answer = Client().get("/nothing/")
    assert answer.status_code == 404
    assert b"nothing here that you can see" in answer.content


def test_a_defect_behind_the_api_tells_a_reference_and_no_cause() -> None:
    answer = Client(raise_request_exception=False).get("/api/v1/broken/")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error"
    assert answer.json()["reference"] == answer["X-Request-ID"]
    assert b"hunter2" not in answer.content


def test_a_defect_behind_a_page_is_a_page_that_tells_no_cause() -> None:
    answer = Client(raise_request_exception=False).get("/broken/")
    assert answer.status_code == 500
    assert b"hunter2" not in answer.content


@contextmanager
def database_that_does_not_answer() -> Iterator[None]:
    def fail(*_: object) -> None:
        raise OperationalError("connection to postgresql://portal:hunter2@db failed")

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect", "/register"])
def test_while_the_database_does_not_answer_oauth_clients_are_told_when_to_come_again(path: str) -> None:
    body = "grant_type=client_credentials&token=x"
    headers = {"Authorization": "Bearer a-token" if path == "/register" else "Basic YTpi"}
    with database_that_does_not_answer():
        answer = Client(raise_request_exception=False).post(
            path, body, content_type="application/x-www-form-urlencoded", headers=headers
        )
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "no-store"
    assert b"hunter2" not in answer.content


def test_while_the_database_does_not_answer_rest_and_pages_are_503_and_tell_no_cause() -> None:
    with database_that_does_not_answer():
        rest = Client(raise_request_exception=False).get("/api/v1/store/apis/")
        page = Client(raise_request_exception=False).get("/")
    assert (rest.status_code, rest.json()["code"]) == (503, "database_unavailable")
    for answer in (rest, page):
        assert answer.status_code == 503
        assert int(answer["Retry-After"]) > 0
        assert b"hunter2" not in answer.content


@pytest.mark.parametrize("path", ["/api/v1/lost/", "/lost/", "/api/v1/broken/", "/broken/"])
def test_after_a_lost_connection_a_change_is_not_said_to_be_undone(path: str) -> None:
    visitor = Client(raise_request_exception=False)
    changed, looked = " ".join(visitor.post(path).content.decode().split()), visitor.get(path).content.decode()
    assert "look before you repeat it" in changed
    assert "look before you repeat it" not in looked


@pytest.mark.parametrize(("path", "unknown"), [("/token", False), ("/register", True), ("/revoke", True)])
def test_an_oauth_client_is_told_when_a_change_may_have_been_done(path: str, unknown: bool) -> None:
    with database_that_does_not_answer():
        answer = Client(raise_request_exception=False).post(
            path,
            "grant_type=client_credentials&token=x",
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": "Bearer a-token" if path == "/register" else "Basic YTpi"},
        )
    assert ("look before you repeat it" in answer.json()["error_description"]) == unknown


def test_a_refused_form_of_a_program_is_a_problem_document() -> None:
    answer = failures.forbidden(RequestFactory().post("/api/v1/x/"), PermissionError())
    assert answer.status_code == 403
    assert answer["Content-Type"] == CONTENT_TYPE
