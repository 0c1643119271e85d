"""URLs below ``/api/v1/admin/gateways/``."""

from django.urls import path

from gateway.rest import views

urlpatterns = [path("", views.GatewayListView.as_view())]
