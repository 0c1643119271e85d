"""A registered adapter without a conformance class fails here."""

import importlib
import pkgutil
from typing import Any

import tests.conformance
from keymanager.adapters.proofs import PROOFS, ProvenOn
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


def test_an_adapter_that_is_said_to_be_proven_on_a_real_server_has_a_class_on_one() -> None:
    slugs_under_test()
    real = {slug for slug, proof in PROOFS.items() if proof.on == ProvenOn.REAL and "/" not in slug}
    # The one inside is real in every run.
    assert real - {"resident"} <= slugs_on_real_servers()


def slugs_on_real_servers(base: type[AdapterConformance] = AdapterConformance) -> set[str]:
    """Slugs of the classes that run only where real servers are installed."""
    found: set[str] = set()
    for subclass in base.__subclasses__():
        module = importlib.import_module(subclass.__module__)
        marks = [*getattr(subclass, "pytestmark", []), *_listed(getattr(module, "pytestmark", []))]
        if any(mark.name == "servers" for mark in marks):
            found.add(subclass.slug)
        found |= slugs_on_real_servers(subclass)
    return found


def _listed(marks: Any) -> list[Any]:
    return marks if isinstance(marks, list) else [marks]


def test_an_adapter_is_registered_under_its_own_slug() -> None:
    assert all(adapter.slug == slug for slug, adapter in SHIPPED.items())
