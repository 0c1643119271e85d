"""From a valid document to operations, scopes and findings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from publisher.definitions.model import METHODS, Definition, Finding, OperationSpec, Severity
from publisher.definitions.paths import fault_of_imported, never_called, path_shape
from publisher.definitions.problems import ParsedText, Parts, Problem, pointer_of, refuse_problems
from publisher.definitions.references import follow, items, mapping
from publisher.definitions.security import SecurityReader


def extract(parsed: ParsedText, *, version: str) -> Definition:
    """The definition that a valid document is.

    Raises ``InputError`` for two operations that fit the same requests, path templates that are broken, and scopes
    that are no scope tokens.
    """
    document = parsed.document
    security = SecurityReader(document)
    reader = _OperationReader(document, security)
    operations = tuple(reader.operations())
    refuse_problems(parsed, [*security.problems, *reader.problems])
    info = mapping(document.get("info"))
    tags = (str(mapping(tag).get("name", "")) for tag in items(document.get("tags")))
    return Definition(
        version=version,
        title=str(info.get("title", "")),
        api_version=str(info.get("version", "")),
        description=str(info.get("description") or ""),
        tags=tuple(dict.fromkeys(tags)),
        document=document,
        operations=operations,
        scopes=security.scopes(),
        findings=(*_about_servers(document), *security.findings, *reader.findings),
    )


@dataclass(slots=True)
class _OperationReader:
    document: Mapping[str, Any]
    security: SecurityReader
    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _taken: dict[tuple[str, str], str] = field(default_factory=dict)

    def operations(self) -> Iterator[OperationSpec]:
        """Every operation under ``paths``, in document order; webhooks and callbacks are no part of the API."""
        for path, item in mapping(self.document.get("paths")).items():
            if not path.startswith("/"):
                continue
            if reason := fault_of_imported(path):
                self.problems.append(Problem(("paths", path), reason))
            elif reason := never_called(path):
                self._find(Severity.WARNING, ("paths", path), reason)
            for method, operation, parts in self._of_item(mapping(item), ("paths", path)):
                self._take(method, path, parts)
                yield self._operation(method, path, operation, parts)

    def _of_item(self, item: Mapping[str, Any], parts: Parts) -> Iterator[tuple[str, Mapping[str, Any], Parts]]:
        if items(item.get("servers")):
            self._dropped((*parts, "servers"))
        for key, value in item.items():
            if key.upper() in METHODS and key.islower() and isinstance(value, dict):
                yield key.upper(), value, (*parts, key)
        if "$ref" in item:
            there, at = follow(self.document, {"$ref": item["$ref"]}, parts)
            own = {"$ref", *(key for key in item if key.upper() in METHODS)}
            yield from self._of_item({key: value for key, value in there.items() if key not in own}, at)

    def _take(self, method: str, path: str, parts: Parts) -> None:
        other = self._taken.setdefault((method, path_shape(path)), path)
        if other != path:
            self.problems.append(Problem(parts, f"{method} {path} fits the same requests as {method} {other}"))

    def _operation(self, method: str, path: str, operation: Mapping[str, Any], parts: Parts) -> OperationSpec:
        access = self.security.access(operation, parts)
        operation_id = str(operation.get("operationId") or "")
        if not operation_id:
            self._find(Severity.INFO, parts, f"{method} {path} has no operationId")
        if items(operation.get("servers")):
            self._dropped((*parts, "servers"))
        return OperationSpec(
            method=method,
            path=path,
            operation_id=operation_id,
            summary=str(operation.get("summary") or ""),
            scopes=access.scopes,
            auth=access.auth,
        )

    def _dropped(self, parts: Parts) -> None:
        self._find(
            Severity.WARNING, parts, "servers of a path or an operation are dropped: calls go to the API's endpoint"
        )

    def _find(self, severity: Severity, parts: Parts, message: str) -> None:
        finding = Finding(severity=severity, path=pointer_of(parts), message=message)
        if finding not in self.findings:
            self.findings.append(finding)


def _about_servers(document: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("servers", "host"):
        if document.get(key):
            yield Finding(
                severity=Severity.INFO,
                path=pointer_of((key,)),
                message="callers see the gateway's address instead; the API's endpoints say where calls go",
            )
