"""Paths that are read without doubt, and the API that a path belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.paths import LONGEST_PATH, PrefixTable, gateway_path, match_prefix

PLAIN = [
    "/",
    "/museum/1.0.0",
    "/museum/1.0.0/",
    "/museum/1.0.0/museum-hours",
    "/museum/1.0.0/special-events/dad4bce8-f5cb-4078-a211-995864315e39",
    "/a/...",
    "/a/.hidden/..b/c..",
    "/a/b;v=1/c",
    "/a/%20%C3%BC%c3%bc%3F%23%3B",
    "/a/100%25",
    "/a/%25zz",
    "/a/items[0]",
    "/a/(b)!$&'*+,;=:@~",
]
DOUBTFUL = [
    "",
    "*",
    "museum",
    "http://gateway.test/museum",
    "//museum",
    "/museum//hours",
    "/museum/./hours",
    "/museum/../hours",
    "/museum/..",
    "/museum/.",
    "/museum/%2e%2e/hours",
    "/museum/%2E./hours",
    "/museum/.%2e",
    "/museum/%252e%252E/hours",
    "/museum/..;/hours",
    "/museum/.;x=1/hours",
    "/museum/..%3bx/hours",
    "/museum/a%2fb",
    "/museum/a%2Fb",
    "/museum/a%5cb",
    "/museum/a%252fb",
    "/museum/a%25252Fb",
    "/museum/a%255Cb",
    "/museum/a\\b",
    "/museum/%00",
    "/museum/%0d%0aX:y",
    "/museum/%7f",
    "/museum/a b",
    "/museum/a\x00",
    "/museum/a\n",
    "/museum/ü",
    "/museum/%",
    "/museum/%4",
    "/museum/%zz",
    "/museum/a#b",
    "/museum/<a>",
    "/museum/a|b",
    "/%6duseum",
    "/museum/%7E%2d%5f",
]


@pytest.mark.parametrize("path", PLAIN)
def test_a_plain_path_is_taken_as_it_is(path: str) -> None:
    assert gateway_path(path) == path


@pytest.mark.parametrize("path", DOUBTFUL)
def test_a_path_that_somebody_could_read_otherwise_is_refused(path: str) -> None:
    assert gateway_path(path) is None


def test_the_query_is_not_part_of_the_path_and_may_hold_anything() -> None:
    assert gateway_path("/museum/1.0.0?next=/../..//%2f?x") == "/museum/1.0.0"
    assert gateway_path("/museum/1.0.0?") == "/museum/1.0.0"


def test_a_path_that_is_too_long_is_refused() -> None:
    assert gateway_path("/" + "a" * (LONGEST_PATH - 1)) is not None
    assert gateway_path("/" + "a" * LONGEST_PATH) is None


@given(st.text(alphabet="/.%25eEfFcC;abAB01\\?#", max_size=24).map(lambda text: "/" + text))
def test_an_accepted_path_has_no_segment_that_decoding_turns_into_dots_or_slashes(raw: str) -> None:
    from urllib.parse import unquote

    path = gateway_path(raw)
    if path is None:
        return
    assert gateway_path(path) == path
    for written in path.split("/")[1:]:
        segment = written
        for _ in range(8):
            assert segment.partition(";")[0] not in {".", ".."}
            assert "\\" not in segment
            assert "/" not in segment
            segment = unquote(segment)


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("/museum/1.0.0", ""),
        ("/museum/1.0.0/", "/"),
        ("/museum/1.0.0/hours", "/hours"),
        ("/museum/1.0.0x", None),
        ("/museum/1.0", None),
        ("/Museum/1.0.0", None),
        ("/museum/1.0.0;v=1", None),
    ],
)
def test_a_prefix_ends_where_a_segment_ends(path: str, rest: str | None) -> None:
    assert match_prefix(path, "/museum/1.0.0") == rest


def test_the_prefix_with_the_most_segments_wins() -> None:
    table = PrefixTable([("/a/1", "short"), ("/a/1/2", "long"), ("/b/c/d/1", "deep"), ("/b/c", "shallow")])
    assert table.find("/a/1/2/x") == ("long", "/x")
    assert table.find("/a/1/2") == ("long", "")
    assert table.find("/a/1/2x") == ("short", "/2x")
    assert table.find("/a/1/") == ("short", "/")
    assert table.find("/b/c/d/1x/y") == ("shallow", "/d/1x/y")
    assert table.find("/b/c/d/1/y") == ("deep", "/y")
    assert table.find("/a") is None
    assert table.find("/") is None
    assert sorted(table) == ["/a/1", "/a/1/2", "/b/c", "/b/c/d/1"]


def test_an_empty_table_finds_nothing() -> None:
    table: PrefixTable[int] = PrefixTable([])
    assert table.find("/a/1") is None
    assert len(table) == 0


@pytest.mark.parametrize("prefixes", [["/a/1", "/a/1"], ["a/1"], ["/a/1/"], [""]])
def test_a_table_refuses_prefixes_that_are_ambiguous(prefixes: list[str]) -> None:
    with pytest.raises(ValueError, match="prefix"):
        PrefixTable((prefix, index) for index, prefix in enumerate(prefixes))


_SEGMENTS = st.lists(st.sampled_from(["a", "b", "1", "1.0", "ab"]), min_size=1, max_size=5)


@given(prefixes=st.sets(_SEGMENTS.map(lambda parts: "/" + "/".join(parts)), max_size=8), segments=_SEGMENTS)
def test_the_table_finds_what_comparing_with_every_prefix_finds(prefixes: set[str], segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    matching = [prefix for prefix in prefixes if match_prefix(path, prefix) is not None]
    longest = max(matching, key=lambda prefix: prefix.count("/"), default=None)
    found = PrefixTable((prefix, prefix) for prefix in prefixes).find(path)
    assert (found and found[0]) == longest
