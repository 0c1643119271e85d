"""The vendors' own descriptions are really held against the fakes, and catch what is wrong."""

import json
import os
import re
from typing import Any

import pytest

from tests.fakes.description_patches import PATCHES, answers, patched
from tests.fakes.messages import Answer, Received
from tests.fakes.vendor_descriptions import DESCRIPTIONS, Description, Exchanges, kind_of

PRESENT = DESCRIPTIONS.is_dir()
needs_descriptions = pytest.mark.skipif(not PRESENT, reason=f"no descriptions at {DESCRIPTIONS}: set ARCHWAY_SHARED")


def sent(method: str, path: str, body: bytes = b"", query: str = "") -> Received:
    """A request with a JSON body."""
    headers = {"content-type": "application/json"} if body else {}
    return Received(operation="", method=method, path=path, query=query, headers=headers, body=body)


def faults(name: str, request: Received, answer: Answer) -> list[str]:
    """What a description, below /x, has against one exchange."""
    exchanges = Exchanges({name: "/x"})
    exchanges.add(request, answer)
    return exchanges.faults


def test_a_run_that_counts_has_the_descriptions() -> None:
    assert PRESENT or not os.environ.get("CI"), f"no descriptions at {DESCRIPTIONS}"


@needs_descriptions
def test_every_description_can_be_read_and_every_patch_changes_something() -> None:
    names = {path.stem for path in DESCRIPTIONS.glob("*.json")}
    assert all(Description.read(name).operations for name in names)
    assert PATCHES.keys() <= names


def test_a_patch_that_finds_nothing_to_change_is_an_error() -> None:
    document: dict[str, Any] = {"paths": {"/a": {"get": {"responses": {"200": {}}}}}}
    patch = answers(401, reason="it is left out")
    assert patched(document, (patch,))["paths"]["/a"]["get"]["responses"].keys() == {"200", "401"}
    with pytest.raises(ValueError, match="nothing to change any more: it is left out"):
        patched(document, (patch,))


AUTH0, PING = "auth0-management", "pingfederate-admin"
PING_CLIENT = b'{"clientId": "a", "name": "a", "grantTypes": ["client_credentials"]}'


@needs_descriptions
@pytest.mark.parametrize(
    ("name", "request_", "answer", "fault"),
    [
        (AUTH0, sent("POST", "/x/clients", b'{"name": "a", "client_secret": "s"}'), Answer.of({}, status=201), "unexp"),
        (AUTH0, sent("POST", "/x/clients", b'{"name": "a<b"}'), Answer.of({}, status=201), "request: .* name"),
        (AUTH0, sent("GET", "/x/clients", query="marker=1"), Answer.of([]), "query parameter marker"),
        (AUTH0, sent("GET", "/x/clients", query="take=5"), Answer.of({"clients": "none"}), "200: "),
        (AUTH0, sent("DELETE", "/x/clients/a"), Answer.of({}, status=404), "404: ResponseNotFound"),
        (AUTH0, sent("PUT", "/x/clients/a"), Answer.of({}), "is not described"),
        (AUTH0, sent("GET", "/x/elsewhere"), Answer.of({}), "is not described"),
        ("okta-oauth", sent("POST", "/x/oauth2/v1/clients"), Answer.of({}, status=201), "MissingRequiredRequestBody"),
        (PING, sent("GET", "/x/oauth/clients", query="page=first"), Answer.of({"items": []}), "request: .*"),
        (PING, sent("GET", "/x/oauth/clients"), Answer.of({"items": [{"clientId": 7}]}), "200: .*clientId"),
        (PING, sent("GET", "/x/oauth/clients/x"), Answer.of({}, status=418), "418: ResponseNotFound"),
        (PING, sent("POST", "/x/oauth/clients", PING_CLIENT), Answer.of({}, status=201), "request: .*grantTypes"),
        (PING, sent("DELETE", "/x/oauth/clients/a", b"{}"), Answer(status=204), "takes no body"),
        ("wso2is7-dcr", sent("POST", "/x/register", b'{"client_name": "a"}'), Answer.of({}, status=201), "required"),
        ("wso2is7-dcr", sent("GET", "/x/register/a"), Answer.of({"redirect_uris": "a"}), "redirect_uris"),
        (
            "wso2is7-applications",
            sent("POST", "/x/applications/a/inbound-protocols/oidc/secrets", b"{}"),
            Answer.of({}),
            "200: ResponseNotFound",
        ),
        ("wso2is7-api-resources", sent("POST", "/x/api-resources", b'{"name": "a"}'), Answer.of({}, status=201), "req"),
        (
            "wso2is-keymanager-operations",
            sent("GET", "/x/dcr/register/a"),
            Answer.of({"client_secret_expires_at": 0}),
            "client_secret_expires_at",
        ),
        ("wso2is-keymanager-operations", sent("DELETE", "/x/dcr/register/a"), Answer(status=200), "200: Response"),
        ("wso2is-oauth2-scopes", sent("PUT", "/x/scopes/name/a", b"{}"), Answer.of({"name": "a"}), "displayName"),
        ("msgraph-applications", sent("PATCH", "/x/applications/a", b'{"displayName": 7}'), Answer(status=204), "7 is"),
        ("msgraph-applications", sent("GET", "/x/applications/a"), Answer.of({"appRoles": [{"id": "a"}]}), "uuid"),
    ],
)
def test_what_a_description_does_not_allow_is_named(name: str, request_: Received, answer: Answer, fault: str) -> None:
    found = faults(name, request_, answer)
    assert any(re.search(fault, line) for line in found), found


