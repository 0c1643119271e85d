"""Pages far behind the first one, without reading all that comes before them."""

from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

# Up to here the plain query is the cheapest.
NEAR: Final = 1_000


class DeepPaginator(Paginator[Any]):
    """Django's paginator, but that a far page of a query set is found by keys, from the end that is nearer.

    A plain ``OFFSET`` joins every row that it then passes over; here only the rows of the page are joined. The query
    set needs an order that says of any two rows which one comes first.
    """

    def page(self, number: int | str) -> Page[Any]:
        """The page with this number. Raises ``InvalidPage`` as Django's does."""
        found = self.validate_number(number)
        first = (found - 1) * self.per_page
        rows = self.object_list
        if first < NEAR or not isinstance(rows, QuerySet):
            return super().page(found)
        end = min(first + self.per_page, self.count)
        if first > self.count // 2:
            keys = rows.reverse().values("pk")[self.count - end : self.count - first]
        else:
            keys = rows.values("pk")[first:end]
        return Page(rows.filter(pk__in=keys), found, self)
