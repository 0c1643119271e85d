"""The definition in the store names the gateway and the portal, and nobody else."""

import copy
import json
from typing import Any

from common.served_definition import with_gateway_urls
from publisher.definitions import parse_definition

OK = {"200": {"description": "ok"}}
ELSEWHERE = [{"url": "https://backend.internal"}]
PRODUCTION, SANDBOX = "https://gw.example/pets/1", "https://sandbox.example/pets/1"
TOKEN = "https://portal.example/token"


def everywhere() -> dict[str, Any]:
    """A document with the backend's address wherever OpenAPI 3.1 has room for one."""
    link = {"operationId": "pet", "server": ELSEWHERE[0]}
    item = {"servers": ELSEWHERE, "post": {"servers": ELSEWHERE, "responses": OK}}
    operation = {
        "operationId": "pet",
        "servers": ELSEWHERE,
        "callbacks": {"done": {"{$request.query.url}": copy.deepcopy(item)}},
        "responses": {"200": {"description": "", "links": {"next": copy.deepcopy(link)}}},
    }
    flow = {"tokenUrl": "https://backend.internal/t", "refreshUrl": "https://backend.internal/r", "scopes": {"a": "A"}}
    code = {**flow, "authorizationUrl": "https://backend.internal/a"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "servers": ELSEWHERE,
        "paths": {"/pets": {"servers": ELSEWHERE, "get": operation, "x-y": {"servers": "kept"}}, "x-z": 1},
        "webhooks": {"new": copy.deepcopy(item)},
        "components": {
            "pathItems": {"Pets": copy.deepcopy(item)},
            "callbacks": {"Done": {"{$request.query.url}": copy.deepcopy(item)}},
            "responses": {"R": {"description": "", "links": {"next": copy.deepcopy(link)}}},
            "links": {"L": copy.deepcopy(link)},
            "schemas": {"S": {"properties": {"servers": {"type": "string"}, "server": {"type": "string"}}}},
            "securitySchemes": {
                "o": {"type": "oauth2", "flows": {"clientCredentials": flow, "authorizationCode": code}},
                "c": {"type": "openIdConnect", "openIdConnectUrl": "https://backend.internal/.well-known/x"},
                "k": {"type": "apiKey", "in": "header", "name": "tokenUrl"},
            },
        },
        "security": [{"o": ["a"]}],
    }


def test_only_the_gateways_servers_and_the_portals_oauth_endpoints_are_left() -> None:
    document = everywhere()
    served = with_gateway_urls(document, PRODUCTION, SANDBOX, TOKEN)
    assert "backend.internal" not in json.dumps(served)
    assert served["servers"] == [
        {"url": PRODUCTION, "description": "Production"},
        {"url": SANDBOX, "description": "Sandbox"},
    ]
    schemes = served["components"]["securitySchemes"]
    assert schemes["o"]["flows"]["authorizationCode"] == {
        "tokenUrl": TOKEN,
        "refreshUrl": TOKEN,
        "authorizationUrl": "https://portal.example/authorize",
        "scopes": {"a": "A"},
    }
    assert schemes["o"]["flows"]["clientCredentials"]["tokenUrl"] == TOKEN
    assert schemes["c"]["openIdConnectUrl"] == "https://portal.example/.well-known/oauth-authorization-server"
    assert schemes["k"] == {"type": "apiKey", "in": "header", "name": "tokenUrl"}


def test_what_is_served_is_a_valid_definition_of_the_same_operations() -> None:
    document = everywhere()
    # The kept schema of OpenAPI 3.1 does not know a link's server.
    for holder in (document["components"]["links"], document["components"]["responses"]["R"]["links"]):
        for link in holder.values():
            del link["server"]
    del document["paths"]["/pets"]["get"]["responses"]["200"]["links"]["next"]["server"]
    served = with_gateway_urls(document, PRODUCTION, None, TOKEN)
    before, after = parse_definition(json.dumps(document)), parse_definition(json.dumps(served))
    assert after.operations == before.operations
    assert after.scopes == before.scopes
    assert served["servers"] == [{"url": PRODUCTION, "description": "Production"}]
    assert list(served["components"]["schemas"]["S"]["properties"]) == ["servers", "server"]


def test_the_stored_document_is_not_changed() -> None:
    document = everywhere()
    untouched = copy.deepcopy(document)
    with_gateway_urls(document, PRODUCTION, SANDBOX, TOKEN)
    assert document == untouched


def test_a_document_of_openapi_2_gets_host_base_path_and_schemes() -> None:
    scheme = {
        "type": "oauth2",
        "flow": "accessCode",
        "tokenUrl": "https://backend.internal/t",
        "authorizationUrl": "https://backend.internal/a",
        "scopes": {"a": "A"},
    }
    document = {
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1"},
        "host": "backend.internal",
        "basePath": "/v1",
        "schemes": ["http", "ws"],
        "paths": {"/p": {"get": {"operationId": "p", "schemes": ["ws"], "responses": OK}}},
        "securityDefinitions": {"o": scheme},
        "security": [{"o": ["a"]}],
    }
    served = with_gateway_urls(
        document, "https://gw.example:8443/pets/1/", SANDBOX, TOKEN, authorization_url="/authorize"
    )
    assert "backend.internal" not in json.dumps(served)
    assert (served["host"], served["basePath"], served["schemes"]) == ("gw.example:8443", "/pets/1", ["https"])
    assert served["x-sandbox-url"] == SANDBOX
    assert served["securityDefinitions"]["o"] == {**scheme, "tokenUrl": TOKEN, "authorizationUrl": "/authorize"}
    assert "schemes" not in served["paths"]["/p"]["get"]
    assert parse_definition(json.dumps(served)).operations == parse_definition(json.dumps(document)).operations


def test_a_document_without_any_server_gets_the_gateways() -> None:
    served = with_gateway_urls({"openapi": "3.0.0", "info": {}, "paths": {}}, PRODUCTION, None, "/token")
    assert served["servers"] == [{"url": PRODUCTION, "description": "Production"}]
