"""Plans: how fast subscribers may call."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, own
from administration.pages.base import AdministrationPage
from common.errors import RuleError
from subscriptions.models import Plan
from subscriptions.services import plans


class PlanForm(PageForm):
    """One plan; both numbers empty means no limit."""

    slug = forms.CharField(label=gettext_lazy("Short name"), max_length=60)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(label=gettext_lazy("For whom"), max_length=500, required=False)
    requests = forms.IntegerField(label=gettext_lazy("Calls"), min_value=1, required=False)
    per_seconds = forms.IntegerField(label=gettext_lazy("in so many seconds"), min_value=1, required=False)

    def __init__(self, *args: Any, existing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if existing:
            del self.fields["slug"]


class PlansPage(AdministrationPage):
    """All plans, and a new one."""

    section = "plans"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list and the form."""
        return self._page(PlanForm(initial=kept_input(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add one."""
        form = PlanForm(request.POST)
        if form.is_valid():
            row = attempt(form, lambda: plans.create_plan(actor=self.actor, **form.cleaned_data))
            if row is not None:
                messages.success(request, _("The plan %(name)s was added.") % {"name": row.name})
                return redirect("plans")
        return self._page(form, status=422)

    def _page(self, form: PlanForm, *, status: int = 200) -> HttpResponse:
        rows = Plan.objects.annotate(
            subscribers=Count("subscriptions", distinct=True), offers=Count("api_versions", distinct=True)
        )
        context = {"form": form, "plans": rows.order_by("created_at", "slug")}
        return self.show("administration/plans.html", context, status=status)


class PlanPage(AdministrationPage):
    """Change one plan, for every subscription that has it."""

    section = "plans"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The form."""
        row = own(Plan.objects.all(), slug=slug)
        initial = {name: getattr(row, name) for name in ("name", "description", "requests", "per_seconds")}
        return self._page(row, PlanForm(existing=True, initial=kept_input(request) or initial))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Save; the gateway knows within a moment."""
        row = own(Plan.objects.all(), slug=slug)
        form = PlanForm(request.POST, existing=True)
        if form.is_valid():
            changes = form.cleaned_data
            changed = attempt(form, lambda: plans.change_plan(actor=self.actor, plan=row, changes=changes))
            if changed is not None:
                messages.success(request, _("The plan %(name)s was changed.") % {"name": changed.name})
                return redirect("plans")
        return self._page(row, form, status=422)

    def _page(self, row: Plan, form: PlanForm, *, status: int = 200) -> HttpResponse:
        return self.show("administration/plan.html", {"form": form, "plan": row}, status=status)


class DeletePlan(AdministrationPage):
    """Delete a plan that nothing uses."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """A plan in use stays, and the page says who uses it."""
        row = own(Plan.objects.all(), slug=slug)
        try:
            plans.delete_plan(actor=self.actor, plan=row)
            messages.success(request, _("The plan %(name)s was deleted.") % {"name": row.name})
        except RuleError as error:
            messages.error(request, " ".join([error.message, *error.unmet]))
        return redirect("plans")
