"""The reference reads every real document, of each OpenAPI version, and never follows a loop."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.markdown import markdown_html
from store.reference.lookup import resolved
from store.reference.model import OperationReference, SchemaRow
from store.reference.reading import read_operation
from store.reference.samples import samples_of

SHARED = Path(os.environ.get("ARCHWAY_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FOLDER = SHARED / "data" / "openapi"
DOCUMENTS = ["adyen-checkout-v71.json", "twilio-conversations-v1.json", "uber-v2.json", "museum.yaml", "uspto.yaml"]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


def document(name: str) -> dict[str, Any]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text) if name.endswith("json") else yaml.safe_load(text)
    return loaded


def operation(schema: dict[str, Any], **components: Any) -> OperationReference:
    content = {"content": {"application/json": {"schema": schema}}}
    read = read_operation(
        {
            "openapi": "3.1.0",
            "paths": {"/x": {"post": {"requestBody": content, "responses": {}}}},
            "components": {"schemas": components},
        },
        method="POST",
        path="/x",
    )
    assert read is not None
    return read


def body(schema: dict[str, Any], **components: Any) -> SchemaRow:
    return operation(schema, **components).request_bodies[0].row


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no documents at {FOLDER}: set ARCHWAY_SHARED to their folder")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_of_a_real_document_is_read_with_its_answers(name: str) -> None:
    whole = document(name)
    for path, item in whole["paths"].items():
        for method in METHODS & set(item):
            read = read_operation(whole, method=method, path=path)
            assert read is not None
            assert {answer.status for answer in read.answers} == {str(status) for status in item[method]["responses"]}
            given = [
                resolved(whole, entry)[0]
                for entry in [*item.get("parameters", []), *item[method].get("parameters", [])]
            ]
            shown = {(entry["name"], entry["in"]) for entry in given if entry["in"] not in {"body", "formData"}}
            assert {(parameter.name, parameter.where) for parameter in read.parameters} == shown
            assert [sample.label for sample in samples_of(read, base_url="https://x.example", token=True)] == [
                "curl", "Python", "JS", "Java", "Go",
            ]  # fmt: skip


def test_a_schema_that_contains_itself_ends() -> None:
    row = body(
        {"$ref": "#/components/schemas/Node"},
        Node={"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
    )
    assert row.rows[0].type == "Node"
    assert row.rows[0].more
    assert not row.rows[0].rows


def test_references_that_point_at_each_other_are_an_empty_schema() -> None:
    row = body(
        {"$ref": "#/components/schemas/A"},
        A={"$ref": "#/components/schemas/B"},
        B={"$ref": "#/components/schemas/A"},
    )
    assert row.type == "any"


def test_parts_of_all_of_are_one_object() -> None:
    row = body(
        {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"properties": {"name": {"type": "string"}}, "required": ["id"]},
            ]
        },
        Base={"type": "object", "properties": {"id": {"type": "integer"}}},
    )
    assert [(item.name, item.required) for item in row.rows] == [("id", True), ("name", False)]


def test_alternatives_are_shown_as_alternatives_and_null_as_a_word() -> None:
    row = body({"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"type": "string"}]}, Cat={"type": "object"})
    assert row.choices == "one of"
    assert [item.name for item in row.rows] == ["Cat", "option 2"]
    assert body({"type": ["string", "null"]}).type == "string, may be null"
    assert body({"anyOf": [{"type": "integer"}, {"type": "null"}]}).type == "integer, may be null"


def test_a_wide_schema_is_cut_and_says_so() -> None:
    row = body({"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(1000)}})
    assert len(row.rows) < 1000
    assert row.more


def test_markdown_lets_nothing_active_through() -> None:
    html = markdown_html("<script>x</script> [a](javascript:x) ![b](https://x.example/b.png)\n\n|a|\n|:-:|\n|1|")
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert "style=" not in html
