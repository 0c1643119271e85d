"""The pages that the ``type`` of every problem document points to."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from rest_framework import exceptions

from accounts.rest.problems import problem_handler
from common.errors import ArchwayError
from common.problem import ERRORS_PAGE, REFUSALS_PAGE, problem
from gateway.envoy.local_replies import GATEWAY_CODES
from keymanager.validation.codes import Code
from portal.reference import PAGES, rendered

# Only the session of the person at the top of the page is read, and here there is none.
pytestmark = pytest.mark.django_db


class Page(HTMLParser):
    """What can be jumped to, and where the links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif tag == "a" and name == "href":
                self.links.append(value or "")


def read(client: Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def every_error(kind: type[ArchwayError] = ArchwayError) -> set[str]:
    return {kind.code}.union(*(every_error(below) for below in kind.__subclasses__()))


def test_the_type_of_every_error_leads_to_its_row(client: Client) -> None:
    assert every_error() <= set(read(client, ERRORS_PAGE).ids)
    assert str(problem(ArchwayError(), portal_url="")["type"]).partition("#")[0] == ERRORS_PAGE


@pytest.mark.parametrize(
    "error", [exceptions.NotAuthenticated(), exceptions.MethodNotAllowed("PUT"), exceptions.Throttled()]
)
def test_the_type_of_an_error_of_the_framework_leads_to_its_row(client: Client, error: Any) -> None:
    answer = problem_handler(error, {})
    assert answer is not None
    path, _, code = answer.data["type"].partition("://")[2].partition("/")[2].partition("#")
    assert code in read(client, f"/{path}").ids


def test_the_type_of_every_refusal_leads_to_its_row(client: Client) -> None:
    codes = {code.value for code in Code} | {code for _, code, _ in GATEWAY_CODES}
    assert codes <= set(read(client, REFUSALS_PAGE).ids)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_served_with_ids_that_are_there_once_and_links_that_lead_somewhere(
    client: Client, name: str
) -> None:
    page = read(client, f"/docs/reference/{name}")
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        target, _, anchor = link.partition("#")
        path = target if target.startswith("/") else f"/docs/reference/{target or name}"
        if anchor:
            assert anchor in read(client, path).ids
        else:
            assert client.get(path).status_code == 200


def test_a_link_between_pages_stays_one_and_of_a_link_to_the_rest_of_the_docs_the_words_stay() -> None:
    assert '<a href="refusals">refusals</a>' in rendered("errors")
    assert '<a href="secrets#changing-keys">' in rendered("settings")
    assert "validation steps" in rendered("settings")
    assert "extending" not in "".join(Page(rendered("settings")).links)


@pytest.mark.parametrize(
    "name", ["nothing", "errors.md", "../operations", "..%2foperations", "%2e%2e/operations", "errors/", "", "Errors"]
)
def test_nothing_but_the_listed_pages_is_served(client: Client, name: str) -> None:
    assert client.get(f"/docs/reference/{name}").status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_inline_style_or_script(client: Client, name: str) -> None:
    answer = client.get(f"/docs/reference/{name}")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|<[^>]+\s(style|on\w+)=", answer.content.decode())
