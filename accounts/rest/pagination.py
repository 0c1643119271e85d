"""Pages of lists."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from accounts.deep_pages import DeepPaginator
from common.errors import InputError


class PageNumberPages(PageNumberPagination):
    """``?page=2&page_size=50``; at most 200 rows a page, also when more are asked for."""

    django_paginator_class = DeepPaginator
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """How a page of ``schema`` looks, in the words of OpenAPI 3.1: the base class still speaks 3.0."""
        page = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            page["properties"][name] = {"type": ["string", "null"], "format": "uri"}
        return page

    def get_page_size(self, request: Request) -> int:
        """Rows a page. Raises ``InputError`` naming ``page_size`` for what is no number of rows."""
        asked = request.query_params.get(self.page_size_query_param, "")
        if not asked:
            return self.page_size
        if not asked.isascii() or not asked.isdigit() or not asked.strip("0"):
            raise InputError.of(self.page_size_query_param, f"A whole number from 1 to {self.max_page_size}.")
        return self.max_page_size if len(asked) > 9 else min(int(asked), self.max_page_size)
