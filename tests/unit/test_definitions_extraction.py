"""From a valid document to operations, scopes and findings."""

import json
from typing import Any

import pytest

from common.errors import InputError
from publisher.definitions import Definition, OperationSpec, ScopeSpec, Severity, parse_definition

OK = {"200": {"description": "ok"}}
OAUTH = {
    "type": "oauth2",
    "flows": {
        "clientCredentials": {"tokenUrl": "/t", "scopes": {"read": "Read", "write": ""}},
        "implicit": {"authorizationUrl": "/a", "scopes": {"write": "Write", "admin": "All"}},
    },
}
SCHEMES = {
    "oauth": OAUTH,
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://idp/.well-known/openid-configuration"},
    "key": {"type": "apiKey", "name": "k", "in": "header"},
    "basic": {"type": "http", "scheme": "basic"},
    "copy": {"$ref": "#/components/securitySchemes/oauth"},
}


def parse(version: str = "3.1.0", **members: Any) -> Definition:
    content = {"openapi": version, "info": {"title": "Pets", "version": "1"}, "paths": {}, **members}
    return parse_definition(json.dumps(content, indent=1))


def secured(security: object, *, everywhere: object = None) -> Definition:
    """One operation with its own security (if not ``...``) in a document with another (if not ``None``)."""
    operation: dict[str, Any] = {"operationId": "x", "responses": OK}
    if security is not ...:
        operation["security"] = security
    members: dict[str, Any] = {"components": {"securitySchemes": SCHEMES}, "paths": {"/p": {"get": operation}}}
    if everywhere is not None:
        members["security"] = everywhere
    return parse(**members)


def warnings(definition: Definition) -> list[str]:
    return [f"{f.path}: {f.message}" for f in definition.findings if f.severity is Severity.WARNING]


@pytest.mark.parametrize(
    ("security", "everywhere", "auth", "scopes"),
    [
        (..., None, "required", ()),
        (..., [], "none", ()),
        (..., [{}], "none", ()),
        (..., [{"oauth": ["read"]}], "required", ("read",)),
        ([], [{"oauth": ["read"]}], "none", ()),
        ([{}, {"oauth": ["read"]}], [{"oauth": ["write"]}], "none", ()),
        ([{"oauth": ["write"]}], [{"oauth": ["read"]}], "required", ("write",)),
        ([{"oauth": ["write"]}], [], "required", ("write",)),
        ([{"oauth": ["write"]}, {"oauth": ["read"]}], None, "required", ("read", "write")),
        ([{"oauth": ["write"]}, {"oidc": ["openid"]}], None, "required", ("openid", "write")),
        ([{"oauth": []}], None, "required", ()),
        ([{"key": []}], None, "required", ()),
        ([{"basic": []}], [], "required", ()),
        ([{"basic": ["a-role"]}], [], "required", ()),
        ([{"copy": ["read"]}], [], "required", ("read",)),
        ([{"unknown": []}], [], "required", ()),
    ],
)
def test_an_operation_needs_what_its_effective_security_says(
    security: object, everywhere: object, auth: str, scopes: tuple[str, ...]
) -> None:
    (operation,) = secured(security, everywhere=everywhere).operations
    assert (operation.auth, operation.scopes) == (auth, scopes)


def test_scopes_are_the_declared_and_the_used_ones_with_their_descriptions() -> None:
    definition = secured([{"oauth": ["more"]}, {"oidc": ["openid"]}])
    assert definition.scopes == (
        ScopeSpec(key="read", description="Read"),
        ScopeSpec(key="write", description="Write"),
        ScopeSpec(key="admin", description="All"),
        ScopeSpec(key="more"),
        ScopeSpec(key="openid"),
    )
    assert "/paths/~1p/get/security/0/oauth: the scope 'more' is used, but no security scheme declares it" in warnings(
        definition
    )
    assert not any("openid'" in message for message in warnings(definition))


def test_schemes_that_are_not_enforced_and_scopes_that_must_all_be_there_are_findings() -> None:
    found = warnings(secured([{"oauth": ["write", "read"]}, {"unknown": []}]))
    instead = "is not enforced; calls need a token instead"
    assert found == [
        f"/components/securitySchemes/key: the security scheme 'key' (apiKey) {instead}",
        f"/components/securitySchemes/basic: the security scheme 'basic' (http) {instead}",
        "/paths/~1p/get/security/0: the definition asks for all of read, write; a token with one is let through",
        "/paths/~1p/get/security/1/unknown: no security scheme is named 'unknown'; calls need a token",
    ]


@pytest.mark.parametrize("key", ["a b", "", 'a"b', "é", "x" * 201])
def test_a_scope_that_is_no_scope_token_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="is not a scope"):
        secured([{"oauth": [key]}])
    flows = {"clientCredentials": {"tokenUrl": "/t", "scopes": {key: ""}}}
    with pytest.raises(InputError, match="is not a scope"):
        parse(components={"securitySchemes": {"o": {"type": "oauth2", "flows": flows}}})


