"""URLs of the store's pages, from the portal's root."""

from django.urls import path

from store.pages import api, applications, catalogue, reference

urlpatterns = [
    path("", catalogue.HomePage.as_view(), name="store-home"),
    path("apis/<uuid:pk>/", api.ApiPage.as_view(), name="store-api"),
    path("apis/<uuid:pk>/reference/", reference.ReferencePage.as_view(), name="store-reference"),
    path("apis/<uuid:pk>/reference/<uuid:operation>/", reference.ReferencePage.as_view(), name="store-operation"),
    path("apps/", applications.ApplicationsPage.as_view(), name="applications"),
]
