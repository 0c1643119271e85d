"""Names, contexts, versions, endpoints and tags: what is accepted, and what is refused by which field."""

import pytest

from common.errors import ConfigurationError, InputError
from gateway.envoy.declarations import Upstream
from subscriptions.rules import check_context, check_endpoint, check_name, check_tags, check_version
from subscriptions.states import BLOCKABLE, SubscriptionState


def test_a_name_loses_its_outer_blanks() -> None:
    assert check_name("  Museum ", longest=60) == "Museum"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x00b", "a\u202eb"])
def test_a_bad_name_is_refused_by_its_field(name: str) -> None:
    with pytest.raises(InputError) as refused:
        check_name(name, longest=60, field="title")
    assert set(refused.value.fields) == {"title"}


@pytest.mark.parametrize("context", ["/museum", "/a/b/c", "/v1.0", "/A-b_c~d", "/" + "x" * 231])
def test_a_good_context_is_taken_as_it_is(context: str) -> None:
    assert check_context(context) == context


@pytest.mark.parametrize(
    "context",
    [
        *("", "museum", "/", "//a", "/a/", "/a//b", "/a/../b", "/..", "/.", "/a b", "/a%2fb", "/a?b", "/a#b", "/é"),
        *("/{tenant}", "/a;b", "/a\\b", "/a\n", "/check", "/healthz/x", "/STATZ", "/" + "x" * 232),
    ],
)
def test_a_bad_context_is_refused(context: str) -> None:
    with pytest.raises(InputError) as refused:
        check_context(context)
    assert set(refused.value.fields) == {"context"}


@pytest.mark.parametrize("version", ["1", "1.0.0", "v2-beta_1", "2026.07"])
def test_a_good_version_is_taken_as_it_is(version: str) -> None:
    assert check_version(version) == version


@pytest.mark.parametrize("version", ["", ".", "..", "-1", "1/0", "1 0", "1\n", "x" * 31, "ä"])
def test_a_bad_version_is_refused(version: str) -> None:
    with pytest.raises(InputError) as refused:
        check_version(version)
    assert set(refused.value.fields) == {"version"}


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("", ""),
        ("https://api.example/v1/", "https://api.example/v1"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("http://[::1]:9000/x", "http://[::1]:9000/x"),
    ],
)
def test_an_endpoint_may_be_private_and_loses_its_last_slash(url: str, stored: str) -> None:
    assert check_endpoint(url, "endpoints.production") == stored


@pytest.mark.parametrize(
    "url",
    [
        *(
            "api.example",
            "//api.example",
            "ftp://api.example",
            "https://",
            "https://u:p@a.example",
            "https://a.example?x",
        ),
        *(
            "https://a.example#x",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a b.example",
            "https://[::1",
        ),
        *("https://a.example/\n", "https://a.example/é", "https://" + "a" * 500),
    ],
)
def test_a_bad_endpoint_is_refused_by_its_field(url: str) -> None:
    with pytest.raises(InputError) as refused:
        check_endpoint(url, "endpoints.sandbox")
    assert set(refused.value.fields) == {"endpoints.sandbox"}


def test_tags_are_distinct_lower_case_and_in_order() -> None:
    assert check_tags(["Culture", " art ", "ART", "", "culture"]) == ["culture", "art"]


@pytest.mark.parametrize("tags", [["x" * 41], [str(number) for number in range(31)]])
def test_too_many_or_too_long_tags_are_refused(tags: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        check_tags(tags)
    assert set(refused.value.fields) == {"tags"}


def test_a_subscription_that_waits_for_approval_or_was_rejected_is_not_for_blocking() -> None:
    assert set(SubscriptionState) - BLOCKABLE == {SubscriptionState.ON_HOLD, SubscriptionState.REJECTED}


@pytest.mark.parametrize(
    "url",
    [
        "http://h", "https://h:8443/a/b/", "http://[::1]:80", "http://10.0.0.1/x", "http://h./", "http://ex_ample.com/x",
        "http://h/a;b=1", "http://h/%41", "http://_foo", "http://-foo", "http://h-", "http://~h", "http://[v1.x]/",
        "http://[fe80::1%25lo]/", "http://h/<x>", "http://h/{x}", "http://h/a//b", "http://h/a|b", "http://h/^",
        "http://h/\\x", "http://@h", "http://u@h", "http://h?x", "http://h#x", "http://h:0", "http://256.1.1.1",
        "http://a..b",
    ],
)  # fmt: skip
def test_an_endpoint_is_accepted_when_the_gateway_can_call_it_and_not_else(url: str) -> None:
    try:
        stored = check_endpoint(url, "endpoints.production")
    except InputError:
        # An empty user name and an IPv6 zone are nobody's wish.
        assert "@" in url or "%25" in url or not _gateway_takes(url)
    else:
        assert _gateway_takes(stored)


def _gateway_takes(url: str) -> bool:
    try:
        Upstream(url=url)
    except ConfigurationError:
        return False
    return True
