"""The design of an API version: its operations, scopes and document, which are replaced together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.errors import InputError
from common.scopes import check_scope
from subscriptions.models import ApiVersion, Operation, Scope
from subscriptions.states import OperationAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationInput:
    """One operation as it shall be stored; ``scopes`` are keys."""

    method: str
    path: str
    operation_id: str = ""
    summary: str = ""
    auth: OperationAuth = OperationAuth.REQUIRED
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignInput:
    """The contract of an API version: operations in order, scopes (key to description), the document."""

    operations: tuple[OperationInput, ...]
    scopes: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None


def store_design(row: ApiVersion, design: DesignInput) -> None:
    """Replace the whole design of ``row``. Scopes are changed by difference: the ones that stay keep their identity.

    Raises ``InputError`` naming ``operations`` or ``scopes``.
    """
    if not design.operations:
        raise InputError.of("operations", "At least one operation is needed.")
    wanted = dict(design.scopes)
    for operation in design.operations:
        for key in operation.scopes:
            wanted.setdefault(key, "")
    for key in wanted:
        check_scope(key, name="scopes")
    row.scopes.exclude(key__in=wanted).delete()
    present = {scope.key: scope for scope in row.scopes.all()}
    for key, description in wanted.items():
        if key not in present:
            present[key] = Scope.objects.create(api_version=row, key=key, description=description[:1000])
        elif present[key].description != description[:1000]:
            present[key].description = description[:1000]
            present[key].save()
    row.operations.all().delete()
    rows = Operation.objects.bulk_create(
        Operation(
            api_version=row,
            position=position,
            method=operation.method,
            path=operation.path,
            operation_id=operation.operation_id[:200],
            summary=operation.summary[:500],
            auth=operation.auth,
        )
        for position, operation in enumerate(design.operations)
    )
    link = Operation.scopes.through
    link.objects.bulk_create(
        link(operation_id=stored.pk, scope_id=present[key].pk)
        for stored, operation in zip(rows, design.operations, strict=True)
        for key in operation.scopes
    )
    row.definition = dict(design.definition) if design.definition is not None else None
    row.save(update_fields=["definition", "updated_at"])
