"""What every page of one API version stands on: the row, who may change it, its side bar and its state in words."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.pages.views import PageView, own
from common.errors import InputError, NotSupported, RuleError
from keymanager.registrations.states import RegistrationState
from keymanager.services.resources import registrations_of
from publisher.queries import versions_with_subscribers
from subscriptions.models import ApiVersion
from subscriptions.states import IN_STORE, ApiState

PUBLISHING: Final = (Role.API_DEVELOPER, Role.PUBLISHER)
STATE_WORDS: Final[dict[ApiState, tuple[str, Any]]] = {
    ApiState.CREATED: ("off", _("Draft")),
    ApiState.PUBLISHED: ("ok", _("Published")),
    ApiState.BLOCKED: ("bad", _("Blocked")),
    ApiState.DEPRECATED: ("wait", _("Deprecated")),
    ApiState.RETIRED: ("off", _("Retired")),
}


class VersionPage(PageView):
    """A page of one own API version. ``section``: its entry of the side bar; ``heading`` and ``lead``: its head."""

    roles: ClassVar[tuple[Role, ...] | None] = PUBLISHING
    section: ClassVar[str] = ""
    heading: ClassVar[Any] = ""
    lead: ClassVar[Any] = ""

    def version(self, pk: uuid.UUID) -> ApiVersion:
        """The row, or ``NotFound``."""
        return own(versions_with_subscribers(self.actor.team_ids), pk=pk)

    def show_version(
        self, template: str, version: ApiVersion, context: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> HttpResponse:
        """The page with its side bar."""
        return self.show(template, {**self._shell(version), **(context or {})}, status=status)

    def _shell(self, version: ApiVersion) -> dict[str, Any]:
        look, words = STATE_WORDS[ApiState(version.state)]
        states = list(registrations_of(version).values_list("state", flat=True))
        return {
            "version": version,
            "section": self.section,
            "heading": self.heading,
            "lead": self.lead,
            "state_look": look,
            "state_words": words,
            "in_store": version.state in IN_STORE,
            "failed_count": states.count(RegistrationState.REFUSED),
            "may_design": self._has(Role.API_DEVELOPER),
            "may_publish": self._has(Role.PUBLISHER),
        }

    def _has(self, role: Role) -> bool:
        return role in self.actor.roles or self.actor.is_administrator


class VersionAction(VersionPage):
    """One button of one API version's pages: do it, say so, go back; a refusal is said there."""

    back: ClassVar[str] = "publisher-api"

    def act(self, version: ApiVersion) -> str:
        """Do it. Returns what the page says afterwards."""
        raise NotImplementedError

    def post(self, request: HttpRequest, pk: uuid.UUID, **_parts: Any) -> HttpResponse:
        """Do it."""
        try:
            messages.success(request, self.act(self.version(pk)))
        except (RuleError, NotSupported, InputError) as error:
            messages.error(request, " ".join([error.message, *getattr(error, "unmet", [])]))
        return redirect(self.back, pk)
