"""Pages of lists."""

from rest_framework.pagination import PageNumberPagination


class PageNumberPages(PageNumberPagination):
    """``?page=2&page_size=50``; at most 200 rows a page."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 200
