"""The guides of one API."""

import uuid

from django.http import HttpRequest, HttpResponse

from accounts.pages.views import PageView, own
from store.pages.api import api_head
from subscriptions.queries.catalogue import store_versions


class GuidesPage(PageView):
    """The list of guides, and one of them opened."""

    roles = None

    def get(self, request: HttpRequest, pk: uuid.UUID, document: uuid.UUID | None = None) -> HttpResponse:
        """The first guide when none is named."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        guides = version.documents.filter(visible=True)
        context = {
            **api_head(version, self.actor, section="guides"),
            "guides": guides.defer("text"),
            "chosen": guides.first() if document is None else own(guides, pk=document),
        }
        return self.show("store/guides.html", context)
