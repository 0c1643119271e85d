"""What the gateway answers: each reason with its status, challenge and words."""

import hashlib
from typing import Any

import pytest

from common.errors import ConfigurationError, KeyManagerUnavailable
from keymanager.adapters.contract import Inactive, TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.step import Outcome, VerdictEntry, failed, passed
from keymanager.validation.steps import load_steps
from subscriptions.states import ApiState, Environment, SubscriptionState
from tests.unit.validation_kit import (
    ISSUER,
    NOW,
    AdapterInMemory,
    World,
    application,
    credential,
    key_manager,
    plan,
    route,
    subscription,
    token,
)


def header(entry: VerdictEntry, name: str) -> str:
    return dict(entry.headers).get(name, "")


def test_a_subscribed_application_with_a_good_token_is_let_through_to_production() -> None:
    verdict = World().judge(token())
    assert verdict.allowed
    assert verdict.environment == "production"
    assert [entry.name for entry in verdict.entries] == [
        "route", "credential", "token", "audience", "key_manager", "application", "subscription", "plan", "scopes",
        "backend_jwt",
    ]  # fmt: skip


def test_a_missing_token_is_challenged_without_an_error_member() -> None:
    entry = World().refusal(None)
    assert (entry.code, entry.status) == (Code.TOKEN_MISSING, 401)
    assert header(entry, "www-authenticate") == 'Bearer realm="archway"'


def test_basic_credentials_count_as_a_missing_token() -> None:
    assert World().refusal(None, credentials=["Basic YTpi"]).code == Code.TOKEN_MISSING


def test_a_token_in_the_query_is_never_accepted() -> None:
    entry = World().refusal(None, path=f"/museum/1.0.0/hours?access_token={token()}")
    assert entry.code == Code.TOKEN_MISSING


def test_two_authorization_headers_are_refused() -> None:
    entry = World().refusal(None, credentials=[f"Bearer {token()}", "Bearer x"])
    assert (entry.code, entry.status) == (Code.SEVERAL_CREDENTIALS, 400)


@pytest.mark.parametrize("credentials", ["Bearer a, Bearer b", "Bearer ", "Bearer a b", "Bearer \u00e9"])
def test_what_is_not_one_token_is_an_invalid_request(credentials: str) -> None:
    entry = World().refusal(None, credentials=[credentials])
    assert (entry.code, entry.status) == (Code.CREDENTIALS_MALFORMED, 400)
    assert 'error="invalid_request"' in header(entry, "www-authenticate")


def test_a_bad_token_is_challenged_as_invalid_token() -> None:
    entry = World().refusal(token(exp=int(NOW) - 1))
    assert (entry.code, entry.status) == (Code.TOKEN_EXPIRED, 401)
    assert 'error="invalid_token"' in header(entry, "www-authenticate")


def test_an_operation_without_auth_needs_no_token_and_no_subscription() -> None:
    world = World()
    world.facts.drop_subscription(30)
    verdict = world.judge(None, path="/museum/1.0.0/open")
    assert verdict.allowed
    assert {entry.outcome for entry in verdict.entries[1:]} == {Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("state", "status"), [(ApiState.BLOCKED, 503), (ApiState.RETIRED, 404), (ApiState.CREATED, 404)]
)
@pytest.mark.parametrize("path", ["/museum/1.0.0/hours", "/museum/1.0.0/open"])
def test_a_blocked_or_retired_api_answers_alike_with_and_without_token(state: ApiState, status: int, path: str) -> None:
    world = World()
    world.facts.put_routes([route(state=state)])
    assert world.refusal(token(), path=path).status == status


def test_a_deprecated_api_still_answers() -> None:
    world = World()
    world.facts.put_routes([route(state=ApiState.DEPRECATED)])
    assert world.judge(token()).allowed


@pytest.mark.parametrize("path", ["/nothing/1.0.0/hours", "/museum/2.0.0/hours", "/museum", "/museum/1.0.0x/hours"])
def test_an_unknown_api_is_not_found(path: str) -> None:
    assert World().refusal(token(), path=path).code == Code.API_NOT_FOUND


def test_an_unknown_path_is_404_and_an_unknown_method_405_with_allow() -> None:
    assert World().refusal(token(), path="/museum/1.0.0/else").status == 404
    entry = World().refusal(token(), method="DELETE")
    assert (entry.status, header(entry, "allow")) == (405, "GET")


@pytest.mark.parametrize("path", ["/museum/1.0.0/../x", "/museum//1.0.0/hours", "/museum/1.0.0/%2e%2e/x", "museum"])
def test_a_path_that_could_be_read_in_two_ways_is_refused(path: str) -> None:
    assert World().refusal(token(), path=path).code == Code.BAD_PATH


