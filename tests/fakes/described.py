"""Holds every exchange between an adapter and a fake against the vendor's own OpenAPI description.

    description = Description.read(vendor_file("msgraph-applications.json"))
    wire = Described(PooledTransport(LOOPBACK), description, base=f"{server.origin}/v1.0")

What the description does not allow is an ``AssertionError`` in the call that did it: an unknown path, parameter or
status, and a body that its schema refuses. Requests elsewhere than below ``base`` pass unseen.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlencode

import httpx2
from openapi_schema_validator import OAS30Validator, OAS31Validator, oas30_format_checker, oas31_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_METHODS = ("get", "put", "post", "delete", "patch")
_URI = "urn:description"


def vendor_file(name: str) -> Path:
    """A vendor's description where it lies (``ARCHWAY_SHARED``, default ``../shared``). It need not be there."""
    shared = os.environ.get("ARCHWAY_SHARED") or str(Path(__file__).parents[3] / "shared")
    return Path(shared) / "data" / "vendor-openapi" / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One described operation. ``where``: its place in the document, for references."""

    method: str
    template: str
    pattern: re.Pattern[str]
    where: tuple[str, ...]
    node: Mapping[str, Any] = field(repr=False)
    shared_parameters: tuple[Any, ...] = ()


class Description:
    """One OpenAPI document (3.0 or 3.1)."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        modern = str(document["openapi"]).startswith("3.1")
        self._validator = OAS31Validator if modern else OAS30Validator
        self._formats = oas31_format_checker if modern else oas30_format_checker
        self._registry: Registry[Any] = Registry().with_resource(_URI, DRAFT202012.create_resource(document))
        self.operations = sorted(self._read(), key=lambda operation: operation.template.count("{"))

    @classmethod
    @cache
    def read(cls, path: Path) -> Self:
        """From a file, once in a process."""
        return cls(json.loads(path.read_text()))

    def _read(self) -> Iterator[Operation]:
        for template, item in self._document["paths"].items():
            parts = re.split(r"(\{[^}]+\})", template)
            pattern = re.compile("".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts))
            for method in _METHODS:
                if method in item:
                    yield Operation(
                        method=method.upper(),
                        template=template,
                        pattern=pattern,
                        where=("paths", template, method),
                        node=item[method],
                        shared_parameters=tuple(item.get("parameters", ())),
                    )

    def find(self, method: str, path: str) -> Operation | None:
        """The operation of a path below the base; a literal path goes before one with parameters."""
        for operation in self.operations:
            if operation.method == method and operation.pattern.fullmatch(path):
                return operation
        return None

    def resolved(self, node: Any, where: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        """A node of the document, behind its reference if it is one."""
        while isinstance(node, dict) and "$ref" in node:
            where = tuple(_unescaped(part) for part in node["$ref"].removeprefix("#/").split("/"))
            node = self._document
            for part in where:
                node = node[part]
        return node, where

    def faults(self, value: Any, where: tuple[str, ...]) -> list[str]:
        """What the schema at a place of the document has against a value."""
        pointer = "/".join(_escaped(part) for part in where)
        validator = self._validator(
            {"$ref": f"{_URI}#/{pointer}"}, registry=self._registry, format_checker=self._formats
        )
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


class Described(httpx2.BaseTransport):
    """A transport that lets only described exchanges pass.

    ``undescribed``: answers that the real server is known to give although its description lacks them, by (method, path
    template, status), with the pointer of the schema that they follow. ``link_parameters``: query parameters that only
    the server's own links to a next page carry.
    """

    def __init__(
        self,
        inner: httpx2.BaseTransport,
        description: Description,
        *,
        base: str,
        undescribed: Mapping[tuple[str, str, int], str] | None = None,
        link_parameters: frozenset[str] = frozenset(),
    ) -> None:
        self._inner = inner
        self.description = description
        self._base = base.rstrip("/")
        self._undescribed = dict(undescribed or {})
        self._link_parameters = link_parameters
        self.held: list[tuple[str, str, int]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check the request, send it, check the answer."""
        request.read()
        address, _, query = str(request.url).partition("?")
        # A slash that is part of a value stays quoted, so that it is not taken for the next segment.
        below = unquote(re.sub("%2[fF]", "%252F", address.removeprefix(self._base)))
        if not address.startswith(f"{self._base}/"):
            return self._inner.handle_request(request)
        operation = self.description.find(request.method, below)
        assert operation is not None, f"{request.method} {below} is not described"
        self._check_request(operation, request, below, query)
        response = self._inner.handle_request(request)
        body = response.read()
        self._check_answer(operation, response, body)
        self.held.append((operation.method, operation.template, response.status_code))
        return httpx2.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """Close what is below."""
        self._inner.close()

    def _check_request(self, operation: Operation, request: httpx2.Request, path: str, query: str) -> None:
        what = f"{operation.method} {operation.template}"
        declared: dict[tuple[str, str], tuple[dict[str, Any], tuple[str, ...]]] = {}
        for index, node in enumerate((*operation.shared_parameters, *operation.node.get("parameters", ()))):
            found, where = self.description.resolved(node, (*operation.where, "parameters", str(index)))
            declared[found["in"], found["name"]] = (found, where)
        sent = dict(parse_qsl(query, keep_blank_values=True))
        unknown = [name for name in sent if ("query", name) not in declared and name not in self._link_parameters]
        assert not unknown, f"{what}: query parameters {unknown} are not described"
        match = operation.pattern.fullmatch(path)
        values = match.groups() if match else ()
        names = re.findall(r"\{([^}]+)\}", operation.template)
        given = {("query", name): value for name, value in sent.items()}
        given |= {("path", name): value for name, value in zip(names, values, strict=True)}
        for key, (found, where) in declared.items():
            assert key in given or not found.get("required"), f"{what}: {key} is missing"
            if key in given and key[0] in ("query", "path"):
                self._check_parameter(what, key[1], given[key], found, where)
        body = operation.node.get("requestBody")
        if body is None:
            assert not request.content, f"{what} takes no body"
            return
        if not request.content:
            assert not body.get("required"), f"{what} needs a body"
            return
        self._check_body(what, request.headers, request.content, body, (*operation.where, "requestBody"))

    def _check_parameter(self, what: str, name: str, value: str, found: dict[str, Any], where: tuple[str, ...]) -> None:
        schema, place = self.description.resolved(found.get("schema", {}), (*where, "schema"))
        kind = schema.get("type")
        typed: Any = value
        if kind == "integer" and value.lstrip("-").isdigit():
            typed = int(value)
        elif kind == "boolean" and value in ("true", "false"):
            typed = value == "true"
        elif kind == "array":
            typed = value.split(",")
        faults = self.description.faults(typed, place) if found.get("schema") else []
        assert not faults, f"{what}: parameter {name}: {faults}"

    def _check_answer(self, operation: Operation, response: httpx2.Response, body: bytes) -> None:
        what = f"{operation.method} {operation.template} -> {response.status_code}"
        known = self._undescribed.get((operation.method, operation.template, response.status_code))
        if known is not None:
            faults = self.description.faults(json.loads(body), tuple(known.removeprefix("#/").split("/")))
            assert not faults, f"{what}: {faults}"
            return
        answers = operation.node["responses"]
        status = str(response.status_code)
        name = next((key for key in (status, f"{status[0]}XX", "default") if key in answers), None)
        if name is None and response.status_code in (401, 403, 429, 500, 503):
            return  # of the whole server rather than of one operation: descriptions often leave these out
        assert name is not None, f"{what}: this status is not described"
        node, where = self.description.resolved(answers[name], (*operation.where, "responses", name))
        if body and node.get("content"):
            self._check_body(what, response.headers, body, node, where)

    def _check_body(
        self, what: str, headers: httpx2.Headers, content: bytes, node: Any, where: tuple[str, ...]
    ) -> None:
        node, where = self.description.resolved(node, where)
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        kinds = node["content"]
        assert media in kinds, f"{what}: {media or 'no content type'} instead of {sorted(kinds)}"
        if "schema" not in kinds[media]:
            return
        if media == "application/x-www-form-urlencoded":
            value: Any = dict(parse_qsl(content.decode(), keep_blank_values=True))
        else:
            value = json.loads(content)
        faults = self.description.faults(value, (*where, "content", media, "schema"))
        assert not faults, f"{what}: {faults}"


def _escaped(part: str) -> str:
    return urlencode({"": part.replace("~", "~0").replace("/", "~1")})[1:].replace("+", "%20")


def _unescaped(part: str) -> str:
    return unquote(part).replace("~1", "/").replace("~0", "~")
