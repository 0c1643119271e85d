"""The connection check says when introspection does not see tokens that the identity provider has just issued."""

from collections.abc import Iterator
from typing import Any

import pytest

from common.http import AddressGuard, HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import CheckStep, StepState
from keymanager.adapters.own_token import STEP, STEP_OF_OUR_CLIENT
from keymanager.adapters.rfc import RfcAdapter, RfcConfig
from keymanager.adapters.trial_client import TrialClient
from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.unit.validation_kit import ManualClock


class Hinting(RfcAdapter):
    """An adapter that knows why."""

    introspection_hint = "Map the audience."


@pytest.fixture
def servers() -> Iterator[list[RfcServer]]:
    opened: list[RfcServer] = []
    yield opened
    for server in opened:
        server.stop()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient(guard=AddressGuard.of("127.0.0.0/8")) as client:
        yield client


def adapter_on(servers: list[RfcServer], http: HttpClient, quirks: Quirks | None = None, **config: Any) -> Hinting:
    server = RfcServer(quirks=quirks)
    servers.append(server)
    values = {
        "issuer": server.issuer,
        "initial_access_token_mode": "fixed",
        "initial_access_token": server.initial_access_token,
        "introspection_client_id": server.gateway_client_id,
        "introspection_client_secret": server.gateway_client_secret,
        **config,
    }
    return Hinting(parse_config(RfcConfig, values), http, ManualClock())


def own_token_step(steps: Iterator[CheckStep]) -> CheckStep:
    return next(step for step in steps if step.name == STEP_OF_OUR_CLIENT)


def test_a_token_that_introspection_sees_passes(servers: list[RfcServer], http: HttpClient) -> None:
    adapter = adapter_on(servers, http)
    step = own_token_step(adapter.check())
    assert (step.state, step.reason) == (StepState.PASSED, f"It is of the client {servers[0].gateway_client_id}.")


def test_a_fresh_token_that_introspection_does_not_see_fails_with_the_adapters_hint(
    servers: list[RfcServer], http: HttpClient
) -> None:
    adapter = adapter_on(servers, http)
    servers[0].fault("introspect", Fault.spoilt_json(b'{"active": false}', times=2))
    step = own_token_step(adapter.check())
    assert step.state is StepState.FAILED
    assert step.reason.endswith("does not see a token that was just issued. Map the audience.")


def test_the_trial_client_gets_a_token_and_is_removed_although_introspection_does_not_see_it(
    servers: list[RfcServer], http: HttpClient
) -> None:
    adapter = adapter_on(servers, http)
    before = set(servers[0].clients)
    servers[0].fault("introspect", Fault.spoilt_json(b'{"active": false}'))
    steps = {step.name: step.state for step in TrialClient(adapter).steps()}
    assert steps[STEP] is StepState.FAILED
    assert steps["remove the client"] is StepState.PASSED
    assert set(servers[0].clients) == before


def test_where_signatures_decide_nobody_is_asked(servers: list[RfcServer], http: HttpClient) -> None:
    adapter = adapter_on(servers, http, Quirks(token_format="jwt"))
    step = own_token_step(adapter.check())
    assert (step.state, step.reason.partition(":")[0]) == (StepState.PASSED, "It is a JWT")
