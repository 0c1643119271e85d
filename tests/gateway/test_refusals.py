"""What a caller is told when the validator says no."""

import json

import pytest

from tests.gateway.conftest import PORTAL, Gateway

pytestmark = pytest.mark.gateway


def test_a_refusal_reaches_the_caller_in_the_validators_words(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", token="refused")
    assert answer.status == 401
    assert answer.body == b'{"code": "token_invalid", "status": 401}'
    assert answer.all("content-type") == ["application/problem+json"]
    assert answer.all("www-authenticate") == ['Bearer realm="archway", error="invalid_token"']
    assert answer.all("x-archway-reference") == ["ref-401"]
    assert answer.all("x-internal") == []


def test_a_limit_carries_the_time_to_wait(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", token="limited")
    assert (answer.status, answer.code, answer.all("retry-after")) == (429, "plan_limit_reached", ["17"])


def test_a_key_manager_that_is_down_is_503_in_the_validators_words(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", token="key-manager-down")
    assert (answer.status, answer.code) == (503, "key_manager_unavailable")
    assert answer.all("retry-after") == ["5"]
    assert answer.all("x-archway-reference") == ["ref-503"]


def test_a_403_of_the_validator_is_not_taken_for_one_of_the_gateway(gateway: Gateway) -> None:
    assert gateway.call("/museum/1.0.0/x", token="forbidden-plainly").code == "not_subscribed"


def test_an_unknown_api_is_answered_by_the_validator(gateway: Gateway) -> None:
    answer, _ = gateway.traced("/nope/1/x")
    assert (answer.status, answer.code) == (404, "unknown_to_validator")


def test_a_call_without_a_token_is_answered_by_the_validator(gateway: Gateway) -> None:
    answer, asked = gateway.traced("/museum/1.0.0/x", token="")
    assert (answer.status, answer.code) == (401, "token_missing")
    assert asked.all("authorization") == []


def test_the_gateways_own_answers_are_problem_documents_that_quote_safely(gateway: Gateway) -> None:
    answer = gateway.call("/down/1/x", ("x-request-id", 'a"b\\c'))
    body = json.loads(answer.body)
    assert body["request_id"] == 'a"b\\c'
    assert body["status"] == answer.status
    assert body["type"] == f"{PORTAL}/100%25/docs/reference/refusals#{body['code']}"


@pytest.mark.parametrize(
    ("target", "headers", "code"),
    [
        ("/museum/1.0.0/a%2fb", (), "bad_request"),
        ("/museum/1.0.0/x", (("x-long", "x" * 40_000),), "headers_too_large"),
        ("/museum/1.0.0/x", (("transfer-encoding", "gzip"),), "transfer_encoding_not_supported"),
        ("/down/1/x", (), "backend_unavailable"),
    ],
)
def test_a_refusal_of_the_gateways_own_has_a_code_and_a_reference_that_its_access_log_knows(
    gateway: Gateway, target: str, headers: tuple[tuple[str, str], ...], code: str
) -> None:
    answer = gateway.call(target, *headers)
    reference = json.loads(answer.body)["reference"]
    assert answer.code == code
    assert answer.all("x-archway-reference") == [reference]
    (line,) = [line for line in gateway.access_log_with(reference).splitlines() if reference in line]
    assert json.loads(line)["status"] == answer.status


PREFLIGHT = (("origin", PORTAL), ("access-control-request-method", "GET"))


def test_a_preflight_from_the_portal_needs_no_token_and_asks_nobody(gateway: Gateway) -> None:
    mark = ("x-request-id", "preflight-1")
    answer = gateway.call("/museum/1.0.0/x", *PREFLIGHT, mark, method="OPTIONS", token="")
    assert answer.status == 200
    assert answer.all("access-control-allow-origin") == [PORTAL]
    assert "authorization" in answer.first("access-control-allow-headers")
    assert "DELETE" in answer.first("access-control-allow-methods")
    assert gateway.validator.received("preflight-1") == []


def test_a_preflight_from_elsewhere_gets_no_permission(gateway: Gateway) -> None:
    headers = (("origin", "https://evil.test"), ("access-control-request-method", "GET"))
    answer = gateway.call("/museum/1.0.0/x", *headers, method="OPTIONS", token="")
    assert answer.status == 401
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://portal.test.evil.test", "http://portal.test"])
def test_only_the_portals_pages_may_read_answers(gateway: Gateway, origin: str) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("origin", origin))
    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.startswith("access-control")]


def test_no_answer_lets_a_page_send_cookies(gateway: Gateway) -> None:
    preflight = gateway.call("/museum/1.0.0/x", *PREFLIGHT, method="OPTIONS", token="")
    answer = gateway.call("/museum/1.0.0/x", ("origin", PORTAL))
    for each in (preflight, answer):
        assert each.all("access-control-allow-credentials") == []
        assert "*" not in each.all("access-control-allow-origin")
    # A shared cache must not give one origin the answer for another.
    assert "origin" in answer.first("vary").lower()


def test_a_page_may_send_the_headers_of_an_apis_own_operations(gateway: Gateway) -> None:
    asked = ("access-control-request-headers", "authorization,x-shop-branch")
    answer = gateway.call("/museum/1.0.0/x", *PREFLIGHT, asked, method="OPTIONS", token="")
    assert {"*", "authorization"} <= set(answer.first("access-control-allow-headers").split(", "))


def test_a_page_can_read_that_the_backend_does_not_answer(gateway: Gateway) -> None:
    answer = gateway.call("/down/1/x", ("origin", PORTAL))
    assert (answer.status, answer.code) == (503, "backend_unavailable")
    assert answer.all("access-control-allow-origin") == [PORTAL]


@pytest.mark.parametrize("token", ["production", "refused", "broken-500"])
def test_the_portals_pages_can_read_answers_refusals_and_failures(gateway: Gateway, token: str) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("origin", PORTAL), token=token)
    assert answer.all("access-control-allow-origin") == [PORTAL]
    exposed = answer.first("access-control-expose-headers").split(", ")
    assert {"x-archway-reference", "www-authenticate", "retry-after"} <= set(exposed)
