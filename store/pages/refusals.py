"""Why a call was refused: paste the reference, read the verdict."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.pages.forms import PageForm
from accounts.pages.views import PageView
from keymanager.validation.step import VerdictEntry
from keymanager.validation.verdicts import StoredStep, find_verdict
from subscriptions.models import ApiVersion, Application

StepT = TypeVar("StepT", StoredStep, VerdictEntry)
STEPS: Final[dict[str, Any]] = {
    "route": _("The path is one of an API"),
    "credential": _("The call carries a token"),
    "token": _("The token is good"),
    "audience": _("The token is for this API"),
    "key_manager": _("The API accepts this key manager"),
    "application": _("The token belongs to an application"),
    "subscription": _("The application is subscribed"),
    "plan": _("Within the limit of the plan"),
    "scopes": _("The token has the scope"),
    "backend_jwt": _("The backend is told who calls"),
}


class ReferenceForm(PageForm):
    """What the refused answer carried."""

    reference = forms.CharField(
        label=_("Reference"),
        max_length=60,
        help_text=_("It is in the refused answer’s body, as “reference”."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}),
    )


class ExplainPage(PageView):
    """Ask for a reference, or show its verdict."""

    def get(self, request: HttpRequest, reference: str = "") -> HttpResponse:
        """The verdict is readable by the application's team; unknown and not-yours answer alike."""
        asked = request.GET.get("reference", "").strip()
        if asked and asked.replace("-", "").replace("_", "").isalnum():
            return redirect("explain", asked)
        context: dict[str, Any] = {"form": ReferenceForm(initial={"reference": reference}), "reference": reference}
        if not reference:
            return self.show("store/explain.html", context)
        found = verdict_context(reference, self.actor)
        if found is None:
            return self.show("store/explain.html", {**context, "missing": True}, status=404)
        return self.show("store/explain.html", {**context, **found})


def in_words(steps: Sequence[StepT]) -> list[tuple[Any, StepT]]:
    """Each step with what it looks at; a step of an extension with its name."""
    return [(STEPS.get(step.name, step.name.replace("_", " ").capitalize()), step) for step in steps]


def verdict_context(reference: str, actor: Actor) -> dict[str, Any] | None:
    """A verdict with what it is about, or ``None`` when there is none that ``actor`` may read."""
    verdict = find_verdict(reference, actor.team_ids, administrator=actor.is_administrator)
    if verdict is None:
        return None
    versions = ApiVersion.objects.select_related("api").defer("definition")
    return {
        "verdict": verdict,
        "steps": in_words(verdict.steps),
        "version": versions.filter(pk=verdict.api_version_id).first() if verdict.api_version_id else None,
        "application": Application.objects.filter(pk=verdict.application_id).first()
        if verdict.application_id
        else None,
    }
