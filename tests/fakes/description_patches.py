"""Where a vendor's own description is broken or silent: what is changed in memory before it is used, and why.

The files themselves stay as the vendors wrote them. A patch that finds nothing to change is an error: the file was
mended meanwhile, and the patch is to go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]
METHODS: Final = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One change. ``reason``: what the vendor's server is known to do, or what the validator cannot read."""

    reason: str
    apply: Callable[[Document], int]


def patched(document: Document, patches: tuple[Patch, ...]) -> Document:
    """The document with all patches. Raises ``ValueError`` for one that changes nothing."""
    for patch in patches:
        if not patch.apply(document):
            raise ValueError(f"a patch has nothing to change any more: {patch.reason}")
    return document


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for template, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {template}", item[method]


def answers(status: int, *, at: str = "", schema: str = "", reason: str) -> Patch:
    """A status that operations (those whose "METHOD template" begins with ``at``) give and do not declare."""

    def apply(document: Document) -> int:
        changed = 0
        answer: Document = {"description": reason}
        if schema:
            answer["content"] = {"application/json": {"schema": {"$ref": schema}}}
        for name, operation in _operations(document):
            if name.startswith(at) and str(status) not in operation["responses"]:
                operation["responses"][str(status)] = answer
                changed += 1
        return changed

    return Patch(reason=reason, apply=apply)


def accepts_query(*names: str, at: str = "", reason: str) -> Patch:
    """Query parameters that are sent and not declared."""

    def apply(document: Document) -> int:
        changed = 0
        for name, operation in _operations(document):
            if name.startswith(at):
                declared = operation.setdefault("parameters", [])
                declared += [{"name": each, "in": "query", "schema": {"type": "string"}} for each in names]
                changed += 1
        return changed

    return Patch(reason=reason, apply=apply)


def has_operation(method: str, template: str, *, reason: str) -> Patch:
    """An operation that the file was trimmed of; its path is described, its bodies are not."""

    def apply(document: Document) -> int:
        item = document["paths"][template]
        if method in item:
            return 0
        item[method] = {
            "parameters": [entry for entry in item["get"].get("parameters", []) if "/query" not in str(entry)],
            "requestBody": {"content": {"application/json": {"schema": {}}}},
            "responses": {"2XX": {"description": reason}, "4XX": {"description": reason}},
        }
        return 1

    return Patch(reason=reason, apply=apply)


def overlapping_alternatives(*, reason: str) -> Patch:
    """``oneOf`` becomes ``anyOf`` everywhere."""

    def apply(document: Document) -> int:
        changed = 0
        for node in _nodes(document):
            if isinstance(node.get("oneOf"), list):
                node["anyOf"] = node.pop("oneOf")
                changed += 1
        return changed

    return Patch(reason=reason, apply=apply)


def writable(schema: str, member: str, *, reason: str) -> Patch:
    """A member that is declared as read-only, and that requests carry."""

    def apply(document: Document) -> int:
        declared = document["components"]["schemas"][schema]["properties"][member]
        return int(declared.pop("readOnly", False))

    return Patch(reason=reason, apply=apply)


def without_empty_content(*, reason: str) -> Patch:
    """``content`` that names no media type goes."""

    def apply(document: Document) -> int:
        return sum(node.get("content") == {} and node.pop("content") == {} for node in _nodes(document))

    return Patch(reason=reason, apply=apply)


def _nodes(node: Any) -> Iterator[Document]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


_SERVER_WIDE = "Any call may be refused for its right, its rate or the server's state; the description leaves that out."
_EVERYWHERE: Final = tuple(answers(status, reason=_SERVER_WIDE) for status in (401, 403, 429, 500, 503))
_UPSERT: Final = "The upsert of vendors.md (Prefer: create-if-missing) answers a creation with 201 and the body."
_OVERLAP: Final = overlapping_alternatives(
    reason="The vendor's alternatives overlap (a last page without a cursor is any kind of page): several may fit."
)
_NO_MEDIA: Final = without_empty_content(reason="An answer without a body is declared as one of no media type.")
_NO_POLICIES: Final = "The file was trimmed to the list of policies; the vendor's reference has their creation."
_SKIP: Final = "Only the server's own links to a next page carry it."
_GRAPH: Final = "#/components/schemas/microsoft.graph."

PATCHES: Final[Mapping[str, tuple[Patch, ...]]] = {
    "auth0-management": (_OVERLAP,),
    "auth0-authentication": (_OVERLAP,),
    "okta-management": (
        _NO_MEDIA,
        has_operation("post", "/api/v1/authorizationServers/{authServerId}/policies", reason=_NO_POLICIES),
        answers(401, reason=_SERVER_WIDE),
    ),
    "okta-oauth": (
        writable("Client", "client_id", reason="A replacement carries the whole object, its id included."),
        _OVERLAP,
        answers(401, reason=_SERVER_WIDE),
    ),
    "msgraph-applications": (
        answers(201, at="PATCH /applications(uniqueName=", schema=f"{_GRAPH}application", reason=_UPSERT),
        answers(201, at="PATCH /servicePrincipals(appId=", schema=f"{_GRAPH}servicePrincipal", reason=_UPSERT),
        accepts_query("$skiptoken", at="GET", reason=_SKIP),
    ),
    "pingfederate-admin": _EVERYWHERE,
    "wso2is-keymanager-operations": (
        answers(401, reason="Wrong credentials, at every operation alike."),
        answers(403, reason="A client of another owner is forbidden to us."),
    ),
    "wso2is7-dcr": (answers(403, reason="No right, or a client of another owner."),),
    "wso2is7-applications": (answers(404, reason="What is not there."),),
    "wso2is7-api-resources": (answers(404, reason="What is not there."),),
}
