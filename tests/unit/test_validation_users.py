"""Users behind tokens: who has one, what roles change, what the backend is told."""

from typing import Any

import pytest

from keymanager.adapters.contract import KeyManagerAdapter, TokenFacts
from keymanager.validation.backend_jwt import claims_of
from keymanager.validation.codes import Code
from keymanager.validation.facts import UserFacts
from keymanager.validation.resolved import GoodToken
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.step import Call
from keymanager.validation.users import names_user
from tests.unit.validation_kit import (
    NOW,
    World,
    application,
    credential,
    key_manager,
    plan,
    route,
    token,
)


def facts(*, client_id: str = "client-1", sub: str = "", username: str = "", **claims: Any) -> TokenFacts:
    return TokenFacts(client_id=client_id, scopes=frozenset(), sub=sub, username=username, claims=claims)


@pytest.mark.parametrize(
    "machine",
    [
        facts(),
        facts(sub="client-1"),
        facts(sub="client-1", username="client-1"),
        facts(sub="client-1@clients", gty="client-credentials"),
        facts(sub="a-guid", idtyp="app"),
        facts(sub="somebody", aut="APPLICATION"),
        facts(sub="client-1", grant_type="client_credentials"),
        facts(sub="a-guid", preferred_username="service-account-client-1"),
        facts(sub="a-guid", username="service-account-Client-1"),
    ],
)
def test_a_token_that_a_client_got_for_itself_has_no_user(machine: TokenFacts) -> None:
    assert not names_user(machine)


@pytest.mark.parametrize(
    "person",
    [
        facts(sub="anna"),
        facts(username="anna"),
        facts(sub="client-1", username="anna"),
        facts(sub="a-guid", preferred_username="service-account-another-client"),
    ],
)
def test_in_doubt_there_is_a_user(person: TokenFacts) -> None:
    assert names_user(person)


class Users:
    """A user source that a test sets and counts."""

    def __init__(self, *roles: str) -> None:
        self.roles = frozenset(roles)
        self.asked = 0

    def user_of(self, adapter: KeyManagerAdapter, facts: TokenFacts, token: str) -> UserFacts:
        """Always Anna."""
        self.asked += 1
        return UserFacts(username="anna", roles=self.roles)


def bound_world(*roles: str, shares_users: bool = True) -> World:
    """The API binds the scope ``write`` to the roles editor and owner."""
    world = World(users=Users(*roles))
    world.facts.put_key_managers([key_manager(shares_users=shares_users)])
    world.facts.put_routes([route(scope_roles={"write": frozenset({"editor", "owner"})})])
    return world


TICKETS: dict[str, Any] = {"method": "POST", "path": "/museum/1.0.0/tickets"}


def test_a_user_with_one_of_the_roles_carries_the_bound_scope() -> None:
    assert bound_world("owner").judge(token(scope="write"), **TICKETS).allowed


def test_a_user_without_any_of_the_roles_is_refused_and_the_verdict_names_them() -> None:
    entry = bound_world("reader").refusal(token(scope="write"), **TICKETS)
    assert (entry.code, entry.status) == (Code.ROLE_MISSING, 403)
    assert entry.message == "anna has none of the roles: write needs editor or owner."
    assert any(name == "www-authenticate" and "insufficient_scope" in value for name, value in entry.headers)


def test_another_scope_of_the_operation_that_is_bound_to_nothing_is_enough() -> None:
    assert bound_world().judge(token(scope="write admin"), **TICKETS).allowed


def test_a_machine_is_its_client_and_passes() -> None:
    assert bound_world().judge(token(scope="write", sub="client-1"), **TICKETS).allowed


def test_a_user_of_a_key_manager_that_shares_none_has_no_role() -> None:
    world = bound_world("owner", shares_users=False)
    assert world.refusal(token(scope="write"), **TICKETS).code == Code.ROLE_MISSING
    assert world.judge(token(scope="write", sub="client-1"), **TICKETS).allowed


def test_a_user_is_looked_up_when_the_token_is_first_seen_and_never_on_the_event_loop() -> None:
    world = bound_world("owner")
    users = Users("owner")
    resolver = TokenResolver(world, world.clock, users=users)
    answer = resolver.resolve(token(), world.facts, None)
    assert isinstance(answer, GoodToken)
    assert answer.user is not None
    assert resolver.resolve_at_once(token(), world.facts) is None
    assert isinstance(resolver.resolve_at_once(token(sub="client-1"), world.facts), GoodToken)
    assert users.asked == 1


def test_the_backend_is_told_the_claims_that_the_api_asks_for_and_never_instead_of_ours() -> None:
    world = World()
    wanted = {"mail": "email", "town": "address.locality", "phone": "phone_number", "iss": "email"}
    call = Call(world.facts, "GET", "/", [], {})
    call.route, call.application, call.plan = route(user_claims=wanted), application(), plan()
    call.credential, call.key_manager = credential(), key_manager()
    call.token_facts = facts(sub="anna")
    call.user = UserFacts(username="anna", claims={"email": "anna@example.org", "address": {"locality": "Utrecht"}})
    claims = claims_of(call, issuer="https://portal.example", now=NOW)
    assert (claims["mail"], claims["town"], claims["iss"]) == ("anna@example.org", "Utrecht", "https://portal.example")
    assert "phone" not in claims
    call.user = None
    assert "mail" not in claims_of(call, issuer="https://portal.example", now=NOW)
