"""The vendors' own descriptions are really held against the fakes, and catch what is wrong."""

import os

import pytest

from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_descriptions import DESCRIPTIONS, Description

NAMES = {"okta-management": "", "okta-oauth": "", "auth0-management": "/api/v2", "auth0-authentication": ""}
PRESENT = DESCRIPTIONS.is_dir()
needs_descriptions = pytest.mark.skipif(not PRESENT, reason=f"no descriptions at {DESCRIPTIONS}: set ARCHWAY_SHARED")


def sent(method: str, path: str, body: bytes = b"", query: str = "") -> Received:
    """A request with a JSON body."""
    headers = {"content-type": "application/json"} if body else {}
    return Received(operation="", method=method, path=path, query=query, headers=headers, body=body)


def test_a_run_that_counts_has_the_descriptions() -> None:
    assert PRESENT or not os.environ.get("CI"), f"no descriptions at {DESCRIPTIONS}"


@needs_descriptions
@pytest.mark.parametrize("name", NAMES)
def test_a_description_can_be_read(name: str) -> None:
    assert not Description(name, prefix=NAMES[name]).knows(sent("GET", "/nowhere"))


@needs_descriptions
@pytest.mark.parametrize(
    ("request_", "answer", "fault"),
    [
        (sent("POST", "/api/v2/clients", b'{"name": "a", "client_secret": "s"}'), Answer.of({}, status=201), "request"),
        (sent("POST", "/api/v2/clients", b'{"name": "a<b"}'), Answer.of({}, status=201), "request: name"),
        (sent("GET", "/api/v2/clients", query="marker=1"), Answer.of([]), "query parameter marker"),
        (sent("GET", "/api/v2/clients", query="take=5"), Answer.of({"clients": "none"}), "200"),
        (sent("DELETE", "/api/v2/clients/a"), Answer.of({}, status=404), "the status is not described"),
        (sent("PUT", "/api/v2/clients/a"), Answer.of({}), "is not described"),
    ],
    ids=["closed schema", "pattern", "query", "wrong type", "status", "method"],
)
def test_what_a_description_does_not_allow_is_named(request_: Received, answer: Answer, fault: str) -> None:
    found = Description("auth0-management", prefix="/api/v2").faults(request_, answer)
    assert any(fault in line for line in found), found


@needs_descriptions
def test_what_a_description_allows_is_silent() -> None:
    good = sent("POST", "/api/v2/clients", b'{"name": "a"}')
    assert (
        Description("auth0-management", prefix="/api/v2").faults(good, Answer.of({"client_id": "c"}, status=201)) == []
    )
    assert Description("auth0-management", prefix="/api/v2").faults(sent("GET", "/elsewhere"), Answer.of({})) == []


@needs_descriptions
def test_a_body_that_is_missing_is_named() -> None:
    found = Description("okta-oauth").faults(sent("POST", "/oauth2/v1/clients"), Answer.of({}, status=201))
    assert any("a body is required" in line for line in found), found
