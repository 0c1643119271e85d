"""What an imported API definition is to the rest of the portal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

MAX_BYTES: Final = 5 * 1024 * 1024
METHODS: Final = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")

Auth = Literal["required", "none"]


class Severity(StrEnum):
    """How much a finding matters: ``warning`` changes what callers meet, ``info`` does not."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a valid definition that the publisher should know. ``path`` is a JSON pointer (RFC 6901)."""

    severity: Severity
    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSpec:
    """One OAuth scope (RFC 6749 section 3.3) that the definition declares or uses."""

    key: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSpec:
    """One method and path template.

    ``method``: upper-case. ``path``: as written, for example ``/museum-hours/{id}``. ``scopes``: sorted keys; a token
    needs at least one of them, if there are any. ``auth``: ``none`` when calls need no token.
    """

    method: str
    path: str
    operation_id: str = ""
    summary: str = ""
    scopes: tuple[str, ...] = ()
    auth: Auth = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A valid OpenAPI document and what follows from it.

    ``version``: the OpenAPI version as written, for example ``3.0.1``. ``api_version``: ``info.version``.
    ``document``: only JSON values, only local references. ``operations``: in document order.
    """

    version: str
    title: str
    api_version: str
    description: str = ""
    tags: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(repr=False)
    operations: tuple[OperationSpec, ...] = ()
    scopes: tuple[ScopeSpec, ...] = ()
    findings: tuple[Finding, ...] = ()
