"""The tests of Okta's and Auth0's traps are worth something only if they fail: each planted fault is caught by one."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from keymanager.adapters.auth0 import Auth0Adapter
from keymanager.adapters.auth0 import api as auth0_api
from keymanager.adapters.auth0 import clients as auth0_clients
from keymanager.adapters.auth0 import grants as auth0_grants
from keymanager.adapters.auth0 import resources as auth0_resources
from keymanager.adapters.okta import OktaAdapter
from keymanager.adapters.okta import api as okta_api
from keymanager.adapters.okta import apps as okta_apps
from keymanager.adapters.okta import policies as okta_policies
from keymanager.adapters.okta import registration as okta_registration
from keymanager.adapters.okta import secrets as okta_secrets
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.answers import refusal
from tests.conformance.world import ManualClock
from tests.fakes.auth0_server import Auth0Server
from tests.fakes.okta_server import OktaServer
from tests.integration import test_auth0_adapter as auth0
from tests.integration import test_okta_adapter as okta

Body = Callable[..., dict[str, Any]]


def without(body: Body, *names: str) -> Body:
    """What is sent, without these members."""
    return lambda *given: {name: value for name, value in body(*given).items() if name not in names}


def with_more(body: Body, **more: Any) -> Body:
    """What is sent, with more members."""
    return lambda *given: {**body(*given), **more}


def only_credentials(body: Body) -> Body:
    """What is sent, over the credentials alone of what was read."""
    return lambda metadata, present: body(metadata, {"credentials": present.get("credentials", {})})


def nothing(*_: Any, **__: Any) -> None:
    """Do not do it."""


# A name for the fault, whose attribute becomes what, and the test that must fail.
PLANTED: list[tuple[str, Any, str, Any, Callable[..., None]]] = [
    (
        "OktaForgetsSuspendedClients",
        okta_apps.Apps,
        "_all",
        lambda self: (app for app in self._api.pages("/api/v1/apps") if "client_id" in okta_apps._oauth_client(app)),
        okta.test_a_suspended_client_is_still_found_listed_and_deleted,
    ),
    ("OktaReadsOnePageOnly", okta_api, "_cursor", lambda _: "", okta.test_a_client_behind_many_pages_is_found),
    (
        "OktaNamesClientsAlike",
        okta_apps,
        "shown_name",
        lambda metadata: metadata.client_name,
        okta.test_two_applications_may_have_the_same_name,
    ),
    (
        "OktaChoosesAnotherClientIdEachTime",
        okta_apps,
        "client_id_for",
        lambda marker: f"{marker}-{time.monotonic_ns()}",
        okta.test_a_creation_that_is_repeated_makes_no_second_client_and_leaves_a_secret_that_works,
    ),
    (
        "OktaLeavesThePolicyBehind",
        okta_policies.Policies,
        "remove",
        nothing,
        okta.test_the_policy_goes_with_the_client_also_when_the_first_try_failed,
    ),
    (
        "OktaNeverLooksForAPolicyForAll",
        okta_policies.Policies,
        "check",
        lambda self: "",
        okta.test_the_connection_check_fails_where_a_policy_is_for_all_clients,
    ),
    (
        "OktaMakesNoRoomForASecret",
        okta_secrets,
        "_MOST",
        9,
        okta.test_a_third_secret_makes_room_and_the_one_in_use_stays,
    ),
    (
        "OktaKeepsOldSecrets",
        okta_secrets.AppSecrets,
        "_drop_all_but",
        nothing,
        okta.test_dropping_the_old_secret_twice_leaves_the_new_one,
    ),
    (
        "OktaEchoesWhatOktaOwns",
        okta_registration,
        "_NEVER_SENT",
        frozenset(),
        okta.test_a_replacement_carries_every_setting_and_none_of_oktas_own,
    ),
    (
        "OktaLosesWhatTheAdministratorSet",
        okta_apps,
        "_body",
        only_credentials(okta_apps._body),
        okta.test_an_update_keeps_what_the_administrator_set_at_okta,
    ),
    (
        "OktaKnowsOneStyleOfErrors",
        okta_api,
        "okta_refusal",
        lambda request, response, doing="": refusal(request, response, doing=doing),
        okta.test_what_okta_refuses_comes_with_its_code_its_summary_and_its_causes,
    ),
    (
        "OktaDeniesWhatItCannotProve",
        OktaAdapter,
        "verify_client",
        RfcAdapter.verify_client,
        okta.test_a_client_made_elsewhere_is_told_apart_from_one_that_never_was,
    ),
    (
        "Auth0MakesPublicClients",
        auth0_clients,
        "_body",
        without(auth0_clients._body, "token_endpoint_auth_method"),
        auth0.test_a_machine_client_is_confidential_although_public_is_auth0s_default,
    ),
    (
        "Auth0SendsASecret",
        auth0_clients,
        "_body",
        with_more(auth0_clients._body, client_secret="chosen"),
        auth0.test_a_creation_never_sends_a_secret_and_an_update_leaves_it_alone,
    ),
    (
        "Auth0SendsWhatTheClosedSchemaHasNot",
        auth0_clients,
        "_body",
        with_more(auth0_clients._body, colour="red"),
        auth0.test_an_unknown_extra_is_named_as_ignored_and_never_sent,
    ),
    (
        "Auth0SignsAsItComes",
        auth0_resources.ResourceServers,
        "_members",
        lambda self, name: {"name": name},
        auth0.test_the_shared_api_is_made_with_the_first_scope_and_signs_with_a_key_pair,
    ),
    (
        "Auth0LooksAtOtherPeoplesApis",
        auth0_resources.ResourceServers,
        "ours",
        lambda self: tuple(map(auth0_resources._parsed, self._api.numbered_pages("resource-servers"))),
        auth0.test_other_peoples_apis_are_never_touched,
    ),
    (
        "Auth0ListsAllApisForEachForgedScope",
        auth0_resources,
        "_LOOK_AGAIN_SECONDS",
        -1.0,
        auth0.test_forged_scopes_do_not_make_us_list_all_apis_each_time,
    ),
    (
        "Auth0LooksOnceForApis",
        auth0_resources,
        "_LOOK_AGAIN_SECONDS",
        10_000.0,
        auth0.test_an_api_registered_after_the_adapter_looked_is_found_within_seconds,
    ),
    (
        "Auth0GivesUpOnAConflict",
        auth0_grants.ClientGrants,
        "_at",
        nothing,
        auth0.test_a_grant_that_somebody_else_made_first_is_taken_over,
    ),
    (
        "Auth0KeepsADeadManagementToken",
        auth0_api.ManagementApi,
        "_forget_token",
        nothing,
        auth0.test_a_management_token_that_died_early_is_fetched_again_on_the_next_try,
    ),
    (
        "Auth0SaysThatAnAccessTokenIsRevoked",
        Auth0Adapter,
        "revoke_token",
        RfcAdapter.revoke_token,
        auth0.test_an_access_token_is_never_said_to_be_revoked_and_a_refresh_token_is_passed_on,
    ),
    (
        "Auth0AsksWithoutAnAudience",
        Auth0Adapter,
        "issue_token",
        RfcAdapter.issue_token,
        auth0.test_a_machine_token_is_always_asked_with_an_audience,
    ),
    (
        "Auth0LosesTheServersWords",
        auth0_api,
        "auth0_refusal",
        lambda request, response, doing="": refusal(request, response, doing=doing),
        auth0.test_an_eleventh_member_of_the_metadata_is_refused_in_auth0s_words,
    ),
]


@contextmanager
def fixtures(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """What the test asks for, as pytest would give it; of several parameters the first."""
    clock = ManualClock(time.time())
    is_okta = test.__module__ == okta.__name__
    with OktaServer() if is_okta else Auth0Server(clock=clock.now) as server:
        given: dict[str, Any] = {"server": server, "clock": clock, "management": "apps"}
        if isinstance(server, Auth0Server):
            given["adapter"] = auth0.auth0(server, clock)
        try:
            yield {name: given[name] for name in inspect.signature(test).parameters}
        finally:
            for opened in (okta.OPENED, auth0.OPENED):
                while opened:
                    opened.pop().close()


def run(test: Callable[..., None]) -> None:
    with fixtures(test) as given:
        test(**given)


@pytest.mark.parametrize(
    ("where", "name", "broken", "test"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_a_planted_fault_is_caught(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, broken: Any, test: Callable[..., None]
) -> None:
    run(test)
    monkeypatch.setattr(where, name, broken)
    with pytest.raises((AssertionError, ArchwayError, Failed, KeyError)):
        run(test)
