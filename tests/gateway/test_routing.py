"""Where an allowed call goes, and what the backend sees of it."""

import pytest

from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.gateway


@pytest.mark.parametrize(
    ("target", "token", "reached"),
    [
        ("/museum/1.0.0", "production", "/museum-production"),
        ("/museum/1.0.0/", "production", "/museum-production/"),
        ("/museum/1.0.0?x=1", "production", "/museum-production?x=1"),
        ("/museum/1.0.0/museum-hours?x=1&y=/../z", "production", "/museum-production/museum-hours?x=1&y=/../z"),
        ("/museum/1.0.0/museum-hours", "sandbox", "/museum-sandbox/museum-hours"),
        ("/museum/1.0.0/2/x", "production", "/nested-production/x"),
        ("/museum/1.0.0/2x", "production", "/museum-production/2x"),
        ("/museum/1/x", "production", "/short-production/x"),
        ("//museum//1.0.0///x//", "production", "/museum-production/x/"),
        ("/museum/1.0.0/./a/../x", "production", "/museum-production/x"),
        ("/API4/1/x", "production", "/upper-production/x"),
        ("/root/1.0", "production", "/"),
        ("/root/1.0/", "production", "/"),
        ("/root/1.0?x", "production", "/?x"),
        ("/root/1.0/a/b?x", "production", "/a/b?x"),
        ("/root/1.0/root/1.0/x", "production", "/root/1.0/x"),
        ("/name/1/x", "sandbox", "/x"),
        ("http://elsewhere.test/museum/1.0.0/x", "production", "/museum-production/x"),
    ],
)
def test_the_prefix_becomes_the_base_of_the_environments_upstream(
    gateway: Gateway, target: str, token: str, reached: str
) -> None:
    assert gateway.call(target, token=token).echoed.target == reached


def test_the_backend_sees_its_own_name_as_host(gateway: Gateway) -> None:
    assert gateway.call("/museum/1.0.0/x").echoed.all("host") == [f"127.0.0.1:{gateway.backend.port}"]
    assert gateway.call("/name/1/x", token="sandbox").echoed.all("host") == [f"localhost:{gateway.backend.port}"]


def test_the_token_ends_at_the_gateway(gateway: Gateway) -> None:
    assert gateway.call("/museum/1.0.0/x").echoed.all("authorization") == []


def test_the_token_is_forwarded_where_the_api_says_so(gateway: Gateway) -> None:
    assert gateway.call("/root/1.0/x").echoed.all("authorization") == ["Bearer production"]


def test_the_backend_gets_the_assertion_and_the_request_id_and_nothing_else_of_ours(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("x-request-id", "caller-1"), ("accept", "a/b"), token="with-jwt")
    assert {name for name, _ in answer.echoed.headers} == {
        "accept",
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-jwt-assertion",
        "x-request-id",
    }
    assert answer.echoed.all("x-request-id") == ["caller-1"]


def test_a_call_without_a_request_id_gets_one(gateway: Gateway) -> None:
    assert gateway.call("/museum/1.0.0/x").echoed.first("x-request-id")


def test_what_the_validator_tells_the_gateway_stays_there(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", token="noisy")
    assert not [name for name, _ in answer.echoed.headers if name.startswith("x-archway") or name == "x-other"]
    assert not [name for name, _ in answer.headers if name.startswith("x-archway")]


def test_the_answer_names_neither_the_backends_server_nor_the_gateways(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x")
    names = {name for name, _ in answer.headers}
    assert names == {"content-type", "content-length", "date", "connection", "vary"}


def test_an_environment_without_a_backend_is_refused(gateway: Gateway) -> None:
    for target, token in (("/root/1.0/x", "sandbox"), ("/name/1/x", "production")):
        answer = gateway.call(target, token=token)
        assert (answer.status, answer.code) == (403, "no_endpoint_for_environment")


@pytest.mark.parametrize("token", ["no-environment", "odd-environment"])
def test_a_call_that_is_allowed_for_no_known_environment_goes_nowhere(gateway: Gateway, token: str) -> None:
    answer = gateway.call("/museum/1.0.0/x", token=token)
    assert (answer.status, answer.code) == (404, "api_not_found")


def test_an_unknown_api_that_is_wrongly_allowed_goes_nowhere(gateway: Gateway) -> None:
    for target in ("/nope/1/x", "/museum/1.0.0x", "/museum/9/x", "/"):
        answer = gateway.call(target, token="allow-all")
        assert (answer.status, answer.code) == (404, "api_not_found")


def test_a_backend_that_is_down_is_503_with_a_code(gateway: Gateway) -> None:
    answer = gateway.call("/down/1/x")
    assert (answer.status, answer.code) == (503, "backend_unavailable")
    assert str(gateway.backend.port) not in answer.body.decode()


def test_a_backend_that_is_too_slow_is_504_with_a_code(gateway: Gateway) -> None:
    answer = gateway.call("/slow/1/x")
    assert (answer.status, answer.code) == (504, "backend_timeout")


def test_too_many_or_too_large_headers_are_431(gateway: Gateway) -> None:
    many = tuple((f"h{number}", "x") for number in range(120))
    for answer in (gateway.call("/museum/1.0.0/x", *many), gateway.call("/museum/1.0.0/x", ("h", "x" * 40_000))):
        assert (answer.status, answer.code) == (431, "headers_too_large")
