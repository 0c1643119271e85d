"""What every page of the administration shares."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from accounts.models import Role
from accounts.pages.views import PageView
from keymanager.models import Registration
from keymanager.registrations.states import RegistrationState


class AdministrationPage(PageView):
    """A page for administrators; ``section`` names its entry of the side bar."""

    roles = (Role.ADMINISTRATOR,)
    section = ""

    def show(self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """The page, with the number of registrations that need a person beside the queue."""
        failed = Registration.objects.filter(state=RegistrationState.REFUSED).count()
        return super().show(template, {"section": self.section, "failed": failed, **(context or {})}, status=status)
