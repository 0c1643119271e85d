"""Far pages show exactly what Django's own paginator shows."""

import pytest
from django.core.paginator import EmptyPage, Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import deep_pages
from accounts.deep_pages import DeepPaginator
from accounts.models import Team
from subscriptions.models import Application

pytestmark = pytest.mark.django_db
SIZE = 7


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_pages, "NEAR", 2 * SIZE)
    team = Team.objects.create(name="many")
    Application.objects.bulk_create(Application(team=team, name=f"App {number}") for number in range(60))
    # Rows of one moment are told apart by their ids.
    first = Application.objects.first()
    assert first is not None
    Application.objects.update(created_at=first.created_at)


@pytest.mark.parametrize("number", range(1, 10))
def test_every_page_is_the_one_that_a_plain_offset_finds(many: None, number: int) -> None:
    rows = Application.objects.select_related("team").filter(name__icontains="app").order_by("-created_at", "id")
    assert list(DeepPaginator(rows, SIZE).page(number)) == list(Paginator(rows, SIZE).page(number))


def test_a_far_page_costs_no_more_queries_and_passes_over_no_joined_row(many: None) -> None:
    rows = Application.objects.select_related("team").order_by("-created_at", "id")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(list(DeepPaginator(rows, SIZE).page(9))) == 60 % SIZE
    assert len(asked) == 2
    assert "OFFSET" not in asked[1]["sql"]


def test_a_page_that_does_not_exist_is_refused(many: None) -> None:
    with pytest.raises(EmptyPage):
        DeepPaginator(Application.objects.order_by("id"), SIZE).page(10)
