"""URLs below ``/admin-portal/``."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
