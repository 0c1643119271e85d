"""What an application is subscribed to. Each form is a dialog over the page it was asked from, or a page of its own."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.htmx import go_to, layout_for
from accounts.pages.kept_input import kept_input
from accounts.pages.views import PageView, attempt, own, page_of
from keymanager.services.acceptance import accepted_key_managers
from store import services
from store.pages.api import api_head
from store.pages.applications import application_head, own_subscriptions
from store.pages.subscription_forms import PlanForm, SubscribeForm
from store.queries import applications_with_credentials
from subscriptions.models import ApiVersion, Plan, Subscription
from subscriptions.queries.catalogue import store_versions
from subscriptions.queries.owned import subscriptions_of_teams
from subscriptions.services import subscribing


class SubscriptionsPage(PageView):
    """The list of one application."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Newest first."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        rows = own_subscriptions(application, self.actor.team_ids)
        context = {**application_head(application, section="subscriptions"), "page": page_of(request, rows)}
        return self.show("store/subscriptions.html", context)


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
        row = attempt(form, lambda: self._subscribed(version, form)) if form.is_valid() else None
        if row is None:
            return self._page(version, form, status=422)
        words = _("%(application)s is subscribed to %(api)s.")
        messages.success(request, words % {"application": row.application.name, "api": version.api.name})
        return go_to(request, reverse("credentials", args=[row.application_id]))

    def _subscribed(self, version: ApiVersion, form: SubscribeForm) -> Subscription:
        application, plan = form.cleaned_data["application"], form.cleaned_data["plan"]
        if application is not None:
            return services.subscribe(actor=self.actor, application=application, api_version=version, plan=plan)
        return services.subscribe_new_application(
            actor=self.actor, name=form.cleaned_data["name"], api_version=version, plan=plan
        )

    def _version(self, pk: uuid.UUID) -> ApiVersion:
        return own(store_versions(self.actor.team_ids), pk=pk)

    def _page(self, version: ApiVersion, form: SubscribeForm, *, status: int = 200) -> HttpResponse:
        mine = Subscription.objects.filter(api_version=version, application__team__in=self.actor.team_ids)
        context = {
            **api_head(version, self.actor, section="subscribe"),
            "form": form,
            "layout": layout_for(self.request),
            "head": "store/api_head.html",
            "title": _("Subscribe to %(name)s") % {"name": version.api.name},
            "back": reverse("store-api", args=[version.pk]),
            "scopes": version.scopes.order_by("key"),
            "key_managers": accepted_key_managers(version).order_by("name"),
            "own_subscriptions": mine.select_related("application").order_by("application__name")[:5],
        }
        return self.show("store/subscribe.html", context, status=status)


class SubscriptionForm(PageView):
    """A form about one subscription of the person's teams."""

    roles = (Role.APP_DEVELOPER,)

    def row(self, pk: uuid.UUID) -> Subscription:
        """The subscription. Raises ``NotFound``."""
        return own(subscriptions_of_teams(self.actor.team_ids), pk=pk)

    def page(self, template: str, row: Subscription, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """The form in its frame; ``context`` has ``title`` and ``form``."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=row.application_id)
        frame = {
            **application_head(application, section="subscriptions"),
            "subscription": row,
            "layout": layout_for(self.request),
            "head": "store/application_head.html",
            "back": reverse("subscriptions", args=[row.application_id]),
        }
        return self.show(template, {**frame, **context}, status=status)

    def done(self, row: Subscription, words: str) -> HttpResponse:
        """Say so on the list."""
        messages.success(self.request, words)
        return go_to(self.request, reverse("subscriptions", args=[row.application_id]))


class ChangePlan(SubscriptionForm):
    """Another plan that the API offers."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The plans with their limits, the present one chosen."""
        row = self.row(pk)
        return self._page(row, PlanForm(row.api_version, initial=kept_input(request) or {"plan": row.plan.slug}))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """From the next call on."""
        row = self.row(pk)
        form = PlanForm(row.api_version, request.POST)
        if form.is_valid():
            plan: Plan = form.cleaned_data["plan"]
            changed = attempt(
                form,
                lambda: subscribing.change_subscription_plan(actor=self.actor, subscription=row, plan=plan),
            )
            if changed is not None:
                return self.done(row, _("The plan is now %(name)s.") % {"name": plan.name})
        return self._page(row, form, status=422)

    def _page(self, row: Subscription, form: PlanForm, *, status: int = 200) -> HttpResponse:
        title = _("Change the plan for %(api)s") % {"api": row.api_version.api.name}
        return self.page("store/subscription_plan.html", row, {"title": title, "form": form}, status=status)


class Unsubscribe(SubscriptionForm):
    """End a subscription."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What ends with it."""
        return self._page(self.row(pk), PageForm())

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The gateway refuses its calls from now on."""
        row, form = self.row(pk), PageForm(request.POST)

        def ended() -> bool:
            services.unsubscribe(actor=self.actor, subscription=row)
            return True

        if attempt(form, ended) is None:
            return self._page(row, form, status=422)
        return self.done(row, _("Unsubscribed from %(api)s.") % {"api": row.api_version.api.name})

    def _page(self, row: Subscription, form: PageForm, *, status: int = 200) -> HttpResponse:
        context = {
            "title": _("Unsubscribe from %(api)s") % {"api": row.api_version.api.name},
            "form": form,
            "button": "danger",
            "scopes": row.api_version.scopes.order_by("key"),
        }
        return self.page("store/unsubscribe.html", row, context, status=status)
