"""What the beat does: ask for jobs that nobody asked for, and forget what is old."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import IdempotentAnswer, User
from keymanager import jobs
from keymanager.models import Credential, RefusedCall, Registration, RegistrationAttempt, RevokedToken
from keymanager.registrations.sweeping import sweep
from keymanager.sealing import add_key, secret_box
from keymanager.services import key_rotation
from subscriptions.models import ChangeEvent
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, registration_of, rfc_key_manager, wish

pytestmark = pytest.mark.django_db


def test_the_sweep_leaves_alone_what_was_asked_for_lately(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    sent: list[str] = []

    def send(_: str, argument: str) -> bool:
        sent.append(argument)
        return True

    now = timezone.now()
    assert sweep(now, send=send) == 0
    assert sweep(now + timedelta(seconds=20), send=send) == 1
    assert sweep(now + timedelta(seconds=22), send=send) == 0
    assert sweep(now + timedelta(seconds=41), send=send) == 1
    assert len(sent) == 2


def test_the_longer_the_queue_is_behind_the_less_often_a_job_is_asked_for_again(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    now = timezone.now()
    seconds = range(1, 600)
    asked = [at for at in seconds if sweep(now + timedelta(seconds=at), send=lambda *_: True)]
    assert len(asked) <= 8
    assert asked[0] <= 17
    assert max(later - earlier for earlier, later in itertools.pairwise(asked)) <= 122


def test_a_queue_that_takes_nothing_is_asked_again_by_the_next_sweep_however_old_the_wish_is(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    fake = rfc_key_manager(server, admin=admin)
    for number in range(2):
        wish(developer, application(developer, f"Application {number}"), fake)
    later = timezone.now() + timedelta(hours=1)
    tried: list[str] = []

    def broken(_: str, argument: str) -> bool:
        tried.append(argument)
        return False

    assert sweep(later, send=broken) == 0
    assert len(tried) == 1
    assert sweep(later + timedelta(seconds=1), send=lambda *_: True) == 2


def test_what_moved_while_the_sweep_read_it_keeps_the_time_that_its_own_job_set(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    now = timezone.now() + timedelta(hours=1)
    soon = now + timedelta(seconds=2)
    jobs_done: list[str] = []

    def job_between(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and not jobs_done:
            jobs_done.append(sql)
            Registration.objects.update(state="waiting", next_try_at=soon, dispatched_until=None)
        return execute(sql, *rest)

    with connection.execute_wrapper(job_between):
        assert sweep(now, send=lambda *_: True) == 0
    assert (registration_of(row).next_try_at, registration_of(row).dispatched_until) == (soon, None)


def test_a_wish_for_a_later_time_is_not_sent_before(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    Registration.objects.filter(credential=row).update(
        state="waiting", next_try_at=worker.clock.moment() + timedelta(seconds=60)
    )
    worker.process(registration_of(row).pk)
    assert server.requests == []


def test_what_has_served_its_time_is_forgotten_and_the_newest_stays(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    worker.settle()
    registration = registration_of(row)
    RegistrationAttempt.objects.create(registration=registration, number=2, operation="update")
    now = timezone.now()
    long_ago = now - timedelta(days=400)
    RegistrationAttempt.objects.update(started_at=long_ago)
    ChangeEvent.objects.update(at=long_ago)
    for name, at in (("old", now - timedelta(days=8)), ("new", now - timedelta(days=6))):
        RefusedCall.objects.create(reference=name, at=at, method="GET", path="/", status=403, code="x", steps=[])
    for name, until in (("old", now - timedelta(seconds=1)), ("new", now + timedelta(hours=1))):
        RevokedToken.objects.create(token_sha256=name, expires_at=until)
    IdempotentAnswer.objects.create(user=User.objects.get(username="admin"), key="k", path="/", fingerprint="f")
    IdempotentAnswer.objects.update(created_at=now - timedelta(days=2))
    newest_change = ChangeEvent.objects.order_by("-pk").values_list("pk", flat=True)[0]

    jobs.forget_what_is_old()

    assert list(RegistrationAttempt.objects.values_list("number", flat=True)) == [2]
    assert list(ChangeEvent.objects.values_list("pk", flat=True)) == [newest_change]
    assert list(RefusedCall.objects.values_list("reference", flat=True)) == ["new"]
    assert list(RevokedToken.objects.values_list("token_sha256", flat=True)) == ["new"]
    assert not IdempotentAnswer.objects.exists()


def test_rotation_goes_through_all_batches(
    admin: Actor, developer: Actor, server: RfcServer, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = rfc_key_manager(server, admin=admin)
    for number in range(3):
        wish(developer, application(developer, f"Application {number}"), fake)
    worker.settle()
    monkeypatch.setattr(key_rotation, "BATCH", 1)
    add_key()
    assert key_rotation.rotate_keys()["client secrets"] == 3
    assert not any(secret_box().needs_rotation(row.sealed_secret) for row in Credential.objects.all())