def test_a_client_that_we_do_not_know_any_more_is_refused_as_an_invalid_token() -> None:
    world = World()
    world.facts.drop_credential(50)
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (Code.CLIENT_UNKNOWN, 401)


def test_an_application_under_removal_is_refused_at_once() -> None:
    world = World()
    world.facts.put_applications([application(active=False)])
    assert world.refusal(token()).status == 401


def test_a_token_that_was_revoked_through_us_is_refused_although_its_signature_holds() -> None:
    world, bearer = World(), token()
    world.facts.put_revoked([(hashlib.sha256(bearer.encode()).digest(), NOW + 600)])
    assert world.refusal(bearer).code == Code.TOKEN_REVOKED


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (SubscriptionState.BLOCKED, Code.SUBSCRIPTION_BLOCKED),
        (SubscriptionState.PRODUCTION_BLOCKED, Code.SUBSCRIPTION_PRODUCTION_BLOCKED),
        (SubscriptionState.ON_HOLD, Code.SUBSCRIPTION_INACTIVE),
        (SubscriptionState.REJECTED, Code.SUBSCRIPTION_INACTIVE),
    ],
)
def test_a_subscription_that_is_not_unblocked_refuses_production_keys(state: SubscriptionState, code: Code) -> None:
    world = World()
    world.facts.put_subscriptions([subscription(state=state)])
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (code, 403)


def test_a_production_block_lets_sandbox_keys_pass_to_the_sandbox() -> None:
    world = World()
    world.facts.put_subscriptions([subscription(state=SubscriptionState.PRODUCTION_BLOCKED)])
    world.facts.put_credentials([credential(Environment.SANDBOX)])
    verdict = world.judge(token())
    assert (verdict.allowed, verdict.environment) == (True, "sandbox")


def test_a_sandbox_key_on_an_api_without_sandbox_has_its_own_reason() -> None:
    world = World()
    world.facts.put_routes([route(has_sandbox=False)])
    world.facts.put_credentials([credential(Environment.SANDBOX)])
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (Code.NO_SANDBOX, 403)


def test_without_a_subscription_the_call_is_forbidden() -> None:
    world = World()
    world.facts.drop_subscription(30)
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (Code.NOT_SUBSCRIBED, 403)


def test_a_missing_scope_names_the_scopes_that_would_do() -> None:
    entry = World().refusal(token(), method="POST", path="/museum/1.0.0/tickets")
    assert (entry.code, entry.status) == (Code.INSUFFICIENT_SCOPE, 403)
    assert 'error="insufficient_scope"' in header(entry, "www-authenticate")
    assert 'scope="admin write"' in header(entry, "www-authenticate")


def test_one_of_several_scopes_is_enough() -> None:
    assert World().judge(token(scope="admin other"), method="POST", path="/museum/1.0.0/tickets").allowed


def test_a_token_for_another_audience_is_refused_only_where_the_api_names_audiences() -> None:
    world = World()
    assert world.judge(token(aud="elsewhere")).allowed
    world.facts.put_routes([route(audiences=frozenset({"museum"}))])
    assert world.refusal(token(aud="elsewhere")).code == Code.AUDIENCE_MISMATCH
    assert world.judge(token(aud=["museum", "elsewhere"])).allowed


def test_a_key_manager_that_the_api_does_not_accept_is_refused() -> None:
    world = World()
    world.facts.put_routes([route(accepted=frozenset({2}))])
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (Code.KEY_MANAGER_NOT_ACCEPTED, 403)


def test_tokens_of_a_disabled_key_manager_are_refused() -> None:
    world = World()
    world.facts.put_key_managers([key_manager(enabled=False)])
    assert world.refusal(token()).status == 401


def test_an_unreachable_key_manager_is_503_with_a_time_to_wait_and_never_an_allow() -> None:
    world = World()
    world.adapters[1].error = KeyManagerUnavailable(retry_after=7)
    entry = world.refusal(token())
    assert (entry.code, entry.status, header(entry, "retry-after")) == (Code.KEY_MANAGER_UNAVAILABLE, 503, "7")


def test_an_opaque_token_is_asked_at_each_accepted_key_manager_in_order_until_one_knows_it() -> None:
    first, second = AdapterInMemory("introspection"), AdapterInMemory("introspection")
    first.answers["opaque"] = Inactive(reason="unknown")
    second.answers["opaque"] = TokenFacts(client_id="client-1", scopes=frozenset(), exp=int(NOW) + 60)
    world = World(adapters={1: first, 2: second})
    world.facts.put_key_managers([key_manager(1, issuers=frozenset()), key_manager(2)])
    world.facts.put_credentials([credential()])
    assert world.refusal("opaque").code == Code.CLIENT_UNKNOWN
    assert (first.introspections, second.introspections) == (1, 1)


