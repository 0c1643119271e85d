"""The snapshot says what the database says, after the first load and after each change."""

import datetime
import threading
import time
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from keymanager.models import AcceptedKeyManagers, Credential, KeyManager, Registration, RevokedToken
from keymanager.registrations.states import RegistrationKind, RegistrationState, Wish
from keymanager.validation.facts import Route, id_of
from keymanager.validation.feed import ChangeReader
from keymanager.validation.feed_tables import ChangeTable, NoWake
from keymanager.validation.follower import FeedActions, Follower
from keymanager.validation.loader import load_snapshot
from keymanager.validation.reloading import reload_object
from keymanager.validation.snapshot import Snapshot
from subscriptions.models import ChangeEvent, ChangeKind, Plan, Subscription
from subscriptions.recording import announce
from subscriptions.services.apis import move_api_version
from subscriptions.services.applications import start_removal
from subscriptions.services.plans import change_plan
from subscriptions.services.subscribing import change_subscription_plan, move_subscription, unsubscribe
from subscriptions.states import LifecycleAction, SubscriptionState
from tests.integration.validation_rows import ADMINISTRATOR, Rows, make_rows, remove_credential


@pytest.fixture
def rows(db: None) -> Rows:
    return make_rows()


class Following:
    """A follower of the real feed, moved by hand in this thread."""

    def __init__(self) -> None:
        self.follower = Follower(
            reader=ChangeReader(ChangeTable(), monotonic=time.monotonic, window=300),
            actions=FeedActions(
                load=load_snapshot,
                apply=lambda snapshot, change: reload_object(snapshot, change.kind, change.object_id),
                flush=lambda: None,
            ),
            wake=NoWake(),
            poll_seconds=1,
            stale_seconds=60,
        )

    def now(self) -> Snapshot:
        """The snapshot after one more round."""
        self.follower.step()
        assert self.follower.snapshot is not None
        assert self.follower.loads == 1
        return self.follower.snapshot


@pytest.fixture
def following(rows: Rows) -> Following:
    made = Following()
    made.now()
    return made


