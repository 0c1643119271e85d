"""Calling an own API as a subscriber does: what that needs, and the way to each operation's panel in the store."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from keymanager.services.callers import credentials_that_can_call
from publisher.pages.shell import STATE_WORDS, VersionPage
from subscriptions.models import ApiVersion
from subscriptions.queries.owned import subscriptions_of_teams
from subscriptions.states import SUBSCRIBABLE, ApiState, OperationAuth, SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One line of the checklist. ``url``: the page that mends it, "" for none; ``button``: its link's word."""

    met: bool
    words: Any
    detail: str
    url: str = ""
    button: str = ""


class TryPage(VersionPage):
    """The checklist before a test call, and the operations."""

    section = "test"
    heading = gettext_lazy("Test")
    lead = gettext_lazy("Call it through the gateway as a subscriber does, with an application of your own.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Nothing is called by looking."""
        version = self.version(pk)
        callable_now = version.state in {ApiState.PUBLISHED, ApiState.DEPRECATED}
        needs = [_served(version, callable_now=callable_now), *self._caller(version)]
        operations = list(version.operations.prefetch_related("scopes"))
        ready = all(need.met for need in needs)
        context = {
            "needs": needs,
            "operations": [(row, callable_now and (ready or row.auth == OperationAuth.NONE)) for row in operations],
        }
        return self.show_version("publisher/test.html", version, context)

    def _caller(self, version: ApiVersion) -> list[Need]:
        """What an operation that asks for a token needs."""
        if not self._has(Role.APP_DEVELOPER):
            detail = _("An administrator gives the role, or an app developer of your team makes the call.")
            return [Need(met=False, words=_("You have the role App developer"), detail=detail)]
        mine = subscriptions_of_teams(self.actor.team_ids).filter(api_version=version)
        subscribed = list(mine.filter(state=SubscriptionState.UNBLOCKED)[:20])
        callers = credentials_that_can_call(version, self.actor.team_ids)
        first = callers[0] if callers else None
        return [
            Need(
                met=bool(subscribed),
                words=_("An application of your teams is subscribed"),
                detail=", ".join(row.application.name for row in subscribed) or _("Any plan will do."),
                url=_address("subscribe", version.pk) if version.state in SUBSCRIBABLE else "",
                button=_("Subscribe"),
            ),
            Need(
                met=first is not None,
                words=_("It has a client whose secret is kept"),
                detail=f"{first.application.name}, {first.key_manager.name}" if first else _("It fetches the token."),
                url=_address("application", subscribed[0].application_id) if subscribed else "",
                button=_("Register a client"),
            ),
        ]


def _served(version: ApiVersion, *, callable_now: bool) -> Need:
    words = STATE_WORDS[ApiState(version.state)][1]
    detail = _("It is %(state)s. The gateway serves published and deprecated versions.") % {"state": str(words).lower()}
    return Need(
        met=callable_now,
        words=_("The gateway serves it"),
        detail=version.path_prefix if callable_now else detail,
        url=_address("publisher-lifecycle", version.pk),
        button=_("Lifecycle"),
    )


def _address(name: str, *args: Any) -> str:
    """The page, or "" when this process does not serve the part that it belongs to."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
