"""What a changed definition means for operations and scopes, before it is stored."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keymanager.services.acceptance import accepted_key_managers
from publisher.definitions import Definition
from subscriptions.models import ApiVersion

# Beyond this a comparison line by line would take longer than a person waits.
_MOST_LINES: Final = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What saving changes: operations as "GET /hours", scope keys, and the key managers that are told of scopes."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    new_scopes: tuple[str, ...]
    gone_scopes: tuple[str, ...]
    key_managers: tuple[str, ...]


def impact_of(version: ApiVersion, definition: Definition) -> Impact:
    """What storing ``definition`` as that of ``version`` would change."""
    operations = version.operations.prefetch_related("scopes")
    before = {
        f"{row.method} {row.path}": (row.auth, row.summary, tuple(sorted(scope.key for scope in row.scopes.all())))
        for row in operations
    }
    after = {f"{row.method} {row.path}": (row.auth, row.summary, row.scopes) for row in definition.operations}
    old_scopes = set(version.scopes.values_list("key", flat=True))
    new_scopes = {scope.key for scope in definition.scopes}
    told = old_scopes != new_scopes
    accepted = accepted_key_managers(version)
    return Impact(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        new_scopes=tuple(sorted(new_scopes - old_scopes)),
        gone_scopes=tuple(sorted(old_scopes - new_scopes)),
        key_managers=tuple(accepted.order_by("name").values_list("name", flat=True)) if told else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a unified diff. ``look``: ``add``, ``del``, ``hunk`` or ""."""

    look: str
    text: str


def document_text(document: Mapping[str, Any] | None) -> str:
    """The stored document as JSON that people read."""
    return json.dumps(document or {}, indent=2, ensure_ascii=False)


def diff_of(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[DiffLine] | None:
    """The lines that differ with three lines around them; ``None`` when the documents are too large to compare."""
    old, new = document_text(before).splitlines(), document_text(after).splitlines()
    if len(old) + len(new) > _MOST_LINES:
        return None
    return list(_lines(old, new))


def _lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    looks = {"+": "add", "-": "del", "@": "hunk"}
    for number, line in enumerate(difflib.unified_diff(old, new, lineterm="")):
        # The first two lines name the files.
        if number > 1:
            yield DiffLine(look=looks.get(line[0], ""), text=line)
