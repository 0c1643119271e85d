"""Documents that are not OpenAPI are refused with line, JSON pointer and reason; nothing outside is ever opened."""

import copy
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import InputError
from publisher.definitions import Definition, parse_definition

OK = {"200": {"description": "ok"}}


def document(version: str = "3.0.3", **members: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "Pets", "version": "1"}, "paths": {}, **members}


def parse(content: dict[str, Any]) -> Definition:
    return parse_definition(json.dumps(content, indent=1))


def refusals(content: dict[str, Any] | str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_definition(content if isinstance(content, str) else json.dumps(content, indent=1))
    return caught.value.fields["definition"]


PETS = """\
openapi: 3.0.3
info:
  title: Pets
  version: 1.0.0
paths:
  /pets:
    get:
      summary: All pets
  /pets/{id}:
    get:
      responses:
        200: {description: ok}
"""


def test_a_missing_member_is_named_with_line_and_pointer() -> None:
    assert refusals(PETS) == ["line 7, /paths/~1pets/get/responses: is a required property"]


def test_what_a_schema_cannot_say_is_placed_too() -> None:
    text = PETS.replace("      summary: All pets\n", "      responses: {200: {description: ok}}\n")
    assert refusals(text) == [
        "line 10, /paths/~1pets~1{id}/get: Path parameter 'id' for 'get' operation in '/pets/{id}' was not resolved"
    ]


def test_each_mistake_has_a_message_in_the_order_of_the_lines() -> None:
    text = PETS.replace("version: 1.0.0", "version: 1.0").replace("200:", "299x:")
    messages = refusals(text)
    assert [message.split(":")[0] for message in messages] == [
        "line 4, /info/version",
        "line 7, /paths/~1pets/get/responses",
        "line 11, /paths/~1pets~1{id}/get/responses",
    ]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_the_alternative_that_was_meant_is_the_one_that_is_explained(version: str) -> None:
    content = document(version, paths={"/p": {"get": {"responses": {"200": {}}}}})
    assert refusals(content) == ["line 11, /paths/~1p/get/responses/200/description: is a required property"]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_wrong_schema_is_found_where_it_is_written_not_where_it_is_used(version: str) -> None:
    media = {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}
    content = document(
        version,
        paths={"/p": {"get": {"responses": {"200": {"description": "", "content": media}}}}},
        components={"schemas": {"Pet": {"properties": {"age": {"type": "number", "default": "x"}}}}},
    )
    (message,) = refusals(content)
    assert "/components/schemas/Pet/properties/age: 'x' is not of type 'number'" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("info: {}", "line 1, /: exactly one of 'openapi' (3.x) and 'swagger' (2.0) is needed, neither is there"),
        (
            "openapi: 3.0.0\nswagger: '2.0'",
            "line 1, /: exactly one of 'openapi' (3.x) and 'swagger' (2.0) is needed, both are there",
        ),
        ("openapi: 3.1", "line 1, /openapi: the version must be text: write it in quotes"),
        ("swagger: 2.0", "line 1, /swagger: the version must be text: write it in quotes"),
        ("a: 1\nopenapi: 3.2.0", "line 2, /openapi: version '3.2.0' is not supported"),
        ("openapi: 4.0.0", "line 1, /openapi: version '4.0.0' is not supported"),
        ("openapi: '2.0'", "line 1, /openapi: version '2.0' is not supported"),
        ("openapi: 3.0.0evil", "line 1, /openapi: version '3.0.0evil' is not supported"),
        ("swagger: '1.2'", "line 1, /swagger: version '1.2' is not supported; 2.0, 3.0.x and 3.1.x are supported"),
    ],
)
def test_an_unknown_version_is_refused_and_the_known_ones_are_named(text: str, message: str) -> None:
    (found,) = refusals(text)
    assert found.startswith(message)


