"""The connection check says when introspection does not see tokens that the identity provider has just issued."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.http import AddressGuard, HttpClient
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    RegisteredClient,
    StepState,
)
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


class Rotating(Hinting):
    """An adapter that says it replaced the secret, or that it made another beside it, and did not."""

    given = "not-the-secret"
    overlap = False

    @property
    def capabilities(self) -> frozenset[Capability]:
        more = {Capability.ROTATE_SECRET, *((Capability.OVERLAPPING_SECRETS,) if self.overlap else ())}
        return super().capabilities | more

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        return RegisteredClient(handle=replace(handle, client_secret=self.given or handle.client_secret))

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Nothing."""


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


def rotation_step(adapter: Hinting) -> CheckStep:
    steps = {step.name: step for step in TrialClient(adapter, rotation=True).steps()}
    assert steps["remove the client"].state is StepState.PASSED
    return steps["replace the secret"]


def test_a_new_secret_that_does_not_work_fails_the_check(servers: list[RfcServer], http: HttpClient) -> None:
    adapter = Rotating(adapter_on(servers, http).config, http, ManualClock())
    before = set(servers[0].clients)
    step = rotation_step(adapter)
    assert (step.state, step.reason) == (StepState.FAILED, "The new secret does not work.")
    assert set(servers[0].clients) == before


def test_an_old_secret_that_survives_its_end_fails_the_check(servers: list[RfcServer], http: HttpClient) -> None:
    adapter = Rotating(adapter_on(servers, http).config, http, ManualClock())
    adapter.given, adapter.overlap = "", True
    step = rotation_step(adapter)
    assert (step.state, step.reason) == (StepState.FAILED, "The old secret still works after it was dropped.")


def test_where_secrets_cannot_be_replaced_that_step_is_skipped(servers: list[RfcServer], http: HttpClient) -> None:
    assert rotation_step(adapter_on(servers, http)).state is StepState.SKIPPED


def test_a_change_that_is_refused_fails_the_check_and_the_client_is_removed(
    servers: list[RfcServer], http: HttpClient
) -> None:
    adapter = adapter_on(servers, http)
    before = set(servers[0].clients)
    servers[0].fault("update", Fault.refused(403, error="access_denied"))
    steps = {step.name: step.state for step in TrialClient(adapter, change=True).steps()}
    assert steps["change the client"] is StepState.FAILED
    assert steps["remove the client"] is StepState.PASSED
    assert set(servers[0].clients) == before
