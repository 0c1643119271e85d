import pytest

from common.address_guard import PrivateAddressRefused
from common.errors import (
    ArchwayError,
    DatabaseUnavailable,
    InputError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotAllowed,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RuleError,
)
from common.problem import oauth_error, problem, retry_headers

PORTAL = "https://portal.example"


def test_a_problem_names_code_status_and_every_field() -> None:
    error = InputError("Two things are wrong", fields={"name": ["is missing"], "plans.0": ["unknown", "twice"]})
    assert problem(error, portal_url=PORTAL, instance="/api/v1/x", reference="r-1") == {
        "type": "https://portal.example/docs/reference/errors#invalid_input",
        "title": "The input is not valid",
        "status": 400,
        "detail": "Two things are wrong",
        "code": "invalid_input",
        "instance": "/api/v1/x",
        "reference": "r-1",
        "errors": [
            {"field": "name", "message": "is missing"},
            {"field": "plans.0", "message": "unknown"},
            {"field": "plans.0", "message": "twice"},
        ],
    }


def test_a_broken_rule_lists_the_unmet_checks() -> None:
    assert problem(RuleError("no", unmet=["There is no plan."]), portal_url=PORTAL)["unmet"] == ["There is no plan."]


def test_a_refusal_of_a_key_manager_carries_its_own_words() -> None:
    error = KeyManagerRejected("no", remote_code="invalid_redirect_uri", remote_status=400, remote_description="https")
    assert problem(error, portal_url=PORTAL)["key_manager"] == {
        "code": "invalid_redirect_uri",
        "status": 400,
        "description": "https",
    }


def test_empty_members_are_left_out() -> None:
    assert set(problem(NotFound(), portal_url=PORTAL)) == {"type", "title", "status", "detail", "code"}


@pytest.mark.parametrize(("wait", "header"), [(2.1, "3"), (0.0, "1"), (None, "5")])
def test_retry_after_is_whole_seconds(wait: float | None, header: str) -> None:
    assert retry_headers(KeyManagerUnavailable(retry_after=wait)) == {"Retry-After": header}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("x"), 400, "invalid_request"),
        (InputError.of("scope", "x"), 400, "invalid_scope"),
        (PrivateAddressRefused("x"), 400, "invalid_request"),
        (NotFound(), 401, "invalid_client"),
        (NotAllowed(), 400, "unauthorized_client"),
        (RuleError(), 400, "unauthorized_client"),
        (NotSupported(), 400, "unsupported_grant_type"),
        (KeyManagerRejected(remote_code="invalid_grant"), 400, "invalid_grant"),
        (KeyManagerRejected(remote_code="invalid_client"), 401, "invalid_client"),
        (KeyManagerRejected(remote_code="scope_invalid"), 400, "invalid_request"),
        (KeyManagerUnavailable(), 503, "temporarily_unavailable"),
        (DatabaseUnavailable(), 503, "temporarily_unavailable"),
        (KeyManagerProtocolError(), 502, "server_error"),
        (OutcomeUnknown(), 504, "server_error"),
        (ArchwayError(), 500, "server_error"),
    ],
)
def test_every_error_has_one_face_at_the_token_endpoint(error: ArchwayError, status: int, code: str) -> None:
    answered, body, headers = oauth_error(error)
    assert (answered, body["error"]) == (status, code)
    assert headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in headers) == (status == 401)
    assert ("Retry-After" in headers) == (status == 503)


def test_a_description_has_only_the_characters_that_the_rfc_allows() -> None:
    _, body, _ = oauth_error(InputError('a "b" \\ ä\n'))
    assert body["error_description"] == "a 'b' / ??"
