"""One API version at a glance: lifecycle, what publishing still needs, registrations, facts, history."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.pages.polling import turn_of
from keymanager.services.acceptance import accepted_key_managers
from publisher.pages.history import newest_events
from publisher.pages.registrations import KeyManagerRow, table_of
from publisher.pages.shell import STATE_WORDS, VersionPage
from publisher.queries import in_state_since, neighbours_of
from subscriptions.models import ApiVersion
from subscriptions.rules import PublishCheck, publish_checks, unmet_for_publishing
from subscriptions.services.apis import publish_facts
from subscriptions.states import ApiState, LifecycleAction, OperationAuth, available_actions

# The lifecycle strip: each state with what it means.
STRIP: Final = (
    (ApiState.CREATED, gettext_lazy("your team alone sees it")),
    (ApiState.PUBLISHED, gettext_lazy("open to subscribe")),
    (ApiState.BLOCKED, gettext_lazy("gateway answers 503")),
    (ApiState.DEPRECATED, gettext_lazy("no new subscriptions")),
    (ApiState.RETIRED, gettext_lazy("gateway knows it no more")),
)
_CHECKS: Final[dict[PublishCheck, tuple[Any, str, Any]]] = {
    PublishCheck.OPERATIONS: (gettext_lazy("It has operations"), "publisher-design", gettext_lazy("Add operations")),
    PublishCheck.ENDPOINT: (
        gettext_lazy("It has an endpoint"),
        "publisher-endpoints",
        gettext_lazy("Give an endpoint"),
    ),
    PublishCheck.PLAN: (
        gettext_lazy("At least one plan is offered"),
        "publisher-plans",
        gettext_lazy("Choose plans"),
    ),
    PublishCheck.KEY_MANAGER: (
        gettext_lazy("At least one key manager is accepted"),
        "publisher-key-managers",
        gettext_lazy("Choose key managers"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One line of the checklist. ``look``: ``done``, ``fix`` or ``run``; ``url``: name of the page that mends it."""

    look: str
    words: Any
    detail: str
    url: str
    button: Any


class OverviewPage(VersionPage):
    """The page that a publisher comes back to."""

    section = "overview"
    heading = gettext_lazy("Overview")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        version = self.version(pk)
        accepted = accepted_key_managers(version).count()
        facts = publish_facts(version, accepted_key_managers=accepted)
        table = table_of(version, turn=turn_of(request))
        items = [*_publishing(version, publish_checks(facts)), _registered(table["registrations"])]
        before, newer = neighbours_of(version)
        context = {
            **table,
            "before": before,
            "newer": newer,
            "strip": strip_of(version),
            "checklist": items,
            "left": [item for item in items if item.look != "done"],
            "unmet": unmet_for_publishing(facts),
            "can_publish": LifecycleAction.PUBLISH in available_actions(ApiState(version.state)),
            "accepted_count": accepted,
            "events": newest_events(version, most=6),
        }
        return self.show_version("publisher/overview.html", version, context)


def strip_of(version: ApiVersion) -> list[dict[str, Any]]:
    """The states in order, the present one with the time since when it is."""
    since = in_state_since(version)
    return [
        {"words": STATE_WORDS[state][1], "detail": detail, "since": since if version.state == state else None}
        for state, detail in STRIP
    ]


def _publishing(version: ApiVersion, checks: dict[PublishCheck, bool]) -> list[CheckItem]:
    details = _details(version)
    return [
        CheckItem(
            look="done" if met else "fix",
            words=_CHECKS[check][0],
            detail=details[check],
            url=_CHECKS[check][1],
            button=_("Open") if met else _CHECKS[check][2],
        )
        for check, met in checks.items()
    ]


def _details(version: ApiVersion) -> dict[PublishCheck, str]:
    """What each check looked at."""
    operations = list(version.operations.prefetch_related("scopes"))
    public = sum(1 for row in operations if row.auth == OperationAuth.NONE)
    scoped = sum(1 for row in operations if row.scopes.all())
    plans = ", ".join(plan.name for plan in version.plans.all())
    counted = {"all": len(operations), "scoped": scoped, "public": public}
    return {
        PublishCheck.OPERATIONS: _("%(all)s operations: %(scoped)s with a scope, %(public)s without a token") % counted,
        PublishCheck.ENDPOINT: version.production_url or version.sandbox_url or _("Where the gateway sends calls"),
        PublishCheck.PLAN: plans or _("How fast a subscriber may call"),
        PublishCheck.KEY_MANAGER: _("Whose tokens are let through"),
    }


def _registered(rows: list[KeyManagerRow]) -> CheckItem:
    failed = [row.key_manager.name for row in rows if row.look == "bad"]
    under_way = [row.key_manager.name for row in rows if row.look == "wait"]
    if failed:
        detail = _("Failed at %(names)s") % {"names": ", ".join(failed)}
    elif under_way:
        detail = _("Under way at %(names)s. Publishing need not wait for it.") % {"names": ", ".join(under_way)}
    else:
        detail = ", ".join(f"{row.key_manager.name}: {row.words}" for row in rows)
    return CheckItem(
        look="fix" if failed else "run" if under_way else "done",
        words=_("Registered at key managers"),
        detail=detail,
        url="publisher-key-managers",
        button=_("Look") if failed else _("Watch") if under_way else _("Open"),
    )
