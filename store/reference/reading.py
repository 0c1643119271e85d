"""One operation of a stored definition (OpenAPI 2.0, 3.0, 3.1), read for people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from store.reference.examples import example_of
from store.reference.lookup import resolved
from store.reference.model import Answer, Body, OperationReference, Parameter
from store.reference.schemas import SchemaReader

_PLACES: Final = ("path", "query", "header", "cookie")


def read_operation(document: Mapping[str, Any], *, method: str, path: str) -> OperationReference | None:
    """The operation at ``method`` and ``path``; ``None`` when the definition has none there."""
    item, _ = resolved(document, _mapping(document.get("paths")).get(path))
    operation, _ = resolved(document, item.get(method.lower()))
    if not operation:
        return None
    given = [resolved(document, entry)[0] for entry in _entries(item, operation)]
    tags = operation.get("tags") or [""]
    bodies, required = _request(document, operation, given)
    return OperationReference(
        method=method.upper(),
        path=path,
        summary=str(operation.get("summary") or ""),
        description=str(operation.get("description") or ""),
        tag=str(tags[0]),
        deprecated=bool(operation.get("deprecated")),
        parameters=tuple(_parameters(document, given)),
        request_bodies=bodies,
        request_required=required,
        answers=tuple(_answers(document, operation)),
    )


def groups_of(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The tag that each operation is listed under, by method (upper case) and path; without those that have none."""
    found = {}
    for path, item in _mapping(document.get("paths")).items():
        for method, operation in _mapping(item).items():
            tags = _mapping(operation).get("tags")
            if isinstance(tags, list) and tags:
                found[method.upper(), path] = str(tags[0])
    return found


def _entries(item: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Any]:
    return [entry for holder in (item, operation) for entry in holder.get("parameters") or []]


def _parameters(document: Mapping[str, Any], given: list[Mapping[str, Any]]) -> Iterator[Parameter]:
    """The operation's own replace those of the path with the same name and place."""
    last = {(entry.get("name"), entry.get("in")): entry for entry in given}
    for where in _PLACES:
        for entry in last.values():
            if entry.get("in") != where:
                continue
            content = _mapping(entry.get("content"))
            media = _mapping(next(iter(content.values()), {}))
            # OpenAPI 2.0 writes the type into the parameter itself.
            schema = entry.get("schema") or media.get("schema") or entry
            required = where == "path" or bool(entry.get("required"))
            row = SchemaReader(document).row(str(entry.get("name")), schema, required=required)
            described = str(entry.get("description") or row.description)
            yield Parameter(
                name=row.name,
                where=where,
                row=replace(row, description=described),
                example=_example(document, entry),
                repeats=_repeats(entry, row.type),
            )


def _repeats(entry: Mapping[str, Any], kind: str) -> bool:
    """OpenAPI 3: style ``form`` repeats unless told otherwise; OpenAPI 2 repeats only for ``multi``."""
    if entry.get("in") != "query" or not kind.startswith("array"):
        return False
    if "schema" not in entry:
        return entry.get("collectionFormat") == "multi"
    return entry.get("style", "form") == "form" and entry.get("explode", True) is True


def _example(document: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    text = example_of(document, {key: entry[key] for key in ("example", "examples") if key in entry} or {"schema": {}})
    if text:
        return text
    schema = resolved(document, entry.get("schema") or entry)[0]
    value = schema.get("example", schema.get("default"))
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def _request(
    document: Mapping[str, Any], operation: Mapping[str, Any], given: list[Mapping[str, Any]]
) -> tuple[tuple[Body, ...], bool]:
    if "requestBody" in operation:
        body, _ = resolved(document, operation["requestBody"])
        return tuple(_bodies(document, body.get("content"))), bool(body.get("required"))
    form = [entry for entry in given if entry.get("in") == "formData"]
    for entry in given:
        if entry.get("in") == "body":
            media = {"schema": entry.get("schema") or {}}
            types = operation.get("consumes") or document.get("consumes") or ["application/json"]
            return tuple(_bodies(document, dict.fromkeys(types[:1], media))), bool(entry.get("required"))
    if form:
        schema = {
            "type": "object",
            "properties": {str(entry.get("name")): entry for entry in form},
            "required": [str(entry.get("name")) for entry in form if entry.get("required")],
        }
        return tuple(_bodies(document, {"application/x-www-form-urlencoded": {"schema": schema}})), True
    return (), False


def _answers(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Answer]:
    types = operation.get("produces") or document.get("produces") or ["application/json"]
    for status, entry in _mapping(operation.get("responses")).items():
        answer, _ = resolved(document, entry)
        content = answer.get("content")
        if "schema" in answer:
            examples = _mapping(answer.get("examples"))
            media = {"schema": answer["schema"], **({"example": examples[types[0]]} if types[0] in examples else {})}
            content = {types[0]: media}
        yield Answer(
            status=str(status),
            description=str(answer.get("description") or ""),
            bodies=tuple(_bodies(document, content)),
        )


def _bodies(document: Mapping[str, Any], content: Any) -> Iterator[Body]:
    for media_type, entry in _mapping(content).items():
        media, _ = resolved(document, entry)
        row = SchemaReader(document).row("", media.get("schema") or {})
        yield Body(media_type=str(media_type), row=row, example=example_of(document, media))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
