"""Two secrets of one client in overlap: both are known at our door until the old one is dropped, or ends by itself."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import Actor
from common.errors import NotSupported, RuleError
from keymanager.front_door.client_authentication import secret_matches
from keymanager.models import Credential, RegistrationAttempt
from keymanager.sealing import unseal_secret
from keymanager.services import credentials
from keymanager.services.old_secrets import drop_old_secret, has_two_secrets, secret_warnings
from tests.fakes.faults import Fault
from tests.fakes.okta_server import OktaServer
from tests.fakes.rfc_server import RfcServer
from tests.jobs.kit import Worker, application, registration_of, rfc_key_manager, wish
from tests.jobs.test_vendors import Vendor, okta

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor(admin: Actor) -> Iterator[Vendor]:
    yield from okta(admin)


def rotated(vendor: Vendor, developer: Actor, worker: Worker) -> tuple[Credential, str, str]:
    """A client after one rotation, its old secret and its new one."""
    row = wish(developer, application(developer), vendor.key_manager)
    worker.settle()
    row.refresh_from_db()
    old = unseal_secret(row)
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    return row, old, unseal_secret(row)


def live_secrets(vendor: Vendor) -> int:
    assert isinstance(vendor.server, OktaServer)
    apps = [app for app in vendor.server.state.apps.values() if app.client_id != vendor.server.gateway.client_id]
    return sum(len(app.secrets) for app in apps)


def test_after_a_rotation_both_secrets_are_good_until_the_old_one_is_dropped(
    vendor: Vendor, developer: Actor, worker: Worker
) -> None:
    row, old, new = rotated(vendor, developer, worker)
    assert old != new
    assert (secret_matches(row, old), secret_matches(row, new), has_two_secrets(row)) == (True, True, True)
    assert live_secrets(vendor) == 2
    assert any("drop the old one" in warning for warning in secret_warnings(row))

    drop_old_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert registration_of(row).state == "active"
    assert (secret_matches(row, old), secret_matches(row, new), has_two_secrets(row)) == (False, True, False)
    assert live_secrets(vendor) == 1
    assert [attempt.operation for attempt in RegistrationAttempt.objects.filter(registration__kind="client")] == [
        "drop_old_secret",
        "rotate_secret",
        "create",
    ]


def test_a_third_secret_ends_the_first_at_our_door(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row, first, second = rotated(vendor, developer, worker)
    credentials.rotate_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    third = unseal_secret(row)
    assert [secret_matches(row, secret) for secret in (first, second, third)] == [False, True, True]


def test_a_drop_whose_answer_is_lost_is_repeated(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row, old, _ = rotated(vendor, developer, worker)
    drop_old_secret(actor=developer, credential=row)
    vendor.server.fault("*", Fault.lost_answer())
    worker.settle()
    row.refresh_from_db()
    assert (registration_of(row).state, secret_matches(row, old)) == ("active", False)
    assert live_secrets(vendor) == 1


def test_dropping_and_rotating_at_once_ends_the_oldest_only(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row, first, second = rotated(vendor, developer, worker)
    credentials.rotate_secret(actor=developer, credential=row)
    drop_old_secret(actor=developer, credential=row)
    worker.settle()
    row.refresh_from_db()
    assert [secret_matches(row, secret) for secret in (first, second, unseal_secret(row))] == [False, True, True]


def test_an_old_secret_ends_at_our_door_when_its_time_is_over(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row, old, _ = rotated(vendor, developer, worker)
    row.old_secret_until = timezone.now() + timedelta(minutes=5)
    assert secret_matches(row, old)
    row.old_secret_until = timezone.now() - timedelta(seconds=1)
    assert not secret_matches(row, old)


def test_one_secret_cannot_be_dropped(vendor: Vendor, developer: Actor, worker: Worker) -> None:
    row = wish(developer, application(developer), vendor.key_manager)
    worker.settle()
    with pytest.raises(RuleError, match="only one secret"):
        drop_old_secret(actor=developer, credential=row)


def test_a_key_manager_without_two_secrets_says_so(
    admin: Actor, developer: Actor, worker: Worker, server: RfcServer
) -> None:
    row = wish(developer, application(developer), rfc_key_manager(server, admin=admin))
    worker.settle()
    with pytest.raises(NotSupported):
        drop_old_secret(actor=developer, credential=row)


@pytest.mark.parametrize(("days", "said"), [(40, ""), (10, "ends on"), (-1, "ended on")])
def test_a_secret_that_ends_soon_is_warned_of(days: int, said: str) -> None:
    end = int((timezone.now() + timedelta(days=days)).timestamp())
    warnings = " ".join(secret_warnings(Credential(client_secret_expires_at=end)))
    assert said in warnings
    assert bool(warnings) == bool(said)
