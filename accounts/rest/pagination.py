"""Pages of lists."""

from rest_framework.pagination import PageNumberPagination

from accounts.deep_pages import DeepPaginator


class PageNumberPages(PageNumberPagination):
    """``?page=2&page_size=50``; at most 200 rows a page."""

    django_paginator_class = DeepPaginator
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 200
