"""Which languages an installation has."""

from pathlib import Path

from portal.environment import shipped_languages


def test_without_catalogues_there_is_english(tmp_path: Path) -> None:
    assert shipped_languages(tmp_path / "locale") == [("en", "English")]


def test_a_compiled_catalogue_adds_its_language_under_its_own_name(tmp_path: Path) -> None:
    for name, file in (("nl", "django.mo"), ("pt_BR", "django.mo"), ("de", "django.po")):
        folder = tmp_path / name / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / file).touch()
    assert shipped_languages(tmp_path) == [("en", "English"), ("nl", "Nederlands"), ("pt-br", "Português Brasileiro")]
