"""Sealing every stored secret anew with the newest key, a few rows at a time; it can be stopped and started again."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import models

from common.secretbox import SecretBox
from keymanager import sealing
from keymanager.models import Credential, KeyManager, KeyManagerCheck, SigningKey
from keymanager.resident.models import SigningKey as ResidentSigningKey
from keymanager.resident.sealing import resident_box

BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """One column of sealed values. ``context_of`` makes a value's context from what ``names`` reads of its row."""

    label: str
    model: type[models.Model]
    column: str
    names: str
    context_of: Callable[[Any], str]
    box: Callable[[], SecretBox] = sealing.secret_box


SEALED_COLUMNS: Final = (
    SealedColumn(
        label="client secrets",
        model=Credential,
        column="sealed_secret",
        names="pk",
        context_of=sealing.secret_context,
    ),
    SealedColumn(
        label="secrets of clients made elsewhere",
        model=Credential,
        column="sealed_mapped_secret",
        names="pk",
        context_of=sealing.mapped_secret_context,
    ),
    SealedColumn(
        label="registration access tokens",
        model=Credential,
        column="sealed_registration_access_token",
        names="pk",
        context_of=sealing.registration_token_context,
    ),
    SealedColumn(
        label="key manager settings",
        model=KeyManager,
        column="sealed_config",
        names="pk",
        context_of=sealing.config_context,
    ),
    SealedColumn(
        label="throw-away clients of connection checks",
        model=KeyManagerCheck,
        column="sealed_trial",
        names="pk",
        context_of=sealing.trial_context,
    ),
    SealedColumn(
        label="signing keys of the backend JWT",
        model=SigningKey,
        column="sealed_private_pem",
        names="kid",
        context_of=lambda kid: f"signing_key:{kid}",
    ),
    SealedColumn(
        label="signing keys of the resident key manager",
        model=ResidentSigningKey,
        column="sealed_private_pem",
        names="kid",
        context_of=lambda kid: f"resident.signing_key:{kid}",
        box=resident_box,
    ),
)


def rotate_keys() -> Mapping[str, int]:
    """Seal anew what is not sealed with the newest key; returns how many values per kind.

    A value that changes meanwhile is left alone: whoever wrote it used the newest key. Raises ``SecretUnreadable``
    when a value does not open, because its key is missing.
    """
    return {column.label: _rotate(column) for column in SEALED_COLUMNS} | {"client secret digests": _renew_digests()}


def _rotate(column: SealedColumn) -> int:
    box = column.box()
    rows = column.model._default_manager.all()
    done = 0
    for batch in _batches(rows.exclude(**{column.column: ""}), column.names, column.column):
        for pk, name, stored in batch:
            if not box.needs_rotation(stored):
                continue
            context = column.context_of(name)
            fresh = box.encrypt(box.decrypt(stored, context=context), context=context)
            done += rows.filter(pk=pk, **{column.column: stored}).update(**{column.column: fresh})
    return done


def _renew_digests() -> int:
    """The digests' key comes from Django's secret key; where the secret is kept, its digest can follow a new one."""
    rows = Credential.objects.all()
    done = 0
    for batch in _batches(rows.exclude(sealed_secret=""), "secret_sha256", "sealed_secret"):
        for pk, digest, stored in batch:
            fresh = sealing.secret_digest(pk, sealing.unseal(stored, context=sealing.secret_context(pk)))
            if fresh != digest:
                done += rows.filter(pk=pk, sealed_secret=stored).update(secret_sha256=fresh)
    return done


def _batches(rows: models.QuerySet[Any], *columns: str) -> Iterator[list[tuple[uuid.UUID, Any, str]]]:
    """The rows' primary key and columns, in order of the key, without holding a transaction open between batches."""
    ordered = rows.order_by("pk").values_list("pk", *columns)
    batch = list(ordered[:BATCH])
    while batch:
        yield batch
        batch = list(ordered.filter(pk__gt=batch[-1][0])[:BATCH])