@pytest.fixture
def reachable() -> Any:
    """A port that would take a connection; nobody may make one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize(
    "where",
    [
        lambda ref: document(paths={"/p": {"$ref": ref}}),
        lambda ref: document(paths={"/p": {"get": {"responses": {"200": {"$ref": ref}}}}}),
        lambda ref: document(components={"schemas": {"A": {"$ref": ref}}}),
        lambda ref: document("3.1.0", components={"schemas": {"A": {"properties": {"default": {"$ref": ref}}}}}),
        lambda ref: document("3.1.0", components={"schemas": {"A": {"$dynamicRef": ref, "default": 1}}}),
        lambda ref: document("3.1.0", webhooks={"w": {"$ref": ref}}),
        lambda ref: {**document(), "openapi": "3.0.0", "components": {"examples": {"value": {"$ref": ref}}}},
    ],
)
def test_a_reference_out_of_the_document_is_refused_and_never_opened(
    where: Callable[[str], dict[str, Any]], reachable: socket.socket
) -> None:
    port = reachable.getsockname()[1]
    for reference in (f"http://127.0.0.1:{port}/pets.json#/a", "file:///etc/passwd", "pets.yaml#/a", "//host/a"):
        (message,) = refusals(where(reference))
        assert f"'{reference}' leaves the document" in message
    with pytest.raises(BlockingIOError):
        reachable.accept()


@pytest.mark.parametrize("keyword", ["$id", "$schema", "jsonSchemaDialect"])
def test_identifiers_of_schemas_are_never_opened(keyword: str, reachable: socket.socket) -> None:
    url = f"http://127.0.0.1:{reachable.getsockname()[1]}/x"
    schema = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/B"}}, "default": {"a": "x"}}
    content = document("3.1.0", components={"schemas": {"A": schema, "B": {"type": "string"}}})
    (content if keyword == "jsonSchemaDialect" else schema)[keyword] = url
    try:
        parse(content)
    except InputError as error:
        assert "Unknown JSON Schema dialect" in error.message or "leads to nothing, or out" in error.message  # noqa: PT017
    with pytest.raises(BlockingIOError):
        reachable.accept()


def test_a_reference_out_of_an_extension_that_is_used_is_refused_and_never_opened(reachable: socket.socket) -> None:
    url = f"http://127.0.0.1:{reachable.getsockname()[1]}/x"
    content = document(paths={"/p": {"$ref": "#/x-items/a"}})
    content["x-items"] = {"a": {"get": {"responses": {"200": {"$ref": url}}}}}
    (message,) = refusals(content)
    assert message == f"line 1, /: the reference '{url}' leads to nothing, or out of the document"
    with pytest.raises(BlockingIOError):
        reachable.accept()


def test_a_reference_to_an_extension_that_is_no_path_item_has_no_operations() -> None:
    content = document(paths={"/p": {"$ref": "#/x-items/a"}})
    targets: list[Any] = [{"$ref": 3}, [], "x", None]
    for target in targets:
        content["x-items"] = {"a": target}
        try:
            assert parse(content).operations == ()
        except InputError as error:
            assert error.message.startswith("definition: line ")  # noqa: PT017


def test_a_reference_in_an_example_is_data() -> None:
    media = {"a/b": {"example": {"$ref": "http://127.0.0.1:1/"}}}
    assert parse(document(paths={"/p": {"get": {"responses": {"200": {"description": "", "content": media}}}}}))


def test_a_reference_to_nothing_and_a_circle_of_references_are_refused() -> None:
    schemas = {"A": {"$ref": "#/components/schemas/None"}, "B": {"$ref": "#/components/schemas/C"}}
    schemas["C"] = {"$ref": "#/components/schemas/B"}
    messages = refusals(document(components={"schemas": schemas}))
    assert [message.split(": ", 1)[1] for message in messages] == [
        "the reference '#/components/schemas/None' leads to nothing: there is no /components/schemas/None",
        "the reference '#/components/schemas/C' leads round in a circle",
        "the reference '#/components/schemas/B' leads round in a circle",
    ]


def test_schemas_that_contain_themselves_are_valid() -> None:
    tree = {"type": "array", "items": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Tree"}]}}
    schemas = {"Tree": tree, "Named": {"allOf": [{"$ref": "#/components/schemas/Tree"}]}}
    assert parse(document(components={"schemas": schemas}))


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("keyword", ["not", "properties", "allOf", "items"])
def test_schemas_nested_too_deep_are_refused_and_not_a_crash(version: str, keyword: str) -> None:
    def nested(depth: int) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string"}
        for _ in range(depth):
            schema = {keyword: {"properties": {"a": schema}, "allOf": [schema]}.get(keyword, schema)}
            schema["type"] = "array" if keyword == "items" else "object"
        return document(version, components={"schemas": {"A": schema}})

    assert parse(nested(12))
    for depth in (24, 45, 90):
        try:
            parse(nested(depth))
        except InputError as error:
            assert "nested" in error.message  # noqa: PT017 -- how deep is too deep is not promised


def test_patterns_of_the_document_are_never_run() -> None:
    hostile = {"type": "string", "pattern": "^(a+)+$", "default": "a" * 60 + "b"}
    named = {"type": "object", "patternProperties": {"^(a+)+$": {}}, "default": {"a" * 60 + "b": 1}}
    ecma = {"type": "string", "pattern": "^\\p{L}(?<name>x)$"}
    for version in ("3.0.3", "3.1.0"):
        started = time.perf_counter()
        schemas = {"A": hostile, "B": ecma} if version == "3.0.3" else {"A": hostile, "B": ecma, "C": named}
        assert parse(document(version, components={"schemas": schemas}))
        assert time.perf_counter() - started < 5


@pytest.mark.parametrize("extension", [None, 1, "x", [1], {"a": 1}, {"$ref": "https://x/"}, {"$ref": 3}])
@pytest.mark.parametrize("version", ["2.0", "3.0.3", "3.1.0"])
def test_extensions_hold_anything_anywhere(version: str, extension: object) -> None:
    more = {"x-more": extension}
    operation = {"operationId": "a", "responses": {**OK, **more}, **more}
    content = document(version, paths={"/p": {"get": operation, **more}, **more}, **more)
    content["info"].update(more)
    if version == "2.0":
        content["swagger"] = content.pop("openapi")
    else:
        content["components"] = {"schemas": {"A": {"type": "object", **more}}, **more}
    assert [o.operation_id for o in parse(content).operations] == ["a"]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_many_ways_through_few_schemas_are_not_all_walked(version: str, keyword: str) -> None:
    schemas: dict[str, Any] = {
        f"S{n}": {keyword: [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2, "required": ["a"], "default": {"a": 1}}
        for n in range(20)
    }
    schemas["S20"] = {"type": "object", "properties": {"a": {"type": "integer"}}}
    started = time.perf_counter()
    assert parse(document(version, components={"schemas": schemas}))
    assert time.perf_counter() - started < 5


def test_a_required_property_that_no_part_of_the_schema_has_is_found() -> None:
    base = {"properties": {"a": {"type": "string"}}}
    part = {"allOf": [{"$ref": "#/components/schemas/Base"}], "required": ["a", "b"]}
    (message,) = refusals(document(components={"schemas": {"Base": base, "Part": part}}))
    assert "/components/schemas/Part: Required list has not defined properties: ['b']" in message


def test_messages_are_short_however_large_the_value() -> None:
    (message,) = refusals(document(info=["x" * 10_000]))
    assert len(message) < 400


SEED = document(
    "3.1.0",
    servers=[{"url": "https://x"}],
    tags=[{"name": "pets"}],
    security=[{"oauth": ["pets:read"]}],
    paths={
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {"operationId": "pet", "responses": {"200": {"$ref": "#/components/responses/Pet"}}},
            "put": {"security": [], "requestBody": {"content": {"a/b": {"schema": {}}}}, "responses": OK},
        },
        "/pets": {"$ref": "#/components/pathItems/Pets"},
    },
    components={
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "responses": {"Pet": {"description": "", "content": {"a/b": {"schema": {"$ref": "#/components/schemas/Pet"}}}}},
        "schemas": {"Pet": {"type": "object", "properties": {"n": {"type": "string", "default": "x"}}}},
        "pathItems": {"Pets": {"post": {"responses": OK}}},
        "securitySchemes": {
            "oauth": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "/t", "scopes": {"pets:read": "Read"}}},
            }
        },
    },
)
SEED_30 = {**copy.deepcopy(SEED), "openapi": "3.0.0"}
del SEED_30["components"]["pathItems"]
SEED_30["x-items"] = {"Pets": {"post": {"responses": OK}}}
SEED_30["paths"]["/pets"] = {"$ref": "#/x-items/Pets"}
SEED_20 = {
    "swagger": "2.0",
    "info": {"title": "a", "version": "1"},
    "host": "x",
    "basePath": "/v1",
    "schemes": ["https"],
    "paths": {"/p/{id}": {"get": {"parameters": [{"$ref": "#/parameters/Id"}], "responses": OK}}},
    "parameters": {"Id": {"name": "id", "in": "path", "required": True, "type": "string", "default": "x"}},
    "security": [{"o": ["a"]}],
    "securityDefinitions": {"o": {"type": "oauth2", "flow": "application", "tokenUrl": "/t", "scopes": {"a": "A"}}},
}
ODD: list[Any] = [
    None,
    True,
    0,
    1.5,
    "",
    "x",
    "#/",
    "#/paths",
    "#/info/title",
    "{",
    [],
    {},
    [{}],
    [None],
    {"$ref": "#/"},
]
ODD += [{"$ref": 3}, {"$ref": "#/components/schemas/Pet"}, {"$ref": "#/openapi"}, {"": {}}, {"x-a": None}]


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    for part, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        found += places(child, (*here, part))
    return found


@pytest.mark.parametrize("seed", [SEED, SEED_30, SEED_20], ids=["3.1", "3.0", "2.0"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_valid_document_with_anything_put_anywhere_is_read_or_refused_in_words(
    seed: Any, data: st.DataObject
) -> None:
    content = copy.deepcopy(seed)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(places(content)))
        holder = content
        for part in way:
            holder = holder[part]
        if data.draw(st.booleans()):
            holder[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
        elif isinstance(holder, dict):
            holder[data.draw(st.sampled_from(["$ref", "x-a", "/a", "{", "get", "security", "default"]))] = holder.pop(
                last
            )
        if not places(content):
            break
    try:
        parse(content)
    except InputError as error:
        assert all(message.startswith("line ") for message in error.fields["definition"])  # noqa: PT017


def test_the_documents_that_the_mutations_start_from_are_valid() -> None:
    assert [len(parse(seed).operations) for seed in (SEED, SEED_30, SEED_20)] == [3, 3, 1]
