"""Which operation a method and path mean."""

import random
import re
import time

import pytest

from keymanager.validation.matching import OperationMatcher

OPERATIONS = [
    ("GET", "/pets", "list"),
    ("POST", "/pets", "add"),
    ("GET", "/pets/mine", "mine"),
    ("GET", "/pets/{id}", "one"),
    ("DELETE", "/pets/{id}", "drop"),
    ("GET", "/pets/{id}/photos", "photos"),
    ("GET", "/reports/report.{format}", "report"),
    ("GET", "/files/*", "files"),
    ("GET", "/files/readme", "readme"),
    ("PUT", "/caf\u00e9", "coffee"),
]


@pytest.fixture
def matcher() -> OperationMatcher[str]:
    return OperationMatcher(OPERATIONS)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/pets", "list"),
        ("GET", "/pets/mine", "mine"),
        ("GET", "/pets/7", "one"),
        ("GET", "/pets/mine/photos", "photos"),
        ("GET", "/reports/report.csv", "report"),
        ("GET", "/files/readme", "readme"),
        ("GET", "/files/a/b/c", "files"),
        ("GET", "/files/", "files"),
        ("GET", "/files", "files"),
    ],
)
def test_the_most_exact_template_wins(matcher: OperationMatcher[str], method: str, path: str, expected: str) -> None:
    assert matcher.find(method, path) == expected


def test_a_method_that_only_the_less_exact_template_knows_finds_that_one(matcher: OperationMatcher[str]) -> None:
    assert matcher.find("DELETE", "/pets/mine") == "drop"


def test_a_known_path_with_another_method_names_every_method_that_would_do(matcher: OperationMatcher[str]) -> None:
    assert matcher.find("PATCH", "/pets/mine") == frozenset({"GET", "DELETE"})


@pytest.mark.parametrize("path", ["/", "", "/pets/", "/pets/7/photos/1", "/reports/report.", "/filesystem", "/PETS"])
def test_an_unknown_path_knows_no_method(matcher: OperationMatcher[str], path: str) -> None:
    assert matcher.find("GET", path) == frozenset()


def test_escaped_and_plain_spellings_of_a_segment_are_the_same(matcher: OperationMatcher[str]) -> None:
    assert matcher.find("PUT", "/caf%C3%A9") == "coffee"
    assert matcher.find("GET", "/%70ets") == "list"


def test_a_slash_that_was_escaped_twice_stays_inside_its_segment(matcher: OperationMatcher[str]) -> None:
    assert matcher.find("GET", "/pets/a%2Fphotos") == "one"


def test_head_is_answered_by_get_unless_the_api_names_it(matcher: OperationMatcher[str]) -> None:
    assert matcher.find("HEAD", "/pets/7") == "one"
    assert OperationMatcher([("GET", "/a", "g"), ("HEAD", "/a", "h")]).find("HEAD", "/a") == "h"


def test_a_wildcard_at_the_root_matches_everything() -> None:
    matcher = OperationMatcher([("GET", "/*", "all")])
    assert [matcher.find("GET", path) for path in ("", "/", "/a", "/a/b")] == ["all"] * 4


@pytest.mark.parametrize(
    ("template", "segment", "fits"),
    [
        ("{lat},{lon}", "1,2", True),
        ("{lat},{lon}", ",,,", True),
        ("{lat},{lon}", "1,", False),
        ("{lat},{lon}", ",2", False),
        ("{a}{b}", "xy", True),
        ("{a}{b}", "x", False),
        ("v{a}.{b}.json", "v1.2.json", True),
        ("v{a}.{b}.json", "v1.json", False),
        ("aa{a}aa", "aaa", False),
        ("aa{a}aa", "aaaaa", True),
        ("{a}ab{b}ab", "xababab", True),
        ("{a}ab{b}ab", "xabab", False),
    ],
)
def test_several_parameters_share_a_segment(template: str, segment: str, fits: bool) -> None:
    found = OperationMatcher([("GET", f"/{template}", "it")]).find("GET", f"/{segment}")
    assert found == ("it" if fits else frozenset())


def test_a_segment_is_read_as_a_regular_expression_would_read_it() -> None:
    chance = random.Random(7)  # noqa: S311 - it makes the inputs of a test
    for _ in range(3000):
        texts = ["".join(chance.choices("ab", k=chance.randrange(3))) for _ in range(chance.randrange(2, 5))]
        segment = "".join(chance.choices("ab", k=chance.randrange(1, 9)))
        matcher = OperationMatcher([("GET", "/" + "{p}".join(texts), "it")])
        expected = re.fullmatch(".+?".join(texts), segment) is not None
        assert (matcher.find("GET", f"/{segment}") == "it") is expected, (texts, segment)


def test_a_long_segment_costs_no_power_of_its_length() -> None:
    matcher = OperationMatcher([("GET", "/" + "".join(f"{{p{number}}}a" for number in range(40)) + "b", "it")])
    started = time.process_time()
    assert matcher.find("GET", "/" + "a" * 8000) == frozenset()
    assert matcher.find("GET", "/" + "a" * 7998 + "ab") == "it"
    assert time.process_time() - started < 1
