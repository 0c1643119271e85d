"""URLs of tests that reach the embedded authorization server through Django's own request handling."""

from django.urls import include, path

from keymanager.resident import urls as resident

urlpatterns = [path("resident/", include("keymanager.resident.urls")), *resident.metadata_urlpatterns]
