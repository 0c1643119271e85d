"""Definitions from operations given by hand."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InputError
from publisher.definitions import METHODS, HandOperation, ScopeSpec, operations_by_hand, parse_definition, path_shape


def by_hand(*operations: HandOperation) -> dict[str, list[str]]:
    with pytest.raises(InputError) as caught:
        operations_by_hand(operations, title="Pets", version="1")
    return caught.value.fields


def get(path: str) -> HandOperation:
    return HandOperation(method="GET", path=path)


def test_operations_by_hand_make_a_definition_with_its_scopes() -> None:
    definition = operations_by_hand(
        [
            HandOperation(method="get", path="/pets/{id}", scopes=("b", "a", "b"), summary="One pet"),
            HandOperation(method="GET", path="/open/*", auth="none"),
        ],
        title="Pets",
        version="2",
    )
    assert [(o.method, o.path, o.scopes, o.auth, o.summary) for o in definition.operations] == [
        ("GET", "/pets/{id}", ("a", "b"), "required", "One pet"),
        ("GET", "/open/*", (), "none", ""),
    ]
    assert definition.scopes == (ScopeSpec(key="a"), ScopeSpec(key="b"))
    assert (definition.title, definition.api_version, definition.version) == ("Pets", "2", "3.1.0")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("pets", "It must start with '/'."),
        ("", "It must start with '/'."),
        ("/a//b", "'//' is not allowed."),
        ("/a/../b", "'.' and '..' are not allowed."),
        ("/a/*/b", "'*' may only be the whole last segment."),
        ("/a/b*", "'*' may only be the whole last segment."),
        ("/a/{x}.json", "A parameter such as {id} must be a whole segment."),
        ("/a/{x", "A parameter such as {id} must be a whole segment."),
        ("/a/{}", "A parameter such as {id} must be a whole segment."),
        ("/{x}/{x}", "Each parameter needs a name of its own."),
        ("/a?b", "The segment 'a?b' has characters that a path cannot have, or percent-encoding."),
        ("/a%2Fb", "The segment 'a%2Fb' has characters that a path cannot have, or percent-encoding."),
        ("/a b", "The segment 'a b' has characters that a path cannot have, or percent-encoding."),
        ("/a\n", "The segment 'a\n' has characters that a path cannot have, or percent-encoding."),
        ("/..;a", "The gateway lets no call with such a path through."),
        ("/" + "a" * 500, "At most 500 characters."),
    ],
)
def test_a_wrong_path_is_refused_by_its_field(path: str, reason: str) -> None:
    assert by_hand(get("/ok"), get(path)) == {"operations[1].path": [reason]}


@pytest.mark.parametrize("path", ["/", "/*", "/a/", "/a/{x}/b/{y}", "/a/{x}/*", "/v1/pets:search", "/a.b-c_d~e"])
def test_these_paths_are_allowed(path: str) -> None:
    assert operations_by_hand([get(path)], title="Pets", version="1").operations[0].path == path


def test_the_same_method_and_path_shape_twice_is_refused() -> None:
    fields = by_hand(
        get("/a/{x}"), get("/a/{y}"), replace(get("/a/{z}"), method="PUT"), replace(get("/a/{x}"), method="get")
    )
    assert fields == {
        "operations[1].path": ["It fits the same requests as operations[0]."],
        "operations[3].path": ["It fits the same requests as operations[0]."],
    }


def test_every_wrong_field_is_named() -> None:
    wrong = HandOperation(method="FETCH", path="x", scopes=("ok", "a b"), auth="maybe", summary="a\nb")
    assert list(by_hand(wrong)) == [
        "operations[0].method",
        "operations[0].path",
        "operations[0].summary",
        "operations[0].auth",
        "operations[0].scopes[1]",
    ]
    assert list(by_hand(HandOperation(method="GET", path="/", scopes=("a",), auth="none"))) == ["operations[0].scopes"]
    assert list(by_hand()) == ["operations"]
    with pytest.raises(InputError, match="title"):
        operations_by_hand([get("/")], title="", version="1")


SEGMENTS = st.one_of(st.from_regex(r"[a-z0-9:@.~-]{1,6}", fullmatch=True), st.sampled_from(["{a}", "{b}", "{c_d}"]))
PATHS = st.builds(
    lambda segments, tail: "/" + "/".join(segments) + tail,
    st.lists(SEGMENTS, max_size=4),
    st.sampled_from(["", "/*", "/"]),
)
OPERATIONS = st.builds(
    lambda method, path, scopes, public, summary: HandOperation(
        method=method,
        path=path,
        scopes=() if public else scopes,
        auth="none" if public else "required",
        summary=summary,
    ),
    st.sampled_from(METHODS),
    PATHS,
    st.lists(st.sampled_from(["read", "write", "a:b", "https://x/y"]), max_size=3).map(tuple),
    st.booleans(),
    st.sampled_from(["", "All of them"]),
)


@given(st.lists(OPERATIONS, min_size=1, max_size=8, unique_by=lambda item: (item.method, path_shape(item.path))))
@settings(max_examples=80, deadline=None)
def test_what_is_made_by_hand_imports_as_the_same_operations(operations: list[HandOperation]) -> None:
    try:
        made = operations_by_hand(operations, title="Pets", version="1")
    except InputError as error:
        assert all(name.endswith(".path") for name in error.fields)  # noqa: PT017 -- some drawn paths are refused
        return
    imported = parse_definition(json.dumps(made.document))
    assert imported.operations == made.operations
    assert {scope.key for scope in imported.scopes} == {scope.key for scope in made.scopes}
    assert {(o.method, o.path) for o in made.operations} == {(o.method, o.path) for o in operations}
