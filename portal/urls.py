"""All URLs; ``ARCHWAY_PARTS`` decides which a web process serves, the others are 404."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
