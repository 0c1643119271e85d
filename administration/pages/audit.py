"""The audit log."""

from django.http import HttpRequest, HttpResponse

from accounts.pages.views import page_of
from administration.pages.base import AdministrationPage
from administration.rest.filters import AuditFilter
from subscriptions.models import AuditEvent


class AuditPage(AdministrationPage):
    """Who did what, newest first."""

    section = "audit"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Filtered by person, action and object."""
        found = AuditFilter(request.GET, queryset=AuditEvent.objects.all()).qs
        return self.show("administration/audit.html", {"page": page_of(request, found, size=50)})
