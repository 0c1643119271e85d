from pathlib import Path

import pytest

from common.errors import ConfigurationError
from common.secretbox import (
    SecretBox,
    SecretKey,
    SecretUnreadable,
    format_keys,
    generate_key,
    parse_keys,
    read_key_file,
    write_key_file,
)

OLD, NEW = generate_key("old"), generate_key("new")
CONTEXT = "credential.client_secret:1"


def test_a_secret_comes_back() -> None:
    box = SecretBox([NEW])
    assert box.decrypt(box.encrypt("pässword", context=CONTEXT), context=CONTEXT) == "pässword"


def test_the_stored_value_names_algorithm_and_key_and_hides_the_secret() -> None:
    stored = SecretBox([NEW, OLD]).encrypt("hidden", context=CONTEXT)
    assert stored.startswith("v1.aesgcm.new.")
    assert "hidden" not in stored


def test_the_same_secret_is_stored_differently_each_time() -> None:
    box = SecretBox([NEW])
    assert box.encrypt("a", context=CONTEXT) != box.encrypt("a", context=CONTEXT)


def test_a_stored_value_does_not_open_in_another_row() -> None:
    box = SecretBox([NEW])
    with pytest.raises(SecretUnreadable):
        box.decrypt(box.encrypt("a", context=CONTEXT), context="credential.client_secret:2")


def test_a_changed_value_does_not_open() -> None:
    box = SecretBox([NEW])
    stored = box.encrypt("abc", context=CONTEXT)
    changed = stored[:-6] + ("A" if stored[-6] != "A" else "B") + stored[-5:]
    with pytest.raises(SecretUnreadable):
        box.decrypt(changed, context=CONTEXT)


def test_an_old_key_still_opens_and_asks_for_rotation() -> None:
    stored = SecretBox([OLD]).encrypt("a", context=CONTEXT)
    both = SecretBox([NEW, OLD])
    assert both.decrypt(stored, context=CONTEXT) == "a"
    assert both.needs_rotation(stored)
    assert not both.needs_rotation(both.encrypt("a", context=CONTEXT))


def test_a_missing_key_is_named_and_the_value_is_not_quoted() -> None:
    stored = SecretBox([OLD]).encrypt("a", context=CONTEXT)
    with pytest.raises(SecretUnreadable, match="old") as caught:
        SecretBox([NEW]).decrypt(stored, context=CONTEXT)
    assert stored.rsplit(".", 1)[1] not in str(caught.value)


@pytest.mark.parametrize(
    "stored", ["", "plain", "v2.aesgcm.new.AA", "v1.aesgcm.new", "v1.aesgcm.new.!!", "v1.aesgcm.new.AA"]
)
def test_something_that_is_no_stored_value_is_unreadable(stored: str) -> None:
    with pytest.raises(SecretUnreadable):
        SecretBox([NEW]).decrypt(stored, context=CONTEXT)


def test_keys_do_not_show_in_texts() -> None:
    shown = repr(NEW) + repr(SecretBox([NEW]))
    assert repr(NEW.key) not in shown
    assert "new" in shown


def test_a_key_file_is_read_back_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, [OLD])
    write_key_file(path, [NEW, OLD])
    assert read_key_file(path) == (NEW, OLD)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["keys"]


def test_comments_and_empty_lines_are_skipped() -> None:
    assert parse_keys(f"# keys\n\n{format_keys([NEW])}") == (NEW,)


@pytest.mark.parametrize("text", ["", "onlyone", "id not-base64!", "id AAAA", "bad.id AAAA", "a b c"])
def test_a_malformed_key_file_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_keys(text)


def test_a_missing_key_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key_file(tmp_path / "none")


def test_two_keys_with_one_id_are_refused() -> None:
    with pytest.raises(ConfigurationError):
        SecretBox([NEW, SecretKey(key_id="new", key=OLD.key)])
    with pytest.raises(ConfigurationError):
        SecretBox([])


def test_generated_keys_differ() -> None:
    assert generate_key() != generate_key()