def test_all_methods_are_read_in_document_order_and_webhooks_and_callbacks_are_not() -> None:
    methods = ["trace", "head", "get", "options", "put", "patch", "delete", "post"]
    callback = {"{$request.query.url}": {"post": {"responses": OK}}}
    operation = {"responses": OK, "callbacks": {"done": callback}}
    definition = parse(
        paths={"/b": {"summary": "x", **dict.fromkeys(methods, operation)}, "/a": {"get": operation}, "x-c": {}},
        webhooks={"new": {"post": {"responses": OK}}},
    )
    assert [(o.method, o.path) for o in definition.operations] == [
        *((method.upper(), "/b") for method in methods),
        ("GET", "/a"),
    ]


def test_a_path_item_may_be_a_reference_beside_its_own_operations() -> None:
    shared = {"get": {"operationId": "shared", "responses": OK}, "put": {"operationId": "put", "responses": OK}}
    own = {"get": {"operationId": "own", "responses": OK}, "$ref": "#/x-shared/P"}
    definition = parse("3.0.3", paths={"/p": own}, **{"x-shared": {"P": shared}})
    assert [(o.method, o.operation_id) for o in definition.operations] == [("GET", "own"), ("PUT", "put")]


def test_a_path_item_may_be_nothing_but_a_reference() -> None:
    item = {"get": {"operationId": "shared", "responses": OK}}
    definition = parse(paths={"/p": {"$ref": "#/components/pathItems/P"}}, components={"pathItems": {"P": item}})
    assert [(o.path, o.operation_id) for o in definition.operations] == [("/p", "shared")]


def test_parameters_of_a_path_item_count_for_its_operations() -> None:
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    definition = parse(paths={"/p/{id}": {"parameters": [parameter], "get": {"summary": "One", "responses": OK}}})
    assert definition.operations == (OperationSpec(method="GET", path="/p/{id}", summary="One"),)


def parameters(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def test_two_templates_of_one_shape_are_refused_for_the_same_method_only() -> None:
    one = {"get": {"parameters": parameters("x"), "responses": OK}}
    other = {"parameters": parameters("y"), "get": {"responses": OK}}
    with pytest.raises(InputError) as caught:
        parse(paths={"/a/{x}": one, "/a/{y}": other})
    (message,) = caught.value.fields["definition"]
    assert message.endswith("/paths/~1a~1{y}/get: GET /a/{y} fits the same requests as GET /a/{x}")
    assert message.startswith("line ")
    assert len(
        parse(paths={"/a/{x}": one, "/a/{y}": {"parameters": parameters("y"), "put": {"responses": OK}}}).operations
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/a/{x", "a brace of the path has no partner"),
        ("/a/{}", "each parameter of the path needs a name"),
        ("/" + "x" * 500, "longer than 500"),
    ],
)
def test_a_broken_path_template_is_refused(path: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse(paths={path: {"get": {"responses": OK}}})


@pytest.mark.parametrize(
    "path", ["/a?b=c", "/a#b", "/a//b", "/a/../b", "/./a", "/a b", "/a%2Fb", "/ä", "/..;x/{y}.json"]
)
def test_a_path_that_no_call_can_have_is_a_finding(path: str) -> None:
    item = {"parameters": parameters(*(["y"] if "{y}" in path else [])), "get": {"operationId": "x", "responses": OK}}
    (found,) = warnings(parse(paths={path: item}))
    assert "no call will match" in found


def test_servers_and_missing_operation_ids_are_findings() -> None:
    elsewhere = [{"url": "https://elsewhere"}]
    definition = parse(
        servers=elsewhere,
        security=[],
        paths={"/p": {"servers": elsewhere, "get": {"servers": elsewhere, "responses": OK}}},
    )
    assert [(f.severity.value, f.path, f.message.split(":")[0]) for f in definition.findings] == [
        ("info", "/servers", "callers see the gateway's address instead; the API's endpoints say where calls go"),
        ("warning", "/paths/~1p/servers", "servers of a path or an operation are dropped"),
        ("info", "/paths/~1p/get", "GET /p has no operationId"),
        ("warning", "/paths/~1p/get/servers", "servers of a path or an operation are dropped"),
    ]


def test_title_version_description_and_tags_are_taken_over() -> None:
    definition = parse(
        "3.0.2",
        info={"title": "Pets", "version": "7", "description": "All of them"},
        tags=[{"name": "pets"}, {"name": "owners"}],
    )
    assert (definition.version, definition.title, definition.api_version) == ("3.0.2", "Pets", "7")
    assert (definition.description, definition.tags) == ("All of them", ("pets", "owners"))


def test_openapi_2_has_its_scopes_in_the_scheme_itself() -> None:
    scheme = {"type": "oauth2", "flow": "application", "tokenUrl": "https://idp/t", "scopes": {"read": "Read"}}
    content = {
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {"/p": {"get": {"operationId": "a", "responses": OK}, "put": {"security": [], "responses": OK}}},
        "securityDefinitions": {"o": scheme},
        "security": [{"o": ["read"]}],
    }
    definition = parse_definition(json.dumps(content))
    assert definition.version == "2.0"
    assert definition.scopes == (ScopeSpec(key="read", description="Read"),)
    assert [(o.scopes, o.auth) for o in definition.operations] == [(("read",), "required"), ((), "none")]
