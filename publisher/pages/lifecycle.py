"""The lifecycle of one API version: what each action does, whom it hits, what stops it; deletion."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from common.errors import InputError, NotFound, RuleError
from keymanager.services.acceptance import accepted_key_managers
from publisher import services
from publisher.pages.history import newest_events
from publisher.pages.overview import strip_of
from publisher.pages.shell import VersionAction, VersionPage
from subscriptions.models import ApiVersion
from subscriptions.rules import unmet_for_publishing
from subscriptions.services.apis import publish_facts
from subscriptions.states import ApiState, LifecycleAction, available_actions, next_state

# Button, what it does, what the page says afterwards.
ACTIONS: Final[dict[LifecycleAction, tuple[Any, Any, Any]]] = {
    LifecycleAction.PUBLISH: (
        gettext_lazy("Publish"),
        gettext_lazy("It is in the store and takes subscriptions, and the gateway lets their calls through."),
        gettext_lazy("Published."),
    ),
    LifecycleAction.BLOCK: (
        gettext_lazy("Block"),
        gettext_lazy("The gateway answers 503 to every call. It stays in the store, and subscriptions stay."),
        gettext_lazy("Blocked. The gateway answers 503 within a moment."),
    ),
    LifecycleAction.UNBLOCK: (
        gettext_lazy("Unblock"),
        gettext_lazy("The gateway lets the subscribers’ calls through again."),
        gettext_lazy("Unblocked."),
    ),
    LifecycleAction.DEPRECATE: (
        gettext_lazy("Deprecate"),
        gettext_lazy("It works on for those who are subscribed, and takes no new subscriptions."),
        gettext_lazy("Deprecated."),
    ),
    LifecycleAction.RETIRE: (
        gettext_lazy("Retire"),
        gettext_lazy("It leaves the store, and the gateway answers 404. A retired version does not come back."),
        gettext_lazy("Retired."),
    ),
    LifecycleAction.DEMOTE: (
        gettext_lazy("Make it a draft again"),
        gettext_lazy("It leaves the store, and the gateway answers 404. Subscriptions wait until it is published."),
        gettext_lazy("It is a draft again."),
    ),
}
_HITS: Final = frozenset(
    {LifecycleAction.BLOCK, LifecycleAction.DEPRECATE, LifecycleAction.RETIRE, LifecycleAction.DEMOTE}
)


class LifecyclePage(VersionPage):
    """Every action that its state allows."""

    section = "lifecycle"
    heading = gettext_lazy("Lifecycle")
    lead = gettext_lazy("What can be done now, what each action does, and whom it hits.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        version = self.version(pk)
        facts = publish_facts(version, accepted_key_managers=accepted_key_managers(version).count())
        unmet = unmet_for_publishing(facts)
        state = ApiState(version.state)
        subscribers = version.subscriptions.count()
        context = {
            "strip": strip_of(version),
            "actions": [
                {
                    "name": action.value,
                    "label": ACTIONS[action][0],
                    "does": ACTIONS[action][1],
                    "main": next_state(state, action) is ApiState.PUBLISHED,
                    "hits": subscribers if action in _HITS else 0,
                    "unmet": unmet if next_state(state, action) is ApiState.PUBLISHED else [],
                }
                for action in available_actions(state)
            ],
            "events": newest_events(version, most=10),
            "may_delete": state in {ApiState.CREATED, ApiState.RETIRED},
        }
        return self.show_version("publisher/lifecycle.html", version, context)


class MoveApi(VersionAction):
    """Carry out one action."""

    roles = (Role.PUBLISHER,)
    back = "publisher-lifecycle"

    def act(self, version: ApiVersion) -> str:
        """The service says what stops it."""
        try:
            action = LifecycleAction(self.request.POST.get("action", ""))
        except ValueError as exc:
            raise NotFound from exc
        services.move_api(actor=self.actor, api_version=version, action=action)
        return str(ACTIONS[action][2])


class DeleteApi(VersionPage):
    """Delete a version that nothing uses."""

    roles = (Role.API_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Only when its name was typed."""
        version = self.version(pk)
        try:
            if request.POST.get("confirm", "").strip() != str(version):
                raise InputError.of("confirm", _("The name does not match, nothing was deleted."))
            services.delete_api(actor=self.actor, api_version=version)
        except (RuleError, InputError) as error:
            said = [*error.fields.get("confirm", [error.message]), *getattr(error, "unmet", [])]
            messages.error(request, " ".join(said))
            return redirect("publisher-lifecycle", pk)
        messages.success(request, _("%(name)s was deleted, and leaves its key managers now.") % {"name": version})
        return redirect("publisher")
