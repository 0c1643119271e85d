"""What each gateway says of itself."""

from django.db import models


class GatewayReport(models.Model):
    """The newest report of one gateway: which configuration is in effect there, and what it refused."""

    name = models.CharField(max_length=100, primary_key=True)
    version = models.CharField(max_length=64, blank=True)
    apis = models.PositiveIntegerField(default=0)
    applied_at = models.DateTimeField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True)
    reported_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name
