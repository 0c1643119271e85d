"""A registered adapter without a conformance class fails here."""

import importlib
import pkgutil

import tests.conformance
from keymanager.adapters.registry import SHIPPED
from keymanager.adapters.token_rules import TokenRules
from tests.conformance.suite import AdapterConformance


def slugs_under_test(base: type[AdapterConformance] = AdapterConformance) -> set[str]:
    """Slugs of all classes that pytest would collect."""
    found: set[str] = set()
    for subclass in base.__subclasses__():
        if subclass.__name__.startswith("Test"):
            found.add(subclass.slug)
        found |= slugs_under_test(subclass)
    return found


def test_every_registered_adapter_has_a_conformance_class() -> None:
    for module in pkgutil.iter_modules(tests.conformance.__path__):
        if module.name.startswith("test_"):
            importlib.import_module(f"tests.conformance.{module.name}")
    assert slugs_under_test() == set(SHIPPED)


def test_every_adapter_has_the_settings_that_say_which_tokens_are_believed() -> None:
    assert [slug for slug, adapter in SHIPPED.items() if not issubclass(adapter.Config, TokenRules)] == []


def test_an_adapter_is_registered_under_its_own_slug() -> None:
    assert all(adapter.slug == slug for slug, adapter in SHIPPED.items())
