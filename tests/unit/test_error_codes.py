"""Every code that a program can meet is explained in the documentation."""

import importlib
import pkgutil
import re
from pathlib import Path

import accounts.rest
import common
import keymanager.adapters.rfc
import keymanager.front_door
from common.errors import ArchwayError, ConfigurationError
from tests.settings import BASE_DIR

PAGE = Path(BASE_DIR) / "docs" / "reference" / "errors.md"
# What the REST framework itself answers, in the same form.
FRAMEWORK = {
    *("not_authenticated", "authentication_failed", "method_not_allowed", "not_acceptable"),
    *("unsupported_media_type", "throttled"),
}


def _subclasses(cls: type[ArchwayError]) -> set[type[ArchwayError]]:
    return {cls, *(found for child in cls.__subclasses__() for found in _subclasses(child))}


def test_every_error_code_is_in_the_reference_with_its_status() -> None:
    for package in (common, accounts.rest, keymanager.adapters.rfc, keymanager.front_door):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", PAGE.read_text(), re.MULTILINE))
    for error in _subclasses(ArchwayError):
        if error.__module__.startswith("tests."):
            continue
        assert error.code in rows, error
        if "code" in vars(error):
            # One that takes its parent's code may have a status of its own at the OAuth endpoints.
            assert rows[error.code] == str(error.status), error
    assert ConfigurationError.code in rows
    assert rows.keys() >= FRAMEWORK
