"""What the reference reads from stored definitions, kept in the process: documents of a megabyte open in no time.

A revision of an API version never changes, so it is part of each key, and nothing has to be thrown away.
"""

import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from store.reference.model import OperationReference
from store.reference.reading import groups_of, read_operation
from subscriptions.models import ApiVersion

# Of an extreme document one operation takes half a megabyte, its document five.
_OPERATIONS: Final = 64
_VERSIONS: Final = 256


@lru_cache(maxsize=1)
def kept_document(version_id: uuid.UUID, revision: int) -> Mapping[str, Any]:
    """The parsed definition; only the last one, for the functions below to share."""
    return ApiVersion.objects.values_list("definition", flat=True).get(pk=version_id) or {}


@lru_cache(maxsize=_VERSIONS)
def kept_groups(version_id: uuid.UUID, revision: int) -> Mapping[tuple[str, str], str]:
    """The tag of each operation by method (upper case) and path; without those that have none."""
    return groups_of(kept_document(version_id, revision))


@lru_cache(maxsize=_OPERATIONS)
def kept_operation(version_id: uuid.UUID, revision: int, method: str, path: str) -> OperationReference | None:
    """The operation at ``method`` and ``path``; ``None`` when the definition has none there."""
    return read_operation(kept_document(version_id, revision), method=method, path=path)


@lru_cache(maxsize=_OPERATIONS)
def kept_description(version_id: uuid.UUID, revision: int, method: str, path: str, language: str) -> SafeString:
    """The HTML of the operation's parameters, bodies and answers in one language; "" when the definition has none."""
    operation = kept_operation(version_id, revision, method, path)
    return described(operation) if operation else SafeString()


def described(operation: OperationReference) -> SafeString:
    """The HTML of parameters, bodies and answers, in the language of this thread."""
    places = [
        (words, operation.parameters_in(where))
        for where, words in (("path", "Path"), ("query", "Query"), ("header", "Header"), ("cookie", "Cookie"))
    ]
    return render_to_string("store/operation_described.html", {"operation": operation, "places": places})