def test_the_first_load_takes_a_fixed_number_of_queries(
    rows: Rows, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(11):
        load_snapshot()


def test_everything_that_a_decision_needs_is_loaded(rows: Rows) -> None:
    snapshot = load_snapshot()
    found = snapshot.find_route("/museum/1.0.0/tickets")
    assert found is not None
    route, rest = found
    operation = route.matcher.find("POST", rest)
    assert not isinstance(operation, frozenset)
    assert operation.scopes == frozenset({"write"})
    assert (route.accepted, route.has_sandbox, route.backend_jwt) == (None, True, False)
    credential = snapshot.credential(id_of(rows.key_manager.pk), "client-1")
    assert credential is not None
    subscription = snapshot.subscription(credential.application_id, route.id)
    assert subscription is not None
    assert snapshot.plan(subscription.plan_id) is not None


def test_a_version_that_lists_its_key_managers_accepts_only_those(rows: Rows) -> None:
    AcceptedKeyManagers.objects.update(accepts_all=False)
    assert _route(load_snapshot()).accepted == frozenset()
    AcceptedKeyManagers.objects.get().key_managers.add(rows.key_manager)
    assert _route(load_snapshot()).accepted == frozenset({id_of(rows.key_manager.pk)})


def _route(snapshot: Snapshot) -> Route:
    found = snapshot.find_route("/museum/1.0.0/hours")
    assert found is not None
    return found[0]


def test_a_credential_whose_removal_was_asked_for_is_not_usable_any_more(rows: Rows) -> None:
    Registration.objects.create(
        key_manager=rows.key_manager,
        kind=RegistrationKind.CLIENT,
        credential=rows.credential,
        subject=str(rows.credential.pk),
        wish=Wish.ABSENT,
        state=RegistrationState.REMOVING,
    )
    assert load_snapshot().credential(id_of(rows.key_manager.pk), "client-1") is None


def test_a_blocked_subscription_is_seen_with_the_next_round(rows: Rows, following: Following) -> None:
    move_subscription(actor=ADMINISTRATOR, subscription=rows.subscription, state=SubscriptionState.BLOCKED)
    subscription = following.now().subscription(id_of(rows.application.pk), id_of(rows.api_version.pk))
    assert subscription is not None
    assert subscription.state is SubscriptionState.BLOCKED


def test_an_ended_subscription_is_gone_with_the_next_round(rows: Rows, following: Following) -> None:
    unsubscribe(actor=ADMINISTRATOR, subscription=rows.subscription)
    assert following.now().subscription(id_of(rows.application.pk), id_of(rows.api_version.pk)) is None


def test_a_changed_plan_and_a_changed_limit_count_with_the_next_round(rows: Rows, following: Following) -> None:
    other = Plan.objects.create(slug="other", name="Other", requests=5, per_seconds=60)
    rows.api_version.plans.add(other)
    change_subscription_plan(actor=ADMINISTRATOR, subscription=rows.subscription, plan=other)
    announce(ChangeKind.PLAN, other.pk)
    change_plan(actor=ADMINISTRATOR, plan=other, changes={"requests": 7})
    snapshot = following.now()
    subscription = snapshot.subscription(id_of(rows.application.pk), id_of(rows.api_version.pk))
    assert subscription is not None
    plan = snapshot.plan(subscription.plan_id)
    assert plan is not None
    assert plan.requests == 7


def test_an_application_under_removal_is_seen_with_the_next_round(rows: Rows, following: Following) -> None:
    start_removal(actor=ADMINISTRATOR, application=rows.application)
    application = following.now().application(id_of(rows.application.pk))
    assert application is not None
    assert not application.active


def test_a_removed_credential_is_gone_with_the_next_round(rows: Rows, following: Following) -> None:
    remove_credential()
    assert following.now().credential(id_of(rows.key_manager.pk), "client-1") is None


def test_a_client_id_that_changed_is_found_under_the_new_one_only(rows: Rows, following: Following) -> None:
    Credential.objects.update(client_id="client-2")
    announce(ChangeKind.CREDENTIAL, rows.credential.pk)
    snapshot = following.now()
    key_manager_id = id_of(rows.key_manager.pk)
    assert snapshot.credential(key_manager_id, "client-1") is None
    assert snapshot.credential(key_manager_id, "client-2") is not None


def test_a_version_that_was_demoted_is_not_routed_any_more(rows: Rows, following: Following) -> None:
    move_api_version(
        actor=ADMINISTRATOR, api_version=rows.api_version, action=LifecycleAction.DEMOTE, accepted_key_managers=1
    )
    assert following.now().find_route("/museum/1.0.0/hours") is None


def test_a_disabled_key_manager_is_not_asked_any_more(rows: Rows, following: Following) -> None:
    KeyManager.objects.update(enabled=False)
    announce(ChangeKind.KEY_MANAGER, rows.key_manager.pk)
    assert following.now().enabled_key_managers() == ()


def test_a_revoked_token_is_known_with_the_next_round_and_forgotten_when_it_has_expired(following: Following) -> None:
    ends = timezone.now() + datetime.timedelta(hours=1)
    RevokedToken.objects.create(token_sha256="ab" * 32, expires_at=ends)
    announce(ChangeKind.TOKEN, "ab" * 32)
    snapshot = following.now()
    assert snapshot.is_revoked(bytes.fromhex("ab" * 32))
    snapshot.forget_revoked(now=ends.timestamp() + 1)
    assert not snapshot.is_revoked(bytes.fromhex("ab" * 32))


def test_events_of_objects_that_never_were_do_no_harm(following: Following) -> None:
    for kind in (*ChangeKind.values, "something_new"):
        ChangeEvent.objects.create(kind=kind, object_id=uuid.uuid4().hex * (2 if kind == ChangeKind.TOKEN else 1))
    assert following.now().sizes()["subscriptions"] == 1


# --- rows that commit late ------------------------------------------------------------------------------------------


def _commit_late_on_sqlite(between: Callable[[], None], change: Callable[[], None]) -> None:
    """SQLite has one writer at a time, so ids appear in order: the id is given by hand as an interleaving would."""
    reserved = (ChangeEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0) + 1
    ChangeEvent.objects.create(id=reserved + 1, kind="nothing", object_id=str(uuid.uuid4()))
    between()
    change()
    late = ChangeEvent.objects.latest("id")
    ChangeEvent.objects.filter(pk=late.pk).update(id=reserved)


def _commit_late_on_postgresql(between: Callable[[], None], change: Callable[[], None]) -> None:
    """The change's transaction takes its id first and commits last."""
    inserted, may_commit = threading.Event(), threading.Event()

    def slow_transaction() -> None:
        try:
            with transaction.atomic():
                change()
                inserted.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow_transaction)
    thread.start()
    assert inserted.wait(10)
    ChangeEvent.objects.create(kind="nothing", object_id=str(uuid.uuid4()))
    between()
    may_commit.set()
    thread.join(10)


@pytest.mark.django_db(transaction=True)
def test_a_change_whose_transaction_commits_after_a_later_one_is_not_missed() -> None:
    rows = make_rows()
    following = Following()
    following.now()

    def see_the_other_one_first() -> None:
        subscription = following.now().subscription(id_of(rows.application.pk), id_of(rows.api_version.pk))
        assert subscription is not None
        assert subscription.state is SubscriptionState.UNBLOCKED

    def block() -> None:
        move_subscription(actor=ADMINISTRATOR, subscription=Subscription.objects.get(), state=SubscriptionState.BLOCKED)

    commit_late = _commit_late_on_postgresql if connection.vendor == "postgresql" else _commit_late_on_sqlite
    commit_late(see_the_other_one_first, block)
    subscription = following.now().subscription(id_of(rows.application.pk), id_of(rows.api_version.pk))
    assert subscription is not None
    assert subscription.state is SubscriptionState.BLOCKED
