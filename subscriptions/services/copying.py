"""A new version of an API as a copy of another."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from accounts.actor import Actor
from subscriptions.models import ApiDocument, ApiVersion, Operation
from subscriptions.recording import audit
from subscriptions.services.apis import VersionFacts, create_api_version
from subscriptions.services.designs import DesignInput, OperationInput
from subscriptions.states import OperationAuth

# Columns that a new version takes over from the one that it is copied from.
_COPIED: Final = (
    "description", "tags", "production_url", "sandbox_url", "public", "forward_token", "backend_jwt", "audiences",
    "user_claims",
)  # fmt: skip


@transaction.atomic
def copy_api_version(*, actor: Actor, api_version: ApiVersion, version: str) -> ApiVersion:
    """A draft with the design, facts and documents of ``api_version``; its document says the new version.

    Raises ``InputError`` or ``RuleError`` naming ``version``.
    """
    scopes = list(api_version.scopes.all())
    row = create_api_version(
        actor=actor,
        team_id=api_version.api.team_id,
        name=api_version.api.name,
        context=api_version.api.context,
        version=version,
        facts=VersionFacts(
            **{name: getattr(api_version, name) for name in _COPIED},
            plans=list(api_version.plans.all()),
            scope_roles={scope.key: scope.roles for scope in scopes},
        ),
        design=DesignInput(
            operations=tuple(_as_input(operation) for operation in api_version.operations.prefetch_related("scopes")),
            scopes={scope.key: scope.description for scope in scopes},
            definition=_of_version(api_version.definition, version),
        ),
    )
    ApiDocument.objects.bulk_create(
        ApiDocument(
            api_version=row,
            title=document.title,
            position=document.position,
            text=document.text,
            visible=document.visible,
        )
        for document in api_version.documents.all()
    )
    audit(actor, "api.copy", row, team_id=row.api.team_id, detail={"from": api_version.version})
    return row


def _as_input(row: Operation) -> OperationInput:
    return OperationInput(
        method=row.method,
        path=row.path,
        operation_id=row.operation_id,
        summary=row.summary,
        auth=OperationAuth(row.auth),
        scopes=tuple(scope.key for scope in row.scopes.all()),
    )


def _of_version(document: Mapping[str, Any] | None, version: str) -> Mapping[str, Any] | None:
    if document is None:
        return None
    return {**document, "info": {**document.get("info", {}), "version": version}}
