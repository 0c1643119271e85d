"""Who subscribes to an API version, and blocking one of them."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.views import PageView, own, page_of
from common.errors import RuleError
from publisher import services
from publisher.pages.shell import VersionPage
from subscriptions.models import Subscription
from subscriptions.queries.owned import subscriptions_to_teams
from subscriptions.states import BLOCKABLE


class SubscribersPage(VersionPage):
    """Applications that may call it."""

    section = "subscriptions"
    heading = gettext_lazy("Subscriptions")
    lead = gettext_lazy("Who may call the API. Blocking is effective at the gateway within a moment.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Newest first; ``?q=`` filters by application or team."""
        version = self.version(pk)
        rows = subscriptions_to_teams(self.actor.team_ids).filter(api_version=version)
        asked = request.GET.get("q", "").strip()
        if asked:
            rows = rows.filter(application__name__icontains=asked) | rows.filter(
                application__team__name__icontains=asked
            )
        context = {"page": page_of(request, rows), "asked": asked, "blockable": [state.value for state in BLOCKABLE]}
        return self.show_version("publisher/subscribers.html", version, context)


class SubscriberAction(PageView):
    """One button of a subscription."""

    roles = (Role.PUBLISHER,)

    def act(self, row: Subscription) -> str:
        """Do it. Returns what the page says afterwards."""
        raise NotImplementedError

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Do it and go back to the list."""
        row = own(subscriptions_to_teams(self.actor.team_ids), pk=pk)
        try:
            messages.success(request, self.act(row) % {"name": row.application.name})
        except RuleError as error:
            messages.error(request, error.message)
        return redirect("publisher-subscriptions", row.api_version_id)


class BlockSubscriber(SubscriberAction):
    """Refuse every call, or production calls only (``scope=production``)."""

    def act(self, row: Subscription) -> str:
        """Within a moment at the gateway."""
        production = self.request.POST.get("scope") == "production"
        services.block_subscription(actor=self.actor, subscription=row, production_only=production)
        if production:
            return _("Production calls of %(name)s are refused from now on, sandbox calls pass.")
        return _("Every call of %(name)s is refused from now on.")


class UnblockSubscriber(SubscriberAction):
    """Let the calls through again."""

    def act(self, row: Subscription) -> str:
        """Within a moment at the gateway."""
        services.unblock_subscription(actor=self.actor, subscription=row)
        return _("Calls of %(name)s pass again.")
