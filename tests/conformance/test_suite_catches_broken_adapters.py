"""The suite is worth something only if it fails: each broken adapter must be caught by the test that is about it."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from keymanager.adapters.rfc import RfcAdapter
from tests.conformance import broken_adapters as broken
from tests.conformance.suite import AdapterConformance
from tests.conformance.test_rfc_on_the_fake import basics, fake_world
from tests.conformance.world import World
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer

S = AdapterConformance
PLAIN = Quirks()
ROTATING = Quirks(rotate_registration_access_token=True)
NEW_SECRETS = Quirks(new_secret_on_update=True)
NARROWING = Quirks(foreign_scope="dropped")
JWT = Quirks(token_format="jwt")

PLANTED: list[tuple[type[RfcAdapter], Quirks, Callable[..., None]]] = [
    (broken.RepeatsARegistration, PLAIN, S.test_a_lost_answer_to_a_registration_is_unknown_and_not_repeated),
    (broken.TakesALostAnswerForARemoval, PLAIN, S.test_a_lost_answer_to_a_deletion_is_not_success),
    (broken.ActsOnAServerErrorAsDone, PLAIN, S.test_a_server_error_leaves_a_write_unknown),
    (
        broken.KeepsTheOldRegistrationAccessToken,
        ROTATING,
        S.test_each_update_leaves_a_client_that_can_be_managed_and_used,
    ),
    (broken.KeepsTheOldSecret, NEW_SECRETS, S.test_each_update_leaves_a_client_that_can_be_managed_and_used),
    (
        broken.TakesALostTokenForALostClient,
        PLAIN,
        S.test_a_client_that_lives_is_never_reported_gone_because_our_token_is_lost,
    ),
    (broken.ClaimsEveryRemoval, PLAIN, S.test_a_removal_is_claimed_only_when_the_client_is_gone),
    (broken.FailsOnASecondRemoval, PLAIN, S.test_deleting_twice_is_success),
    (broken.OnlyPretendsToUpdate, PLAIN, S.test_an_update_replaces_the_metadata),
    (
        broken.ReportsTheAskedScopes,
        NARROWING,
        S.test_a_scope_that_the_client_was_not_given_is_never_reported_as_granted,
    ),
    (broken.CallsAFailedIntrospectionInactive, PLAIN, S.test_a_server_error_at_introspection_is_never_an_answer),
    (broken.TrustsAnUnverifiedToken, JWT, S.test_a_changed_token_is_inactive),
    (
        broken.SendsTheManagementTokenElsewhere,
        PLAIN,
        S.test_a_registration_access_token_goes_to_its_own_url_only,
    ),
    (broken.EchoesWhatTheServerOwns, PLAIN, S.test_an_update_never_echoes_what_the_server_owns),
    (broken.TakesAPageForAToken, PLAIN, S.test_a_page_instead_of_json_is_a_protocol_error),
    (broken.QuotesTheSecretInAnError, PLAIN, S.test_no_secret_shows_in_any_value_or_error),
    (broken.ObservesTheSecret, PLAIN, S.test_no_secret_shows_in_any_value_or_error),
    (broken.PutsTheTokenIntoTheUrl, PLAIN, S.test_no_secret_is_in_any_url),
    (broken.AnswersWhatItDoesNotDeclare, PLAIN, S.test_what_is_not_declared_is_not_supported),
    (broken.ForgetsHowLongToWait, PLAIN, S.test_too_many_calls_is_unavailable_for_the_stated_time),
    (broken.IntrospectsAsTheApplication, PLAIN, S.test_an_application_is_never_who_introspects),
    (broken.LosesTheServersWords, PLAIN, S.test_a_refusal_carries_the_servers_own_words),
    (broken.RaisesFromTheCheck, PLAIN, S.test_the_connection_check_of_an_unreachable_server_fails_without_raising),
    (broken.BelievesEverySecret, PLAIN, S.test_verification_proves_what_can_be_proved),
    (broken.RewordsOAuthErrors, PLAIN, S.test_an_oauth_error_is_passed_through_unchanged),
    (broken.ForgetsWhatWasIgnored, PLAIN, S.test_what_the_server_did_not_keep_is_named),
]


def run(test: Callable[..., None], quirks: Quirks, adapter_class: type[RfcAdapter]) -> None:
    """Run one test of the suite against the fake, as pytest would."""
    with RfcServer(quirks=quirks) as server:
        world: World = fake_world(server, basics(server), adapter_class)
        adapter = world.adapter()
        fixtures: dict[str, Any] = {"adapter": adapter, "world": world}
        wanted = inspect.signature(test).parameters
        if "client" in wanted:
            fixtures["client"] = adapter.create_client(world.client_metadata())
        try:
            test(AdapterConformance(), **{name: value for name, value in fixtures.items() if name in wanted})
        finally:
            world.wire.close()


@pytest.mark.parametrize(("adapter", "quirks", "test"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_the_suite_catches(adapter: type[RfcAdapter], quirks: Quirks, test: Callable[..., None]) -> None:
    run(test, quirks, RfcAdapter)
    with pytest.raises((AssertionError, ArchwayError, Failed)):
        run(test, quirks, adapter)


def test_every_broken_adapter_is_planted() -> None:
    written = {
        value
        for value in vars(broken).values()
        if isinstance(value, type) and issubclass(value, RfcAdapter) and value is not RfcAdapter
    }
    assert written == {adapter for adapter, _, _ in PLANTED}
