"""Envoy and the validator's reading of a path agree, on whatever bytes arrive.

The backend's answer says which API Envoy chose; the same call with the token ``allow-all`` shows what Envoy would do
if the validator did not object.
"""

import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.gateway_contract import CHECK_EXACTLY
from common.paths import PrefixTable, gateway_path
from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import RawAnswer

pytestmark = pytest.mark.gateway

_PIECES = st.sampled_from(
    [
        "museum", "1.0.0", "1", "2", "api3", "api4", "API4", "root", "1.0", "x", "museum/1.0.0", "api4/1",
        ".", "..", "...", "%2e", "%2E%2e", ".%2e", "%252e", "%252e%252e", "..;", ";", ";a=b", "..%3b", "%3B",
        "%2f", "%2F", "%5c", "\\", "..\\", "/", "//", "%252f", "%25", "%", "%zz", "%6duseum", "m%75seum", "%41PI4",
        "#", "?", "?x=/../api4/1", "%3f", "%23", "%00", "%0d%0a", "%20", "%09", "~", "%7e", "-", "_", "+", "@", ":",
        "[", "]", "{", "}", "|", "^", "`", "<", ">", '"', "'", "*", "&", "=", "$", ",", "!", "(", ")",
        "%C3%BC", "%c3%bc", "%ff", "\xfc", "\xc3\xbc", "http:", "http://a.test", "%E3%80%82", "%uff0e", "%c0%ae",
    ]
)  # fmt: skip
_SEGMENTS = st.lists(_PIECES, min_size=1, max_size=3).map("".join)
_BEGINNINGS = st.sampled_from(["", "/museum/1.0.0", "/museum/1.0.0/", "/api3/1/", "/museum//1.0.0", "http://a.test"])
TARGETS = st.builds(
    lambda beginning, segments: beginning + "/" + "/".join(segments),
    _BEGINNINGS,
    st.lists(_SEGMENTS, min_size=1, max_size=5),
)
_REFUSED_BY_ENVOY = {400, 404, 431}


def api_of(answer: RawAnswer) -> tuple[str, str]:
    """API and rest of the path, as the backend saw them."""
    path = answer.echoed.target.partition("?")[0]
    for name in ("museum", "short", "nested", "api3", "api4", "upper"):
        based = f"/{name}-production"
        if path == based or path.startswith(f"{based}/"):
            return name, path.removeprefix(based)
    return "root", path


@given(target=TARGETS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(target="/museum/1.0.0x")
@example(target="/museum/1.0.0/2/x")
@example(target="/museum/1.0.0/2x")
@example(target="/museum/1.0.0;v=2/x")
@example(target="/museum/1.0.0%2f..%2f1/x")
@example(target="/museum/1.0.0/%2e%2e/1/x")
@example(target="/museum/1.0.0/..;/1/x")
@example(target="/museum/1.0.0/..;a/b/..;/1/x")
@example(target="/museum/1.0.0/..\\1\\x")
@example(target="/museum/1.0.0/%252e%252e/1")
@example(target="/%61pi4/1/x")
@example(target="//api4/1/x")
@example(target="/museum/1.0.0?/../../api4/1")
@example(target="/" + "../" * 500 + "api4/1/x")
@example(target="/api4/1/" + "x/" * 3000)
@example(target="http://a.test")
@example(target="http://a.test?x")
@example(target="http://a.test/museum/1.0.0/../../api4/1/x")
@example(target="http:///api4/1/x")
def test_envoy_and_the_validator_read_the_same_api_from_the_same_bytes(gateway: Gateway, target: str) -> None:
    table = PrefixTable((api.prefix, api.id) for api in gateway.apis)
    mark = str(uuid.uuid4())
    judged = gateway.call(target, ("x-request-id", mark))
    asked = gateway.validator.received(mark)
    if not asked:
        assert judged.status in _REFUSED_BY_ENVOY
        return
    arrived = asked[0].target.removeprefix(CHECK_EXACTLY)
    path = gateway_path(arrived)
    found = table.find(path) if path is not None else None
    unjudged = gateway.call(target, token="allow-all")
    if found is None:
        assert judged.status == (400 if path is None else 404)
        assert judged.code == ("bad_path" if path is None else "unknown_to_validator")
        if path is not None:
            assert (unjudged.status, unjudged.code) == (404, "api_not_found")
        return
    api, rest = found
    for answer in (judged, unjudged):
        assert answer.status == 200
        chosen, passed_on = api_of(answer)
        assert chosen == api
        assert passed_on == (rest or "/" if api == "root" else rest)


@pytest.mark.parametrize(
    "target",
    ["/museum/1.0.0/a-b_c.d~e", "/museum/1.0.0/%41%2d%5F%2E%7ex", "/museum/1.0.0/items[0]", "/museum/1.0.0/ä".encode()],
)
def test_what_ordinary_clients_send_is_understood_or_refused_plainly(gateway: Gateway, target: str | bytes) -> None:
    text = target if isinstance(target, str) else target.decode("latin-1")
    answer = gateway.call(text)
    assert answer.status == (200 if text.isascii() else 400)


def test_the_validator_gets_escapes_as_they_were_sent(gateway: Gateway) -> None:
    _, asked = gateway.traced("/museum/1.0.0/%C3%bc%20a?q=%2F%41")
    assert asked.target == "/check?/museum/1.0.0/%C3%bc%20a?q=%2F%41"