@needs_descriptions
def test_what_a_description_allows_is_silent() -> None:
    exchanges = Exchanges({AUTH0: "/api/v2"})
    exchanges.add(sent("POST", "/api/v2/clients", b'{"name": "a"}'), Answer.of({"client_id": "c"}, status=201))
    exchanges.add(sent("GET", "/elsewhere"), Answer.of({}))
    assert exchanges.faults == []
    assert exchanges.held == [("POST", "/clients", 201)]


def test_exchanges_are_of_one_kind_when_only_made_up_values_differ() -> None:
    def kind(name: str, marker: str, at: str) -> tuple[object, ...]:
        body = f'{{"{name}": "{marker}", "grant": "authorization_code_with_everything"}}'
        return kind_of(sent("POST", f"/x/clients/{marker}", body.encode()), Answer.of({"at": at, "id": marker}))

    first = kind("marker", "3f0c7a52-9d7e-4d0e-8a55-0d7d1b6f0a11", "2026-01-01T10:00:00Z")
    assert first == kind("marker", "a94b1d0e-1c35-4be2-9a0c-93b2c4d5e6f7", "2027-02-03T04:05:06Z")
    assert first != kind("markers", "3f0c7a52-9d7e-4d0e-8a55-0d7d1b6f0a11", "2026-01-01T10:00:00Z")
    assert first != kind("marker", "no uuid", "2026-01-01T10:00:00Z")
    assert first != kind("marker", "3f0c7a52-9d7e-4d0e-8a55-0d7d1b6f0a11", "yesterday")


@needs_descriptions
def test_a_fault_is_found_again_in_the_next_exchange_of_its_kind() -> None:
    for _ in range(2):
        assert faults(AUTH0, sent("GET", "/x/clients", query="marker=1"), Answer.of([]))


@needs_descriptions
def test_an_id_that_is_too_long_is_named_although_one_that_fits_went_before() -> None:
    exchanges = Exchanges({"okta-management": ""})
    for length in (40, 300):
        app = {
            "name": "oidc_client",
            "label": "a",
            "signOnMode": "OPENID_CONNECT",
            "credentials": {"oauthClient": {"client_id": "a1" * (length // 2)}},
            "settings": {"oauthClient": {"grant_types": ["client_credentials"]}},
        }
        exchanges.add(sent("POST", "/api/v1/apps", json.dumps(app).encode()), Answer.of(app))
        assert bool(exchanges.faults) == (length > 100), exchanges.faults
