"""What an application is subscribed to."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import PageView, attempt, own, page_of
from keymanager.services.acceptance import accepted_key_managers
from store import services
from store.pages.api import api_head
from store.pages.applications import application_head, own_subscriptions
from store.queries import applications_with_credentials
from subscriptions.models import ApiVersion, Application, Plan
from subscriptions.queries.catalogue import store_versions
from subscriptions.queries.owned import applications_of_teams, subscriptions_of_teams
from subscriptions.services import subscribing
from subscriptions.states import ApplicationState


class SubscriptionsPage(PageView):
    """The list of one application."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Newest first."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        rows = own_subscriptions(application, self.actor.team_ids).prefetch_related("api_version__plans")
        context = {**application_head(application, section="subscriptions"), "page": page_of(request, rows)}
        return self.show("store/subscriptions.html", context)


def plan_words(plan: Plan) -> str:
    """A plan with its limit, in words."""
    if not plan.requests:
        return _("%(name)s: no limit") % {"name": plan.name}
    return _("%(name)s: %(requests)s calls in %(seconds)s seconds") % {
        "name": plan.name,
        "requests": f"{plan.requests:,}",
        "seconds": f"{plan.per_seconds:,}",
    }


class PlanField(forms.ModelChoiceField[Plan]):
    """Plans with their limits."""

    def label_from_instance(self, obj: Plan) -> str:
        """The plan in words."""
        return plan_words(obj)


class SubscribeForm(PageForm):
    """Which application, and under which plan."""

    application = forms.ModelChoiceField(
        label=gettext_lazy("Application"),
        queryset=Application.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("Its credentials will also work for this API."),
    )
    plan = PlanField(
        label=gettext_lazy("Plan"),
        queryset=Plan.objects.none(),
        empty_label=None,
        to_field_name="slug",
        widget=forms.RadioSelect,
    )

    def __init__(self, version: ApiVersion, team_ids: frozenset[uuid.UUID], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        application = cast("forms.ModelChoiceField[Application]", self.fields["application"])
        application.queryset = (
            applications_of_teams(team_ids)
            .filter(state=ApplicationState.ACTIVE)
            .exclude(subscriptions__api_version=version)
        )
        plan = cast("forms.ModelChoiceField[Plan]", self.fields["plan"])
        plan.queryset = version.plans.order_by("created_at", "slug")
        plan.initial = version.plans.order_by("created_at", "slug").first()


class SubscribePage(PageView):
    """Subscribe an application to an API."""

    roles = (Role.APP_DEVELOPER,)

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The form."""
        version = self._version(pk)
        asked = {name: request.GET[name] for name in ("application", "plan") if request.GET.get(name)}
        initial = kept_input(request) or asked
        return self._page(version, SubscribeForm(version, self.actor.team_ids, initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Subscribed at once; the gateway knows within a moment."""
        version = self._version(pk)
        form = SubscribeForm(version, self.actor.team_ids, request.POST)
        if form.is_valid():
            application = form.cleaned_data["application"]
            row = attempt(
                form,
                lambda: services.subscribe(
                    actor=self.actor, application=application, api_version=version, plan=form.cleaned_data["plan"]
                ),
            )
            if row is not None:
                words = _("%(application)s is subscribed to %(api)s.")
                messages.success(request, words % {"application": application.name, "api": version.api.name})
                return redirect("credentials", application.pk)
        return self._page(version, form, status=422)

    def _version(self, pk: uuid.UUID) -> ApiVersion:
        return own(store_versions(self.actor.team_ids), pk=pk)

    def _page(self, version: ApiVersion, form: SubscribeForm, *, status: int = 200) -> HttpResponse:
        applications = cast("forms.ModelChoiceField[Application]", form.fields["application"]).queryset
        context = {
            **api_head(version, self.actor, section="subscribe"),
            "form": form,
            "can_subscribe": applications is not None and applications.exists(),
            "scopes": version.scopes.order_by("key"),
            "key_managers": accepted_key_managers(version).order_by("name"),
        }
        return self.show("store/subscribe.html", context, status=status)


class ChangePlan(PageView):
    """Another plan that the API offers."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """From the next call on."""
        row = own(subscriptions_of_teams(self.actor.team_ids), pk=pk)
        plan = own(Plan.objects.all(), slug=request.POST.get("plan", ""))
        subscribing.change_subscription_plan(actor=self.actor, subscription=row, plan=plan)
        messages.success(request, _("The plan is now %(name)s.") % {"name": plan.name})
        return redirect("subscriptions", row.application_id)


class Unsubscribe(PageView):
    """End a subscription."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The gateway refuses its calls from now on."""
        row = own(subscriptions_of_teams(self.actor.team_ids), pk=pk)
        services.unsubscribe(actor=self.actor, subscription=row)
        messages.success(request, _("Unsubscribed from %(api)s.") % {"api": row.api_version.api.name})
        return redirect("subscriptions", row.application_id)