def test_an_opaque_token_is_not_shown_to_a_key_manager_that_the_api_does_not_accept() -> None:
    first, second = AdapterInMemory("introspection"), AdapterInMemory("introspection")
    second.answers["opaque"] = Inactive(reason="unknown")
    world = World(adapters={1: first, 2: second})
    world.facts.put_key_managers([key_manager(1), key_manager(2)])
    world.facts.put_routes([route(accepted=frozenset({2}))])
    assert world.refusal("opaque").code == Code.TOKEN_INVALID
    assert first.introspections == 0


def test_nobody_knows_when_one_says_no_and_another_does_not_answer() -> None:
    first, second = AdapterInMemory("introspection"), AdapterInMemory("introspection")
    first.error = KeyManagerUnavailable()
    second.answers["opaque"] = Inactive(reason="unknown")
    world = World(adapters={1: first, 2: second})
    world.facts.put_key_managers([key_manager(1), key_manager(2)])
    assert world.refusal("opaque").code == Code.KEY_MANAGER_UNAVAILABLE


def test_the_plan_limits_calls_and_says_when_to_come_back() -> None:
    world = World()
    world.facts.put_plans([plan(requests=2, per_seconds=60)])
    assert [world.judge(token()).allowed for _ in range(3)] == [True, True, False]
    entry = world.refusal(token())
    assert (entry.code, entry.status) == (Code.PLAN_LIMIT_REACHED, 429)
    assert 1 <= int(header(entry, "retry-after")) <= 60


def test_the_backend_jwt_is_added_only_where_the_api_asks_for_it() -> None:
    world = World()
    assert world.judge(token()).answer_headers == ()
    world.facts.put_routes([route(backend_jwt=True)])
    assert world.judge(token()).answer_headers == (("x-jwt-assertion", "signed.for.App"),)


def test_the_steps_behind_the_first_failure_are_listed_as_not_reached() -> None:
    verdict = World().judge(None)
    assert [entry.outcome for entry in verdict.entries[:3]] == [Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED]
    assert len(verdict.entries) == 10


# --- steps of others ---------------------------------------------------------------------------------------------


class OfficeHoursStep:
    """The example of docs/extending/validation-steps.md."""

    name = "office_hours"

    def __init__(self, services: Any) -> None:
        self._clock = services.clock

    def check(self, call: Any, /) -> VerdictEntry:
        if int(self._clock.now() // 3600) % 24 >= 6:
            return passed(self.name)
        return failed(self.name, "outside_office_hours", "Come back after six.", status=403)


class RaisingStep:
    name = "raising"

    def __init__(self, services: Any) -> None:
        pass

    def check(self, call: Any, /) -> VerdictEntry:
        raise RuntimeError("a secret detail")


class SilentStep(RaisingStep):
    name = "silent"

    def check(self, call: Any, /) -> Any:
        return None


def with_step(name: str) -> World:
    world = World()
    world.step_names.insert(1, f"{__name__}.{name}")
    return world


def test_a_step_of_another_package_takes_part_and_brings_its_own_reason() -> None:
    world = with_step("OfficeHoursStep")
    world.clock.time = NOW - NOW % 86400 + 7 * 3600
    allowed = world.judge(token(iat=None, exp=int(world.clock.time) + 60))
    world.clock.time -= 3 * 3600
    refused = world.refusal(token(iat=None))
    assert allowed.allowed
    assert (refused.code, refused.status) == ("outside_office_hours", 403)


@pytest.mark.parametrize("name", ["RaisingStep", "SilentStep"])
def test_a_step_that_breaks_refuses_the_call_and_keeps_its_details_to_the_log(name: str) -> None:
    entry = with_step(name).refusal(token())
    assert (entry.code, entry.status) == (Code.VALIDATION_STEP_FAILED, 503)
    assert "secret" not in entry.message


@pytest.mark.parametrize("missing", ["RouteStep", "TokenStep", "ApplicationStep"])
def test_leaving_out_a_step_that_others_build_on_never_allows_a_call(missing: str) -> None:
    world = World()
    world.step_names = [name for name in world.step_names if not name.endswith("." + missing)]
    assert not world.judge(token()).allowed


@pytest.mark.parametrize("names", [[], ["no.such.Step"], ["keymanager.validation.steps.load_steps"], ["x"]])
def test_a_setting_that_names_no_usable_steps_stops_the_start(names: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        load_steps(names, World().services())


def test_a_jwt_of_an_issuer_that_nobody_configured_is_refused_without_asking_around() -> None:
    world = World()
    assert world.refusal(token(iss="https://evil.example")).code == Code.TOKEN_INVALID
    assert (world.adapters[1].introspections, ISSUER) == (0, "https://idp.example")
