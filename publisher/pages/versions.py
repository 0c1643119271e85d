"""Versions of one API: the list, and a new one as a copy."""

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt
from publisher import services
from publisher.pages.shell import STATE_WORDS, VersionPage
from publisher.queries import versions_with_subscribers
from subscriptions.models import ApiVersion
from subscriptions.states import ApiState


class NewVersionForm(PageForm):
    """The new version's name."""

    version = forms.CharField(
        label=gettext_lazy("New version"),
        max_length=30,
        help_text=gettext_lazy("As 2.0.0. It is the second part of the path at the gateway."),
    )


class VersionsPage(VersionPage):
    """All versions, and a copy of this one."""

    section = "versions"
    heading = gettext_lazy("Versions")
    lead = gettext_lazy("Each version has its own subscriptions and its own path at the gateway.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The list and the form."""
        return self._page(self.version(pk), NewVersionForm(initial=kept_input(request)))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A draft with the same design, endpoints, plans and key managers."""
        self.actor.require_role(Role.API_DEVELOPER)
        version = self.version(pk)
        form = NewVersionForm(request.POST)
        if form.is_valid():
            name = form.cleaned_data["version"]
            row = attempt(form, lambda: services.copy_api(actor=self.actor, api_version=version, version=name))
            if row is not None:
                words = _("%(new)s was made as a draft, as a copy of %(old)s.")
                messages.success(request, words % {"new": row, "old": version.version})
                return redirect("publisher-api", row.pk)
        return self._page(version, form, status=422)

    def _page(self, version: ApiVersion, form: NewVersionForm, *, status: int = 200) -> HttpResponse:
        siblings = versions_with_subscribers(self.actor.team_ids).filter(api=version.api)
        rows = [(row, *STATE_WORDS[ApiState(row.state)]) for row in siblings]
        return self.show_version("publisher/versions.html", version, {"form": form, "rows": rows}, status=status)
