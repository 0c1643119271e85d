import pytest

from common.errors import InputError
from common.scopes import check_scope, format_scope, is_scope, parse_scope


def test_a_scope_string_is_a_set() -> None:
    assert parse_scope("b a  b") == frozenset({"a", "b"})


def test_an_empty_scope_string_has_no_scope() -> None:
    assert parse_scope("") == frozenset()


def test_a_scope_string_is_written_sorted() -> None:
    assert format_scope({"museum:write", "museum:read"}) == "museum:read museum:write"


@pytest.mark.parametrize("key", ["", "a b", 'a"b', "a\\b", "ä", "a\n", "a\x7f"])
def test_a_key_with_a_forbidden_character_is_not_a_scope(key: str) -> None:
    assert not is_scope(key)
    with pytest.raises(InputError) as caught:
        check_scope(key, name="scopes")
    assert "scopes" in caught.value.fields


@pytest.mark.parametrize("text", ["a\tb", 'a "b"', "a\nb"])
def test_other_white_space_and_quotes_make_a_scope_string_invalid(text: str) -> None:
    with pytest.raises(InputError):
        parse_scope(text)


def test_every_other_printable_character_is_allowed() -> None:
    assert is_scope("https://api.example/read!#$%&'()*+,-./:;<=>?@[]^_`{|}~")
