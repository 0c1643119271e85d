"""API definitions as pure code: text in, operations and scopes out. No database, no network, no file."""

from publisher.definitions.by_hand import HandOperation, operations_by_hand
from publisher.definitions.edit import OperationEdit, description_of, tag_of, with_operation, without_operation
from publisher.definitions.model import (
    MAX_BYTES,
    METHODS,
    Definition,
    Finding,
    OperationSpec,
    ScopeSpec,
    Severity,
)
from publisher.definitions.parse import parse_definition
from publisher.definitions.paths import path_shape

__all__ = [
    "MAX_BYTES",
    "METHODS",
    "Definition",
    "Finding",
    "HandOperation",
    "OperationEdit",
    "OperationSpec",
    "ScopeSpec",
    "Severity",
    "description_of",
    "operations_by_hand",
    "parse_definition",
    "path_shape",
    "tag_of",
    "with_operation",
    "without_operation",
]
