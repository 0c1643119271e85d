"""Our right to manage SurfOAuth, and the connection check."""

from collections.abc import Iterator

import pytest

from common.errors import KeyManagerRejected, KeyManagerUnavailable
from keymanager.adapters.contract import StepState
from tests.fakes.faults import Fault
from tests.fakes.surfoauth import SurfOAuthServer
from tests.integration.surfoauth_kit import ADMIN, Place, metadata


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place(server=SurfOAuthServer())
    yield place
    place.close()


def test_our_token_is_asked_for_with_a_comma_and_fetched_anew_once_when_it_is_refused(place: Place) -> None:
    adapter = place.adapter("a")
    own = [request for request in place.server.requests_of("token") if request.basic == (ADMIN, "secret-of-the-portal")]
    assert [request.form["scope"] for request in own] == ["read,write"]
    with_tokens = [token for token in place.server.store.tokens.values() if token.owner == ADMIN]
    for token in with_tokens:
        del place.server.store.tokens[token.id]
    assert adapter.create_client(metadata("a")).handle.client_id


def test_a_refused_right_is_told_as_such(place: Place) -> None:
    adapter = place.adapter(admin_token="no-such-token")
    with pytest.raises(KeyManagerRejected) as caught:
        adapter.create_client(metadata())
    assert (caught.value.remote_code, caught.value.remote_status) == ("own_client_refused", 403)
    wrong = place.adapter(admin_client_secret="wrong")
    with pytest.raises(KeyManagerRejected) as caught:
        wrong.create_client(metadata())
    assert caught.value.remote_code == "own_client_refused"


def test_an_admin_token_that_lives_shortly_is_fetched_when_it_has_ended(place: Place) -> None:
    place.server.add_admin_client("short", "secret", seconds=40)
    adapter = place.adapter("a", admin_client_id="short", admin_client_secret="secret")
    place.server.advance(60)
    assert adapter.create_client(metadata("a")).handle.client_id


def test_the_check_names_its_steps_and_leaves_nothing_behind(place: Place) -> None:
    adapter = place.adapter()
    steps = list(adapter.check())
    assert [(step.name, step.state) for step in steps] == [
        (name, StepState.PASSED)
        for name in (
            "right to manage", "resource server", "token information", "throw-away client", "make a client",
            "read the client", "use the client's secret", "get a token", "introspect a fresh token",
            "remove the client",
        )
    ]  # fmt: skip
    assert list(adapter.list_clients()) == []


def test_the_check_deletes_its_client_also_after_a_failure(place: Place) -> None:
    adapter = place.adapter("a")
    place.server.meanwhile("client.create", lambda: place.server.fault("token", Fault.refused(400)))
    steps = {step.name: step.state for step in adapter.check()}
    assert steps["get a token"] is StepState.FAILED
    assert steps["introspect a fresh token"] is StepState.SKIPPED
    assert steps["remove the client"] is StepState.PASSED
    assert list(adapter.list_clients()) == []


def test_the_check_refuses_an_administrator(place: Place) -> None:
    place.server.make_admin("admin-enduser")
    first = next(place.adapter(admin_token=place.server.admin_token).check())
    assert first.state is StepState.FAILED
    assert "administrator" in first.reason


def test_a_busy_server_is_unavailable(place: Place) -> None:
    adapter = place.adapter("a")
    place.server.fault("client.create", Fault.too_many(retry_after=9))
    with pytest.raises(KeyManagerUnavailable) as caught:
        adapter.create_client(metadata("a"))
    assert caught.value.retry_after == 9.0
