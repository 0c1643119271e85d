"""What the HTTP client does with an answer, without a network."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from common.address_guard import GuardedBackend
from common.errors import InputError, KeyManagerProtocolError, KeyManagerUnavailable, OutcomeUnknown
from common.exchanges import recorded_exchanges
from common.http import (
    AddressGuard,
    HttpClient,
    HttpLimits,
    HttpRequest,
    HttpResponse,
    PrivateAddressRefused,
    address_only,
    check_url,
    failed_answer,
    parse_retry_after,
)

URL = "https://idp.example/register?secret=hidden"


def client(handler: Callable[[httpx2.Request], httpx2.Response], limits: HttpLimits | None = None) -> HttpClient:
    return HttpClient(transport=httpx2.MockTransport(handler), limits=limits, now=lambda: 1_000_000_000.0)


def answering(status: int, *, headers: dict[str, str] | None = None, content: bytes = b"") -> HttpClient:
    return client(lambda _: httpx2.Response(status, headers=headers, content=content))


def failing(error: Exception) -> HttpClient:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise error

    return client(handler)


POST = HttpRequest(method="POST", url=URL, json={"client_name": "a"})


@pytest.mark.parametrize("error", [httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.PoolTimeout("x")])
def test_a_request_that_was_never_sent_is_unavailable(error: Exception) -> None:
    with pytest.raises(KeyManagerUnavailable):
        failing(error).send(POST)


@pytest.mark.parametrize("error", [httpx2.ReadTimeout("x"), httpx2.ReadError("x"), httpx2.RemoteProtocolError("x")])
def test_a_lost_answer_to_a_write_is_unknown(error: Exception) -> None:
    with pytest.raises(OutcomeUnknown):
        failing(error).send(POST)


@pytest.mark.parametrize(
    "request_", [HttpRequest(method="GET", url=URL), HttpRequest(method="POST", url=URL, repeatable=True)]
)
def test_a_lost_answer_to_a_repeatable_request_is_unavailable(request_: HttpRequest) -> None:
    with pytest.raises(KeyManagerUnavailable):
        failing(httpx2.ReadTimeout("x")).send(request_)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Sun, 09 Sep 2001 01:47:10 GMT", 30.0), ("Sun, 09 Sep 2001 01:46:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(429, headers={"Retry-After": value}).send(POST)
    assert caught.value.retry_after == seconds


def test_503_is_unavailable_with_its_wait() -> None:
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(503, headers={"Retry-After": "3"}).send(POST)
    assert caught.value.retry_after == 3.0


@pytest.mark.parametrize("name", ["X-Rate-Limit-Reset", "X-RateLimit-Reset"])
def test_the_end_of_a_rate_limit_is_waited_for_where_there_is_no_retry_after(name: str) -> None:
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(429, headers={name: "1000000042"}).send(POST)
    assert caught.value.retry_after == 42.0
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(429, headers={name: "999999999"}).send(POST)
    assert caught.value.retry_after == 0.0
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(429, headers={name: "1000000042", "Retry-After": "7"}).send(POST)
    assert caught.value.retry_after == 7.0
    with pytest.raises(KeyManagerUnavailable) as caught:
        answering(429, headers={name: "soon"}).send(POST)
    assert caught.value.retry_after is None


def test_retry_after_without_a_value_is_none() -> None:
    assert parse_retry_after("", now=0.0) is None


def test_another_5xx_is_unknown_for_a_write_and_unavailable_for_a_read() -> None:
    response = HttpResponse(status=500, url=URL)
    assert isinstance(failed_answer(POST, response), OutcomeUnknown)
    assert isinstance(failed_answer(HttpRequest(method="GET", url=URL), response), KeyManagerUnavailable)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    calls: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        calls.append(str(request.url))
        return httpx2.Response(302, headers={"Location": "http://169.254.169.254/"})

    response = client(handler).send(HttpRequest(method="GET", url=URL))
    assert response.status == 302
    assert len(calls) == 1


def test_an_answer_that_is_too_large_stops_being_read() -> None:
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1000
            yield b"x" * 1000

    http = client(lambda _: httpx2.Response(200, content=chunks()), HttpLimits(max_response_bytes=5000))
    with pytest.raises(KeyManagerProtocolError, match="more than 5000 bytes"):
        http.send(HttpRequest(method="GET", url=URL))
    assert read <= 6000


def test_an_answer_that_is_too_large_leaves_a_write_unknown() -> None:
    http = client(lambda _: httpx2.Response(201, content=b"x" * 11), HttpLimits(max_response_bytes=10))
    with pytest.raises(OutcomeUnknown):
        http.send(POST)


def test_no_cookie_is_kept_between_calls() -> None:
    seen: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers.get("cookie"))
        return httpx2.Response(200, headers={"Set-Cookie": "sid=1"})

    http = client(handler)
    http.get(URL)
    http.get(URL)
    assert seen == [None, None]


def test_a_form_is_sent_as_a_form() -> None:
    bodies: list[bytes] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.read())
        return httpx2.Response(200)

    client(handler).send(HttpRequest(method="POST", url=URL, form=(("resource", "a b"), ("resource", "c&d"))))
    assert bodies == [b"resource=a+b&resource=c%26d"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/html", b"<html>"), ("", b"{}"), ("application/json", b"<html>"), ("application/json", b"[1]")],
)
def test_only_a_json_object_is_a_json_object(content_type: str, body: bytes) -> None:
    response = HttpResponse(status=200, url=URL, headers=(("content-type", content_type),), body=body)
    with pytest.raises(KeyManagerProtocolError):
        response.json_object()


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JWK-Set+JSON"])
def test_every_json_media_type_is_json(content_type: str) -> None:
    response = HttpResponse(status=200, url=URL, headers=(("content-type", content_type),), body=b'{"a": 1}')
    assert response.json_object() == {"a": 1}


def test_json_with_another_content_type_is_accepted_where_the_caller_allows_it() -> None:
    assert HttpResponse(status=400, url=URL, body=b'{"error": "x"}').json_object(any_content_type=True)


def test_no_secret_of_a_request_or_an_answer_is_in_its_text_form() -> None:
    request = HttpRequest(method="POST", url="https://idp.example/", form=(("client_secret", "hidden"),))
    response = HttpResponse(status=200, url="https://idp.example/", body=b"hidden", headers=(("set-cookie", "hidden"),))
    assert "hidden" not in repr(request) + str(request) + repr(response)


def test_an_error_shows_the_address_without_its_query() -> None:
    with pytest.raises(KeyManagerUnavailable) as caught:
        failing(httpx2.ConnectError("x")).send(POST)
    assert "hidden" not in str(caught.value)
    assert "https://idp.example/register" in str(caught.value)


def test_an_address_is_shown_without_user_query_and_fragment() -> None:
    assert address_only("https://u:p@h.example:8/a/b?c=d#e") == "https://h.example:8/a/b"


@pytest.mark.parametrize("url", ["ftp://h/", "/path", "https://", "https://user:pw@h/", "http://[::1", "javascript:1"])
def test_a_url_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        check_url(url)
    assert "url" in caught.value.fields


def test_exchanges_are_recorded_without_secrets() -> None:
    answer = httpx2.Response(201, json={"client_id": "c1", "client_secret": "hidden"})
    http = client(lambda _: answer)
    request = HttpRequest(
        method="POST",
        url="https://idp.example/register",
        json={"client_name": "shop", "software_statement_secret": "hidden"},
        headers=(("Authorization", "Bearer hidden"),),
    )
    with recorded_exchanges() as exchanges:
        http.send(request)
    assert len(exchanges) == 1
    assert exchanges[0].status == 201
    assert "shop" in exchanges[0].request_body
    assert "c1" in exchanges[0].response_body
    assert "hidden" not in repr(exchanges[0])


def test_an_exchange_without_an_answer_is_recorded_with_its_reason() -> None:
    with recorded_exchanges() as exchanges, pytest.raises(OutcomeUnknown):
        failing(httpx2.ReadTimeout("x")).send(POST)
    assert "no answer in time" in exchanges[0].error


def test_text_from_a_typed_url_is_returned_without_its_byte_order_mark() -> None:
    assert answering(200, content=b"\xef\xbb\xbfopenapi: 3.0.0").fetch_text(URL) == "openapi: 3.0.0"


@pytest.mark.parametrize(
    "http",
    [
        answering(404),
        answering(302),
        answering(503),
        answering(200, content=b"\xff\xfe\x00"),
        failing(httpx2.ConnectError("x")),
        failing(PrivateAddressRefused("private")),
    ],
)
def test_every_failure_of_a_typed_url_names_its_field(http: HttpClient) -> None:
    with pytest.raises(InputError) as caught:
        http.fetch_text(URL, name="definition_url")
    assert list(caught.value.fields) == ["definition_url"]


def test_text_from_a_typed_url_is_limited_to_5_megabytes() -> None:
    with pytest.raises(InputError, match="more than 5242880 bytes"):
        answering(200, content=b"x" * (5 * 1024 * 1024 + 1)).fetch_text(URL)


PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",  # noqa: S104 - an address to be refused, nothing is bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "::127.0.0.1",
    "::ffff:0:7f00:1",
    "fec0::1",
    "4000::1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused(address: str) -> None:
    assert not AddressGuard().permits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert AddressGuard().permits(address)


def test_a_named_range_opens_that_range_only() -> None:
    guard = AddressGuard.of("127.0.0.0/8")
    assert guard.permits("127.0.0.1")
    assert guard.permits("::ffff:127.0.0.1")
    assert not guard.permits("10.0.0.1")
    assert not guard.permits("::1")


def test_the_guard_refuses_a_literal_address_before_it_connects() -> None:
    with pytest.raises(PrivateAddressRefused) as caught:
        GuardedBackend(AddressGuard()).connect_tcp("127.0.0.1", 9, timeout=1.0)
    assert caught.value.code == "private_address"
    assert "url" in caught.value.fields
