"""What both WSO2 adapters must get right alike: one credential error, one secret, one repeat; on either fake."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from common.errors import KeyManagerRejected, KeyManagerUnavailable, OutcomeUnknown
from keymanager.adapters.contract import Capability, Inactive
from tests.conformance.world import ManualClock
from tests.fakes.faults import Fault
from tests.fakes.wso2is7_server import Wso2Is7Server
from tests.fakes.wso2is_server import Wso2IsServer
from tests.integration.test_wso2is7_adapter import wso2is7
from tests.integration.test_wso2is_adapter import wso2is
from tests.integration.wso2_kit import close_opened, machine, token


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@dataclass(kw_only=True)
class Wso2:
    """One server. ``make``: an adapter for it."""

    server: Wso2IsServer | Wso2Is7Server
    clock: ManualClock
    make: Any

    def adapter(self, **more: Any) -> Any:
        """With further settings."""
        return self.make(self.server, self.clock, **more)


@contextmanager
def running(release: str, clock: ManualClock) -> Iterator[Wso2]:
    """A server of this release."""
    kind, make = {"5": (Wso2IsServer, wso2is), "7": (Wso2Is7Server, wso2is7)}[release]
    with kind(clock=clock.now) as server:
        yield Wso2(server=server, clock=clock, make=make)
        close_opened()
        assert server.undescribed == []


@pytest.fixture(params=["5", "7"])
def wso2(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Wso2]:
    with running(request.param, clock) as made:
        yield made


def test_a_repeat_gets_a_new_secret_where_the_server_keeps_only_hashes(wso2: Wso2) -> None:
    adapter = wso2.adapter()
    wso2.server.state.hashes_secrets = True
    wso2.server.fault("client_create", Fault.done_but(500))
    with pytest.raises(OutcomeUnknown):
        adapter.create_client(machine())
    assert token(adapter, adapter.create_client(machine())).ok


@pytest.mark.parametrize("operation", ["read", "update", "delete"])
def test_our_own_refused_credentials_are_never_a_missing_client(wso2: Wso2, operation: str) -> None:
    adapter = wso2.adapter()
    made = adapter.create_client(machine())
    wrong = wso2.adapter(management_secret="wrong")
    operations: dict[str, Callable[[], object]] = {
        "read": lambda: wrong.read_client(made.handle),
        "update": lambda: wrong.update_client(made.handle, machine()),
        "delete": lambda: wrong.delete_client(made.handle),
    }
    with pytest.raises(KeyManagerRejected) as caught:
        operations[operation]()
    assert caught.value.remote_code == "own_client_refused"
    assert adapter.read_client(made.handle) is not None


def test_a_regenerated_secret_ends_all_tokens_of_the_client(wso2: Wso2) -> None:
    adapter = wso2.adapter()
    made = adapter.create_client(machine())
    old = str(token(adapter, made).body["access_token"])
    rotated = adapter.rotate_secret(made.handle, machine())
    assert isinstance(adapter.introspect(old), Inactive)
    assert token(adapter, rotated).ok
    assert Capability.OVERLAPPING_SECRETS not in adapter.capabilities


def test_a_read_that_shows_an_older_secret_does_not_replace_the_current_one(wso2: Wso2) -> None:
    adapter = wso2.adapter(secret_rotation="overlap")
    rotated = adapter.rotate_secret(adapter.create_client(machine()).handle, machine())
    wso2.server.state.shows_oldest = True
    found = adapter.read_client(rotated.handle)
    assert found is not None
    assert found.handle.client_secret == rotated.handle.client_secret
    assert adapter.update_client(rotated.handle, machine()).handle.client_secret == rotated.handle.client_secret


def test_overlap_is_refused_by_a_server_with_one_secret(wso2: Wso2) -> None:
    adapter = wso2.adapter(secret_rotation="overlap")
    made = adapter.create_client(machine())
    wso2.server.state.multiple_secrets = False
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.rotate_secret(made.handle, machine())
    assert caught.value.remote_status == 400
    assert token(adapter, made).ok


def test_a_busy_server_is_waited_for(wso2: Wso2) -> None:
    adapter = wso2.adapter()
    wso2.server.fault("client_create", Fault.too_many(retry_after=9))
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.create_client(machine())
    assert caught.value.retry_after == 9.0
