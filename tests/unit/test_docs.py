"""What the docs claim of the code is compared with the code."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from gateway.envoy.local_replies import GATEWAY_CODES
from keymanager.adapters.contract import Capability
from keymanager.adapters.proofs import PROOFS
from keymanager.adapters.registry import SHIPPED
from keymanager.registrations.states import MOVES, WORKABLE, RegistrationState
from keymanager.services.support_matrix import (
    WORDS,
    presets_table,
    reference_table,
    settings_table,
    support_matrix,
    variants,
)
from portal.runner.first_calls import first_calls
from portal.runner.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])
PARTS = (
    "portal",
    "publisher",
    "store",
    "administration",
    "gateway",
    "keymanager",
    "subscriptions",
    "accounts",
    "common",
)
VARIABLE = re.compile(r"ARCHWAY_[A-Z0-9_]*[A-Z0-9]")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
LEFT_OUT_OF_ANCHORS = re.compile(r"[^\w\- ]")


def page(name: str) -> str:
    """The text of one page."""
    return (DOCS / name).read_text(encoding="utf-8")


def table_rows(text: str, first_cell: str) -> Iterator[list[str]]:
    """The cells of every table row whose first cell matches."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(first_cell, cells[0]):
            yield cells


# --- key managers -----------------------------------------------------------------------------------------------------
def test_the_support_matrix_in_the_docs_is_the_one_that_the_code_prints() -> None:
    assert support_matrix() in page("key-managers/README.md")


@pytest.mark.parametrize("adapter", sorted(SHIPPED))
def test_every_setting_of_an_adapter_is_in_its_page(adapter: str) -> None:
    assert settings_table(adapter) in page(f"key-managers/{adapter}.md")


def test_the_presets_in_the_docs_are_those_of_the_code() -> None:
    assert presets_table() in page("key-managers/rfc.md")


def test_the_page_about_identity_providers_is_the_one_that_the_code_prints() -> None:
    assert reference_table() in page("reference/identity-providers.md")


def test_every_adapter_and_preset_has_its_proof_and_no_other_has() -> None:
    assert {variant.key for variant in variants()} == set(PROOFS)


def test_every_capability_has_words_for_people() -> None:
    assert set(WORDS) == set(Capability)


# --- registrations ----------------------------------------------------------------------------------------------------
def test_the_docs_have_every_state_of_a_registration_with_its_moves_and_whether_the_worker_acts() -> None:
    known = "|".join(state.value for state in RegistrationState)
    found = {
        cells[0].strip("`"): (cells[2] == "yes", set(re.findall(r"`(\w+)`", cells[3])))
        for cells in table_rows(page("registrations.md"), f"`({known})`")
    }
    assert found == {state.value: (state in WORKABLE, {new.value for new in MOVES[state]}) for state in MOVES}
    assert set(MOVES) == set(RegistrationState)


# --- settings ---------------------------------------------------------------------------------------------------------
@cache
def variables_read_by_the_code() -> set[str]:
    """Every text of the sources that is the name of an environment variable of ours."""
    found: set[str] = set()
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value):
                    found.add(node.value)
    return found


def test_every_environment_variable_of_the_code_is_a_row_of_the_settings_page_and_no_other_is() -> None:
    documented = {cells[0].strip("`") for cells in table_rows(page("reference/settings.md"), f"`{VARIABLE.pattern}`")}
    assert documented == variables_read_by_the_code()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_names_only_environment_variables_that_exist(path: Path) -> None:
    assert set(VARIABLE.findall(path.read_text(encoding="utf-8"))) <= variables_read_by_the_code()


# --- secrets ----------------------------------------------------------------------------------------------------------
def test_every_sealed_or_hashed_column_is_in_the_page_about_secrets() -> None:
    text = page("reference/secrets.md")
    columns = {
        f"`{model.__name__}.{column.name}`"
        for label in ("accounts", "keymanager", "subscriptions", "gateway")
        for model in apps.get_app_config(label).get_models()
        for column in model._meta.get_fields()
        if column.name.startswith("sealed_") or column.name.endswith("sha256")
    }
    assert len(columns) > 6
    assert {column for column in columns if column not in text} == set()


# --- gateway, operations, architecture --------------------------------------------------------------------------------
def test_every_answer_that_the_gateway_gives_by_itself_is_in_the_docs() -> None:
    found = {(int(cells[0]), cells[1].strip("`")) for cells in table_rows(page("reference/refusals.md"), r"\d{3}")}
    assert found == {(status, code) for status, code, _ in GATEWAY_CODES}


def test_every_command_of_ours_is_in_the_page_about_operations() -> None:
    ours = {command for command, app in get_commands().items() if app in PARTS}
    assert {command for command in ours if not re.search(rf"manage\.py {command}\b", page("operations.md"))} == set()


def test_the_layers_in_the_docs_are_those_that_are_checked() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    layers = next(rule for rule in tools["importlinter"]["contracts"] if rule["type"] == "layers")["layers"]
    known = "|".join(PARTS)
    rows = table_rows(page("architecture.md"), rf"`({known})`(, `({known})`)*")
    assert [re.findall(r"\w+", cells[0]) for cells in rows] == [re.findall(r"\w+", layer) for layer in layers]


# --- links ------------------------------------------------------------------------------------------------------------
def anchors(path: Path) -> set[str]:
    """Anchors of a page's headings, as common Markdown renderers make them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {LEFT_OUT_OF_ANCHORS.sub("", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    dead = []
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        found = (path.parent / target).resolve() if target else path
        if not found.exists() or (anchor and anchor not in anchors(found)):
            dead.append(link)
    assert dead == []


def test_every_page_about_key_managers_and_every_reference_page_is_in_the_index() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(page("README.md"))}
    pages = [path for folder in ("key-managers", "reference", "extending") for path in (DOCS / folder).glob("*.md")]
    assert [path for path in pages if path.resolve() not in listed] == []


# --- README -----------------------------------------------------------------------------------------------------------
def test_the_first_call_in_the_readme_is_the_one_that_the_demo_prints() -> None:
    layout = Layout(home=Path("any"), web_port=8000, gateway_port=8080, validator_port=8090, backend_port=8002)
    printed = [line.removeprefix("  ") for line in first_calls(layout).splitlines() if line.startswith("  ")]
    commands = [line for line in printed if not line.startswith("export ARCHWAY_HOME")]
    block = (ROOT / "README.md").read_text(encoding="utf-8").partition("```sh\nTOKEN=")[2].partition("```")[0]
    assert ("TOKEN=" + block).splitlines() == commands
