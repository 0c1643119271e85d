"""The full console: Swagger UI over the definition that the store serves, with a token of one's own."""

import uuid

from django.http import HttpRequest, HttpResponse

from accounts.pages.views import PageView, own
from keymanager.services.callers import credentials_that_can_call
from store.pages.api import api_head
from subscriptions.models import ApiVersion
from subscriptions.queries.catalogue import store_versions


class ConsolePage(PageView):
    """One API version; its large script is loaded only here."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page; the script fetches the definition."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        context = {
            **api_head(version, self.actor, section="console"),
            "defined": ApiVersion.objects.filter(pk=pk).exclude(definition=None).exists(),
            "callers": credentials_that_can_call(version, self.actor.team_ids) if self.actor.team_ids else [],
        }
        return self.show("store/console.html", context)
