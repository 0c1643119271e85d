"""Text to document: syntax, limits and what is refused before any validation."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InputError
from publisher.definitions import MAX_BYTES, parse_definition
from publisher.definitions.text import read_text


def refusal(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse_definition(text)
    assert list(caught.value.fields) == ["definition"]
    return "\n".join(caught.value.fields["definition"])


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ('{\n "a": 1,\n "b" 2}', "line 3, column 6", "delimiter"),
        ("a: 1\n  b: 2\n", "line 2, column 4", "mapping values are not allowed"),
        ("a: [1,\n", "line 2, column 1", "flow"),
        ("a:\n\tb: 1\n", "line 2, column 1", "cannot start any token"),
        ("a: \x01", "line 1, column 4", "control characters"),
        (b"a: b\nc: \xff", "line 2, column 4", "not UTF-8"),
        ("a: b\nc: \ud800", "line 2, column 4", "Unicode"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1", "more than one document"),
        ("? [a]\n: b\n", "line 1, column 3", "key must be text"),
        ("a: !!python/object:os.system x", "line 1, column 4", "tag"),
        ("a: !mine [x]", "line 1, column 4", "tag"),
        ("a: &a x\n*a : 1\n", "line 2, column 1", "an alias cannot be a key"),
        ("a: *b\n", "line 1, column 4", "no anchor"),
        ("a: {<<: 3}\n", "line 1, column 9", "merge"),
    ],
)
def test_a_syntax_error_says_line_column_and_reason(text: str | bytes, where: str, why: str) -> None:
    message = refusal(text)
    assert message.startswith(where)
    assert why in message


@pytest.mark.parametrize("text", ["", "# nothing\n", "[1, 2]", "hello", "<html></html>", "null", "{}x"])
def test_text_that_is_no_mapping_is_refused(text: str) -> None:
    assert "line 1" in refusal(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{\n "a": {"x": 1},\n "b": {"c": 1,\n  "c": 2}}', "line 4, column 3: the key 'c'"),
        ('{"a": 1,\n"\\u0061": 2}', "line 2, column 1: the key 'a'"),
        ('{"a": [{}, {"b": 1,\n "b": 2}]}', "line 2, column 2: the key 'b'"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, column 3: the key 'c'"),
        ("200: 1\n'200': 2\n", "line 2, column 1: the key '200'"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(text: str, where: str) -> None:
    assert refusal(text) == f"{where} is there twice"


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12))
    started = time.perf_counter()
    assert "too many values" in refusal(bomb)
    assert time.perf_counter() - started < 5


def test_a_long_text_repeated_by_aliases_is_refused() -> None:
    assert "too many values" in refusal(f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 1000)}]\n")


def test_a_mapping_bomb_of_merge_keys_is_refused() -> None:
    bomb = "a0: &a0 {" + ", ".join(f"k{n}: x" for n in range(50)) + "}\n"
    bomb += "".join(f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 20)}]}}\n" for n in range(12))
    assert "too many values" in refusal(bomb)


def test_an_alias_that_contains_itself_is_refused() -> None:
    assert refusal("a: &a [*a]\n") == "line 1, column 8: the alias 'a' contains itself"


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' + "[" * 200 + "]" * 200 + "}",
        '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
        "a: " + "[" * 200 + "]" * 200,
        "- " * 100_000,
        "a: &a " + "[" * 90 + "]" * 90 + "\nb: " + "[" * 50 + "*a" + "]" * 50,
    ],
)
def test_values_nested_too_deep_are_refused(text: str) -> None:
    assert "nested more than 100 deep" in refusal(text)


def test_a_document_with_too_many_values_is_refused() -> None:
    assert "too many values" in refusal('{"a":[' + "1," * 1_000_000 + "1]}")


def test_text_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    assert refusal("#" * (MAX_BYTES + 1)) == "The definition is larger than 5 MB."
    assert refusal(b"#" * (MAX_BYTES + 1)) == "The definition is larger than 5 MB."
    assert refusal("é" * (MAX_BYTES // 2 + 1)) == "The definition is larger than 5 MB."


@pytest.mark.parametrize(
    "text",
    ['{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"\\ud800": 1}', '{"a": 1e999}', 'a: "\\0"', '"\\0": a', "a: 1e999"],
)
def test_values_that_a_database_cannot_keep_are_refused(text: str) -> None:
    assert "line 1" in refusal(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1" * 5000])
def test_numbers_outside_json_are_refused(number: str) -> None:
    assert "a number" in refusal('{"a": ' + number + "}")


def test_yaml_is_read_by_the_core_schema_of_yaml_1_2() -> None:
    text = "no: [no, yes, on, 2024-01-01, 012, 0x1F, 0o17, 1.5, true, ~, '1', 1:30, .inf]\n200: ok\ntrue: also text\n"
    assert read_text(text).document == {
        "no": ["no", "yes", "on", "2024-01-01", 12, 31, 15, 1.5, True, None, "1", "1:30", ".inf"],
        "200": "ok",
        "true": "also text",
    }


def test_aliases_and_merge_keys_are_expanded_into_copies() -> None:
    document = read_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{x: 5}, *a]}\n'<<': kept\n").document
    assert document == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
        "d": {"x": 5, "y": 2},
        "<<": "kept",
    }
    assert document["a"] is not document["c"]


def test_yaml_may_begin_with_a_brace_and_json_with_a_byte_order_mark() -> None:
    assert read_text("{a: 1,\n b: [x]}").document == {"a": 1, "b": ["x"]}
    assert read_text(b'\xef\xbb\xbf{"a": 1}').document == {"a": 1}


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abcde"), JSON_VALUES, max_size=4), st.sampled_from([None, 1, 3]))
@settings(max_examples=150, deadline=None)
def test_json_text_is_read_as_what_it_says_and_every_value_has_its_line(value: dict[str, object], indent: int) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=True)
    parsed = read_text(text)
    assert parsed.document == value
    lines = text.split("\n")
    for key, member in value.items():
        assert json.dumps(key) + ":" in lines[parsed.line_of((key,)) - 1]
        for position in range(len(member)) if isinstance(member, list) else ():
            assert parsed.line_of((key, position)) >= parsed.line_of((key,))


@given(st.text(max_size=60) | st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_in_words(text: str | bytes) -> None:
    try:
        document = read_text(text).document
    except InputError as error:
        assert error.fields["definition"]  # noqa: PT017 -- both outcomes are right
    else:
        json.dumps(document, allow_nan=False).encode()


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%@#, \n<0x1.e~\\u\t", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_heap_of_yaml_signs_is_read_or_refused_in_words(text: str) -> None:
    try:
        json.dumps(read_text(text).document, allow_nan=False).encode()
    except InputError as error:
        assert error.fields["definition"]  # noqa: PT017 -- both outcomes are right
