"""The suite's tests of secrets with ids, APIs of a client and ends of all tokens fail for each broken adapter."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from keymanager.adapters.contract import KeyManagerAdapter
from tests.conformance import (
    broken_vendor_adapters as broken,
)
from tests.conformance import (
    test_auth0,
    test_entra,
    test_hydra,
    test_okta,
    test_pingfederate,
    test_surfoauth,
    test_wso2is,
    test_wso2is7,
)
from tests.conformance.suite import AdapterConformance

S = AdapterConformance
OKTA = test_okta.TestByTheAppsApiWithOverlap
ENTRA = test_entra.TestEntraWithTwoSecrets

PLANTED: list[tuple[type[KeyManagerAdapter], type[AdapterConformance], Callable[..., None]]] = [
    (broken.ForgetsTheSecretsId, OKTA, S.test_the_secret_that_is_kept_is_the_one_of_the_handle),
    (broken.KeepsTheOldSecretsId, ENTRA, S.test_the_secret_that_is_kept_is_the_one_of_the_handle),
    (broken.EndsTheOldSecretAtOnce, OKTA, S.test_an_update_keeps_both_of_two_secrets),
    (
        broken.SaysThatALostSecretCanBeAskedForAgain,
        test_wso2is7.TestOneSharedApiResource,
        S.test_a_lost_answer_to_a_new_secret_is_unknown_and_not_repeated,
    ),
    (
        broken.MakesAnotherSecretForALostOne,
        OKTA,
        S.test_a_lost_answer_to_a_new_secret_is_unknown_and_not_repeated,
    ),
    (broken.TakesTheOlderSecretForTheOld, OKTA, S.test_the_secret_that_is_kept_is_the_one_of_the_handle),
    (
        broken.OnlySaysThatTheOldSecretEnded,
        test_pingfederate.TestPingFederateWithRetainedSecrets,
        S.test_a_new_secret_works_and_the_old_one_does_not,
    ),
    (
        broken.ReplacesASecretDuringTheOverlap,
        test_hydra.TestTwoSecretsInOverlap,
        S.test_an_update_keeps_both_of_two_secrets,
    ),
    (
        broken.GrantsEveryApiThatHasTheScope,
        test_auth0.TestOneApiForEachVersion,
        S.test_a_client_gets_scopes_only_of_the_apis_that_it_may_call,
    ),
    (
        broken.AssignsEveryApiThatHasTheScope,
        test_entra.TestEntraWithTokensOfVersion2,
        S.test_a_client_gets_scopes_only_of_the_apis_that_it_may_call,
    ),
    (
        broken.OnlyAddsApis,
        test_wso2is7.TestOneApiResourceForEachVersion,
        S.test_a_client_gets_scopes_only_of_the_apis_that_it_may_call,
    ),
    (
        broken.LosesTheSecretThatRevokingMade,
        test_wso2is7.TestOneSharedApiResource,
        S.test_revoking_all_ends_every_token_of_the_client,
    ),
    (
        broken.SaysThatTheSecretStayed,
        test_wso2is.TestWithEncodedIds,
        S.test_revoking_all_ends_every_token_of_the_client,
    ),
    (
        broken.OnlyRotatesToRevoke,
        test_surfoauth.TestWithOneResourceServer,
        S.test_revoking_all_ends_every_token_of_the_client,
    ),
    (
        broken.LeavesTheTokens,
        test_hydra.TestOpaqueTokensAndOneSecret,
        S.test_revoking_all_ends_every_token_of_the_client,
    ),
]


def run(kind: type[KeyManagerAdapter] | None, where: type[AdapterConformance], test: Callable[..., None]) -> None:
    """Run one test of the suite where a conformance class runs it, with another adapter if there is one."""
    suite = where()
    with suite.running() as world:
        good = world.adapter()
        adapter = good if kind is None else kind(good.config, good.http, good.clock)
        fixtures: dict[str, Any] = {"adapter": adapter, "world": world}
        wanted = inspect.signature(test).parameters
        if "client" in wanted:
            fixtures["client"] = adapter.create_client(world.client_metadata())
        getattr(suite, test.__name__)(**{name: value for name, value in fixtures.items() if name in wanted})


@pytest.mark.parametrize(("adapter", "where", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_the_suite_catches(
    adapter: type[KeyManagerAdapter], where: type[AdapterConformance], test: Callable[..., None]
) -> None:
    run(None, where, test)
    with pytest.raises((AssertionError, ArchwayError, Failed)):
        run(adapter, where, test)


def test_every_broken_adapter_is_planted() -> None:
    written = {
        value
        for value in vars(broken).values()
        if isinstance(value, type) and issubclass(value, KeyManagerAdapter) and value.__module__ == broken.__name__
    }
    assert written == {adapter for adapter, _, _ in PLANTED}
