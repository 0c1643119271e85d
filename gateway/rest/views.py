"""What each gateway serves."""

from rest_framework import generics, serializers

from accounts.rest.permissions import ADMINISTRATORS
from gateway.models import GatewayReport


class GatewayReportBody(serializers.ModelSerializer[GatewayReport]):
    """One gateway: the configuration in effect, and what it refused."""

    class Meta:
        model = GatewayReport
        fields = ("name", "version", "apis", "applied_at", "milliseconds", "error", "reported_at")


class GatewayListView(generics.ListAPIView[GatewayReport]):
    """Every gateway that reported."""

    permission_classes = ADMINISTRATORS
    serializer_class = GatewayReportBody
    queryset = GatewayReport.objects.order_by("name")
