"""ETag and If-Match (RFC 9110 sections 8.8.3 and 13.1.1) from a row's revision."""

from typing import Any, ClassVar, Final, Protocol, TypeVar, cast

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.views import own
from common.errors import ArchwayError

RowT = TypeVar("RowT", bound=Model)

IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The entity tag that was read; 412 when the row changed since.",
)
ETAG: Final = OpenApiParameter(
    "ETag", location=OpenApiParameter.HEADER, response=[200, 201, 202], description="For a later `If-Match`."
)


class HasRevision(Protocol):
    """A row that counts its changes."""

    revision: int


class PreconditionFailed(ArchwayError):
    """The row changed since the caller read it."""

    code: ClassVar[str] = "precondition_failed"
    status: ClassVar[int] = status.HTTP_412_PRECONDITION_FAILED
    title: ClassVar[str] = "It was changed since you read it"


def entity_tag(revision: int) -> str:
    """The strong entity tag of a revision."""
    return f'"{revision}"'


def with_entity_tag(response: Response, revision: int) -> Response:
    """``response`` carrying the row's entity tag."""
    response["ETag"] = entity_tag(revision)
    return response


def require_match(request: Request, revision: int) -> None:
    """Raise ``PreconditionFailed`` when ``If-Match`` is given and does not name ``revision``."""
    given = request.headers.get("If-Match", "")
    if not given or given.strip() == "*":
        return
    tags = {tag.strip() for tag in given.split(",")}
    if entity_tag(revision) not in tags:
        raise PreconditionFailed("Read it again, then repeat your change.")


def own_unchanged(request: Request, rows: QuerySet[RowT], **lookup: Any) -> RowT:
    """The one row, locked until the caller's transaction ends, so that nobody changes it after ``If-Match`` was met.

    Raises ``NotFound``, ``PreconditionFailed``.
    """
    row = own(rows.select_for_update(of=("self",)), **lookup)
    require_match(request, cast(HasRevision, row).revision)
    return row
