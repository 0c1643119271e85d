"""Which operation a method and path mean."""

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
