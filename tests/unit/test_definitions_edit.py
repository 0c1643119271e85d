"""One operation of a stored document is changed; everything else stays as it was written."""

import json
from typing import Any

import pytest

from common.errors import InputError, RuleError
from publisher.definitions import OperationEdit, parse_definition, with_operation, without_operation
from publisher.definitions.model import OperationSpec

ANSWERS = {"responses": {"200": {"description": "ok"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Museum", "version": "1"},
    "paths": {"/hours": {"get": {"operationId": "hours", "x-kept": 1, "summary": "old", **ANSWERS}}},
}
OLD: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Museum", "version": "1"},
    "paths": {"/hours": {"get": dict(ANSWERS)}},
}


def only(document: dict[str, Any], path: str = "/hours") -> OperationSpec:
    """The operation at ``path`` of the document, which must be valid."""
    (found,) = [one for one in parse_definition(json.dumps(document)).operations if one.path == path]
    return found


@pytest.mark.parametrize("document", [DOCUMENT, OLD])
def test_a_token_with_one_of_the_scopes_is_enough(document: dict[str, Any]) -> None:
    edit = OperationEdit(summary="", description="", scopes=("b:read", "a:read"))
    changed = with_operation(document, method="GET", path="/hours", edit=edit)
    assert only(changed).scopes == ("a:read", "b:read")
    declared = parse_definition(json.dumps(changed))
    assert sorted(scope.key for scope in declared.scopes) == ["a:read", "b:read"]
    assert not [finding for finding in declared.findings if "no security scheme declares" in finding.message]


@pytest.mark.parametrize(("public", "auth"), [(True, "none"), (False, "required")])
def test_without_scopes_it_is_public_or_for_any_subscriber(public: bool, auth: str) -> None:
    edit = OperationEdit(summary="", description="", public=public)
    assert only(with_operation(DOCUMENT, method="GET", path="/hours", edit=edit)).auth == auth


def test_what_the_form_does_not_know_stays_and_an_empty_summary_goes() -> None:
    before = json.dumps(DOCUMENT)
    changed = with_operation(
        DOCUMENT, method="GET", path="/hours", edit=OperationEdit(summary="", description="**Open**")
    )
    operation = changed["paths"]["/hours"]["get"]
    assert (operation["operationId"], operation["x-kept"], operation["description"]) == ("hours", 1, "**Open**")
    assert "summary" not in operation
    assert json.dumps(DOCUMENT) == before


def test_a_declared_scope_keeps_its_description() -> None:
    flows = {"clientCredentials": {"tokenUrl": "https://a.example/t", "scopes": {"a:read": "Read"}}}
    schemes = {"sso": {"type": "oauth2", "flows": flows}}
    document = {**DOCUMENT, "components": {"securitySchemes": schemes}}
    edit = OperationEdit(summary="", description="", scopes=("a:read", "b:read"))
    changed = with_operation(document, method="GET", path="/hours", edit=edit)
    assert changed["components"]["securitySchemes"]["sso"]["flows"]["clientCredentials"]["scopes"] == {
        "a:read": "Read",
        "b:read": "",
    }


def test_a_new_operation_declares_its_path_parameters() -> None:
    edit = OperationEdit(summary="One room", description="")
    changed = with_operation(DOCUMENT, method="GET", path="/rooms/{room}", edit=edit)
    assert only(changed, "/rooms/{room}").summary == "One room"
    assert only(changed).summary == "old"


@pytest.mark.parametrize(
    ("method", "path", "scopes", "field"),
    [("GET", "rooms", (), "path"), ("FETCH", "/rooms", (), "method"), ("GET", "/rooms", ("two words",), "scopes")],
)
def test_what_is_wrong_is_named(method: str, path: str, scopes: tuple[str, ...], field: str) -> None:
    edit = OperationEdit(summary="", description="", scopes=scopes)
    with pytest.raises(InputError) as refused:
        with_operation(DOCUMENT, method=method, path=path, edit=edit)
    assert field in refused.value.fields


def test_the_last_method_of_a_path_takes_the_path_with_it() -> None:
    assert without_operation(DOCUMENT, method="GET", path="/hours")["paths"] == {}


def test_an_operation_behind_a_reference_is_left_alone() -> None:
    document = {**DOCUMENT, "paths": {"/hours": {"$ref": "#/x-items/hours"}}, "x-items": {"hours": {"get": ANSWERS}}}
    with pytest.raises(RuleError, match="reference"):
        with_operation(document, method="GET", path="/hours", edit=OperationEdit(summary="", description=""))
    with pytest.raises(RuleError, match="reference"):
        without_operation(document, method="GET", path="/hours")
