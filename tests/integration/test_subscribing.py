"""Subscriptions against what happens at the same moment: nothing is made for what is gone, nothing gone is an error."""

from collections.abc import Iterator

import pytest

from common.errors import NotFound, RuleError
from publisher.services import block_subscription
from subscriptions.models import ApiVersion, Application, Plan, Subscription
from subscriptions.services.subscribing import subscribe
from tests.integration.rest_kit import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_an_application_that_was_removed_meanwhile_is_not_subscribed(world: World) -> None:
    version = ApiVersion.objects.get(pk=world.make_published()["id"])
    application = Application.objects.get(pk=world.make_application()["id"])
    assert world.developer.delete(f"/store/applications/{application.pk}/").status_code == 202
    with pytest.raises(RuleError, match="being removed"):
        subscribe(
            actor=world.developer.actor,
            application=application,
            api_version=version,
            plan=Plan.objects.get(slug="gold"),
        )
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("deleted", [False, True])
def test_an_api_that_was_withdrawn_meanwhile_is_not_subscribed_to(world: World, deleted: bool) -> None:
    api = world.make_published()
    version = ApiVersion.objects.select_related("api").get(pk=api["id"])
    application = Application.objects.get(pk=world.make_application()["id"])
    world.move(api, "demote")
    if deleted:
        assert world.publisher.delete(f"/publisher/apis/{version.pk}/").status_code == 204
    with pytest.raises(NotFound if deleted else RuleError):
        subscribe(
            actor=world.developer.actor,
            application=application,
            api_version=version,
            plan=Plan.objects.get(slug="gold"),
        )
    assert not Subscription.objects.exists()


def test_blocking_a_subscription_that_ended_meanwhile_finds_nothing(world: World) -> None:
    made = world.subscribe(world.make_application(), world.make_published())
    row = Subscription.objects.select_related("api_version__api").get(pk=made["id"])
    assert world.developer.delete(f"/store/subscriptions/{made['id']}/").status_code == 204
    with pytest.raises(NotFound):
        block_subscription(actor=world.publisher.actor, subscription=row, production_only=False)
