"""A person's applications."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from accounts.pages.views import PageView, page_of
from store.rest.filters import ApplicationFilter
from subscriptions.queries.owned import applications_of_teams
from subscriptions.states import ApplicationState


class ApplicationsPage(PageView):
    """The list of the person's teams."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Newest first, removed ones left out."""
        rows = applications_of_teams(self.actor.team_ids).exclude(state=ApplicationState.REMOVED)
        found = ApplicationFilter(request.GET, queryset=rows).qs.order_by("-created_at", "id")
        counted = found.annotate(subscription_count=Count("subscriptions", distinct=True)).prefetch_related(
            "credentials__key_manager", "credentials__registration__key_manager"
        )
        return self.show("store/applications.html", {"page": page_of(request, counted)})
