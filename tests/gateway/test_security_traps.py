"""Each trap that was once reproduced on a gateway, kept shut on this one."""

import json

import pytest

from common.gateway_contract import OVERRIDE_HEADERS
from common.paths import PrefixTable
from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import send

pytestmark = pytest.mark.gateway

BROKEN = ["broken-500", "broken-close", "broken-garbage", "broken-redirect", "broken-no-content", "broken-hang"]


@pytest.mark.parametrize("token", BROKEN)
def test_a_validator_that_is_broken_never_lets_a_call_through(gateway: Gateway, token: str) -> None:
    answer = gateway.call("/museum/1.0.0/x", token=token)
    assert (answer.status, answer.code) == (503, "validator_unavailable")
    assert int(answer.first("retry-after")) > 0


def test_there_is_no_script_and_no_second_gate_that_could_fail_open(gateway: Gateway) -> None:
    listener = json.loads((gateway.folder / "listeners.json").read_text())["resources"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert [each["name"] for each in manager["http_filters"]] == [
        "envoy.filters.http.cors",
        "envoy.filters.http.ext_authz",
        "envoy.filters.http.router",
    ]
    assert manager["http_filters"][1]["typed_config"]["failure_mode_allow"] is False


def test_the_api_that_is_decided_about_is_the_api_that_is_called(gateway: Gateway) -> None:
    answer, asked = gateway.traced("/api3/1/../../api4/1/x")
    assert asked.target == "/check?/api4/1/x"
    assert answer.echoed.target == "/api4-production/x"


def test_a_decision_about_one_path_is_not_kept_for_another(gateway: Gateway) -> None:
    assert gateway.call("/api3/1/../../api4/1/x").status == 200
    assert gateway.call("/api4/1/x", token="refused").status == 401
    answer, asked = gateway.traced("/api4/1/x", token="limited")
    assert answer.status == 429
    assert asked.target == "/check?/api4/1/x"


def test_every_call_is_decided_about_anew(gateway: Gateway) -> None:
    for _ in range(3):
        gateway.traced("/api3/1/x")


@pytest.mark.parametrize("path", ["/api3/1/..%2f..%2fapi4/1/x", "/api3/1/a%5cb", "/api3/1/a%2Fb", "/api3/1/x#y"])
def test_escaped_slashes_and_fragments_are_refused_before_anybody_reads_them(gateway: Gateway, path: str) -> None:
    answer = gateway.call(path)
    assert (answer.status, answer.code) == (400, "bad_request")


SPOOFED = [
    "x-archway-environment",
    "X-Archway-Environment",
    "X-ARCHWAY-ENVIRONMENT",
    "x_archway_environment",
    "X-Archway_Environment",
    "x-archway-reference",
    "x-archway-anything",
    "x-jwt-assertion",
    "X-JWT-Assertion",
    "X_JWT_Assertion",
    "x-envoy-original-path",
    "x-envoy-retry-on",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-internal",
]


@pytest.mark.parametrize("name", SPOOFED)
def test_a_caller_cannot_speak_in_the_gateways_name(gateway: Gateway, name: str) -> None:
    answer, asked = gateway.traced("/museum/1.0.0/x", (name, "sandbox"), (name, "forged"), (name.lower(), "forged"))
    assert answer.echoed.target == "/museum-production/x"
    plain = name.lower().replace("_", "-")
    for reader in (asked, answer.echoed):
        values = {value for key, value in reader.headers if key.replace("_", "-") == plain}
        assert not [value for value in values if "forged" in value or "sandbox" in value]


@pytest.mark.parametrize("name", OVERRIDE_HEADERS)
def test_a_caller_cannot_have_the_backend_read_another_method_or_path_than_the_one_judged(
    gateway: Gateway, name: str
) -> None:
    answer = gateway.call("/museum/1.0.0/x", (name, "DELETE"), (name.replace("-", "_"), "/museum/1.0.0/secret"))
    assert not [key for key, _ in answer.echoed.headers if key.replace("_", "-") == name]


def test_a_caller_that_names_the_environment_itself_gets_nowhere(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("x-archway-environment", "production"), token="no-environment")
    assert (answer.status, answer.code) == (404, "api_not_found")


def test_a_forged_assertion_is_replaced_by_ours(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("x-jwt-assertion", "forged"), token="with-jwt")
    assert answer.echoed.all("x-jwt-assertion") == ["signed.by.us"]


def test_a_second_authorization_header_cannot_hide_behind_the_first(gateway: Gateway) -> None:
    _, asked = gateway.traced("/museum/1.0.0/x", ("authorization", "Bearer second"))
    assert "second" in " ".join(asked.all("authorization"))
    assert "production" in " ".join(asked.all("authorization"))


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding : chunked\r\n",
        b"content-length: +5\r\n",
    ],
)
def test_a_request_whose_end_is_ambiguous_is_refused(gateway: Gateway, framing: bytes) -> None:
    head = b"POST /museum/1.0.0/x HTTP/1.1\r\nhost: g\r\nauthorization: Bearer production\r\nconnection: close\r\n"
    answer = send(gateway.port, head + framing + b"\r\n0\r\n\r\n")
    assert answer.status in {400, 501}


def test_a_large_body_waits_for_the_decision_and_is_not_sent_to_the_validator(gateway: Gateway) -> None:
    body = b"x" * 300_000
    answer = gateway.call("/museum/1.0.0/x", method="POST", token="refused", body=body)
    assert answer.status == 401
    answer = gateway.call("/museum/1.0.0/x", method="POST", body=body)
    assert answer.echoed.body_bytes == len(body)


def test_the_validator_is_asked_without_the_body(gateway: Gateway) -> None:
    mark = "the-body-stays-here"
    gateway.call("/museum/1.0.0/x", ("x-request-id", mark), method="POST", body=b"secret")
    (asked,) = gateway.validator.received(mark)
    assert (asked.method, asked.body_bytes) == ("POST", 0)


def test_a_protocol_upgrade_is_refused(gateway: Gateway) -> None:
    answer = gateway.call("/museum/1.0.0/x", ("upgrade", "websocket"), ("connection", "upgrade"))
    assert (answer.status, answer.code) == (403, "upgrade_not_supported")


def test_a_tunnel_is_refused(gateway: Gateway) -> None:
    assert gateway.call("backend.test:80", method="CONNECT").status == 404


def test_the_log_warns_of_nothing_deprecated_or_unlimited(gateway: Gateway) -> None:
    gateway.call("/museum/1.0.0/x")
    log = gateway.process.log.read_text()
    assert "eprecated" not in log
    assert "no configured limit" not in log


def test_neither_log_holds_a_token_or_a_query(gateway: Gateway) -> None:
    gateway.call("/museum/1.0.0/x?password=hunter2", token="sandbox-secret-token")
    mark = "both-logs-are-written"
    gateway.call("/museum/1.0.0/x?password=hunter2", ("x-request-id", mark), token="refused")
    written = gateway.access_log_with(mark) + gateway.process.log.read_text()
    assert "hunter2" not in written
    assert "sandbox-secret-token" not in written


def test_the_table_of_the_test_knows_every_api(gateway: Gateway) -> None:
    assert len(PrefixTable((api.prefix, api.id) for api in gateway.apis)) == len(gateway.apis)
