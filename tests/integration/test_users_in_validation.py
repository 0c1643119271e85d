"""Scopes bound to roles and user claims: what publishers may ask for, and what a call then needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.actor import SYSTEM
from accounts.directory import DirectoryPerson, EntitlementRules
from accounts.models import ExternalIdentity, Role, Team, User
from accounts.queries import directory_claims_of, role_names_of
from accounts.services import create_user
from accounts.teams import create_team
from common.clock import SystemClock
from common.errors import KeyManagerProtocolError, KeyManagerUnavailable
from keymanager.adapters.config import parse_config
from keymanager.adapters.contract import Capability, KeyManagerAdapter, TokenFacts
from keymanager.adapters.token_rules import TokenRules
from keymanager.models import KeyManager
from keymanager.resident.issuer import issuer as resident_issuer
from keymanager.services.adapters import close_adapters
from keymanager.validation.configured_adapters import ConfiguredAdapters
from keymanager.validation.explain import Explainer
from keymanager.validation.facts import KeyManagerFacts
from keymanager.validation.loader import load_snapshot
from keymanager.validation.resolved import GoodToken, NoAnswer
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.users import PortalUsers
from subscriptions.models import ChangeEvent, ChangeKind, Scope
from subscriptions.services import people, teams
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer
from tests.integration.rest_kit import World, make_world
from tests.integration.validation_rows import make_rows
from tests.unit.validation_kit import AdapterInMemory, key_manager

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def adapters_are_closed() -> Iterator[None]:
    yield
    close_adapters()


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def share(world: World, key_manager: KeyManager, store: str = "shared") -> Any:
    return world.admin.patch(f"/admin/key-managers/{key_manager.slug}/", {"config": {"user_store": store}})


def fields_of(answer: Any) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


def a_scope(api: dict[str, Any]) -> str:
    return str(api["scopes"][0]["key"])


def test_a_publisher_binds_a_scope_to_roles_and_maps_user_claims(world: World) -> None:
    assert share(world, world.resident).status_code == 200
    api = world.make_published()
    before = ChangeEvent.objects.filter(kind=ChangeKind.API_VERSION, object_id=api["id"]).count()
    wish = {"scope_roles": {a_scope(api): ["curator", "curator"]}, "user_claims": {"mail": "email"}}
    answer = world.publisher.patch(f"/publisher/apis/{api['id']}/", wish)
    assert answer.status_code == 200, answer.content
    assert answer.json()["scope_roles"] == {a_scope(api): ["curator"]}
    assert answer.json()["user_claims"] == {"mail": "email"}
    assert ChangeEvent.objects.filter(kind=ChangeKind.API_VERSION, object_id=api["id"]).count() == before + 1
    found = load_snapshot().find_route(f"{api['context']}/{api['version']}")
    assert found is not None
    assert found[0].scope_roles == {a_scope(api): frozenset({"curator"})}
    assert found[0].user_claims == {"mail": "email"}
    cleared = world.publisher.patch(f"/publisher/apis/{api['id']}/", {"scope_roles": {}})
    assert cleared.json()["scope_roles"] == {}


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"user_claims": {"mail": "email"}}, "user_claims"),
        ({"user_claims": {"iss": "email"}}, "user_claims"),
        ({"scope_roles": {"no:such": ["curator"]}}, "scope_roles"),
    ],
)
def test_what_cannot_be_promised_is_refused_by_field_and_nothing_is_half_done(
    world: World, wish: dict[str, Any], field: str
) -> None:
    api = world.make_api()
    answer = world.publisher.patch(f"/publisher/apis/{api['id']}/", {**wish, "description": "changed"})
    assert answer.status_code == 400
    assert fields_of(answer) == [field]
    assert world.publisher.get(f"/publisher/apis/{api['id']}/").json()["description"] != "changed"


def test_role_bindings_are_refused_where_a_key_manager_has_other_users(world: World) -> None:
    api = world.make_api()
    answer = world.publisher.patch(f"/publisher/apis/{api['id']}/", {"scope_roles": {a_scope(api): ["curator"]}})
    assert answer.status_code == 400
    assert fields_of(answer) == ["scope_roles"]
    assert "resident" in answer.json()["errors"][0]["message"]


def test_an_api_that_depends_on_users_cannot_accept_a_key_manager_that_shares_none(world: World) -> None:
    share(world, world.resident)
    api = world.make_api(key_managers=["resident"])
    world.publisher.patch(f"/publisher/apis/{api['id']}/", {"user_claims": {"mail": "email"}})
    world.add_key_manager("fake")
    answer = world.publisher.patch(f"/publisher/apis/{api['id']}/", {"key_managers": ["resident", "fake"]})
    assert answer.status_code == 400
    assert fields_of(answer) == ["key_managers"]


def test_a_key_manager_goes_on_sharing_its_users_while_an_api_depends_on_them(world: World) -> None:
    share(world, world.resident)
    api = world.make_api()
    wish = {"scope_roles": {a_scope(api): ["curator"]}}
    assert world.publisher.patch(f"/publisher/apis/{api['id']}/", wish).status_code == 200
    answer = share(world, world.resident, "none")
    assert answer.status_code == 409
    assert api["name"] in str(answer.json())
    world.publisher.patch(f"/publisher/apis/{api['id']}/", {"scope_roles": {}})
    assert share(world, world.resident, "none").status_code == 200


@pytest.fixture
def staff(anna: User) -> Team:
    return create_team(name="staff", members=[anna])


def told_of(user: User) -> int:
    return ChangeEvent.objects.filter(kind=ChangeKind.PERSON, object_id=str(user.pk)).count()


@pytest.mark.parametrize(
    "change",
    [
        lambda anna, staff: people.revoke_role(actor=SYSTEM, user=anna, role=Role.PUBLISHER),
        lambda anna, staff: people.grant_role(actor=SYSTEM, user=anna, role=Role.API_DEVELOPER),
        lambda anna, staff: people.set_active(actor=SYSTEM, user=anna, active=False),
        lambda anna, staff: teams.remove_member(actor=SYSTEM, team=staff, user=anna),
        lambda anna, staff: teams.rename_team(actor=SYSTEM, team=staff, name="crew"),
        lambda anna, staff: teams.create_team(actor=SYSTEM, name="keepers", members=[anna]),
    ],
)
def test_whatever_changes_what_a_person_may_do_is_told_to_the_validators(
    anna: User, staff: Team, change: Callable[[User, Team], object]
) -> None:
    change(anna, staff)
    assert told_of(anna) == 1


def test_what_changes_nothing_is_not_told(anna: User, staff: Team) -> None:
    people.grant_role(actor=SYSTEM, user=anna, role=Role.PUBLISHER)
    teams.add_member(actor=SYSTEM, team=staff, user=anna)
    assert told_of(anna) == 0


def test_a_login_that_takes_a_role_away_is_told(anna: User) -> None:
    ExternalIdentity.objects.create(user=anna, issuer="https://idp.example", subject="a-guid")
    with_group = DirectoryPerson(issuer="https://idp.example", subject="a-guid", username="anna", groups=frozenset("g"))
    rules = EntitlementRules(roles=(("group:g", Role.ADMINISTRATOR),))
    people.admit(person=with_group, rules=rules)
    people.admit(person=with_group, rules=rules)
    assert told_of(anna) == 1
    people.admit(person=replace(with_group, groups=frozenset()), rules=rules)
    assert told_of(anna) == 2


def test_a_users_token_passes_once_the_user_has_the_role_and_the_clients_own_token_always_does(anna: User) -> None:
    with RfcServer(quirks=Quirks(token_format="jwt")) as server:
        rows = make_rows(server.issuer, registration="none", user_store="shared")
        Scope.objects.filter(api_version=rows.api_version).update(roles=["curators"])
        explainer = Explainer(ConfiguredAdapters(), SystemClock())

        def ask(subject: str) -> str:
            token = server.make_token("client-1", scope="write", subject=subject, seconds=60)
            failure = explainer.call(token=token, method="POST", path="/museum/1.0.0/tickets").failure
            return failure.code if failure is not None else ""

        assert [ask("anna"), ask("nobody"), ask("client-1")] == ["", "role_missing", ""]
        anna.memberships.filter(team__name="curators").delete()
        assert ask("anna") == "role_missing"
        KeyManager.objects.update(config={**rows.key_manager.config, "user_store": "none"}, revision=2)
        assert [ask("anna"), ask("client-1")] == ["role_missing", ""]


# --- whose token it is ------------------------------------------------------------------------------------------------


@pytest.fixture
def anna(db: None) -> User:
    user = create_user(
        username="anna", password="correct horse battery staple", roles=[Role.PUBLISHER], email="anna@example.org"
    )
    create_team(name="curators", members=[user])
    return user


def token_of(**changes: Any) -> TokenFacts:
    values: dict[str, Any] = {"client_id": "c", "scopes": frozenset(), "iss": "https://idp.example", **changes}
    return TokenFacts(**values)


def adapter(**rules: Any) -> AdapterInMemory:
    made = AdapterInMemory("auto", user_store="shared", **rules)
    parse_config(TokenRules, {"user_store": "shared", **rules})
    return made


def test_roles_are_those_of_the_portal_and_the_teams_that_are_shared_with_others(anna: User) -> None:
    assert role_names_of(anna) == {"publisher", "curators"}
    assert directory_claims_of(anna)["roles"] == ["curators", "publisher"]


@pytest.mark.parametrize(
    ("token", "rules"),
    [
        (token_of(username="anna"), {}),
        (token_of(sub="anna"), {}),
        (token_of(claims={"preferred_username": "anna"}, sub="a-guid"), {}),
        (token_of(claims={"account": {"login": "anna"}}, sub="a-guid"), {"user_name_claims": ["account.login"]}),
    ],
)
def test_a_user_is_found_by_the_configured_claims(anna: User, token: TokenFacts, rules: dict[str, Any]) -> None:
    found = PortalUsers().user_of(adapter(**rules), token, "t")
    assert (found.username, set(found.roles)) == ("anna", {"publisher", "curators"})


def test_a_user_who_is_unknown_or_not_active_has_no_role(anna: User) -> None:
    assert PortalUsers().user_of(adapter(), token_of(username="berta", sub="anna"), "t").roles == frozenset()
    anna.is_active = False
    anna.save()
    assert PortalUsers().user_of(adapter(), token_of(username="anna"), "t").roles == frozenset()


def test_a_token_of_the_resident_key_manager_names_its_user_by_id(anna: User) -> None:
    mine = token_of(iss=resident_issuer(), sub=str(anna.pk))
    assert PortalUsers().user_of(adapter(), mine, "t").username == "anna"
    assert PortalUsers().user_of(adapter(), token_of(iss=resident_issuer(), sub="anna"), "t").roles == frozenset()


def test_at_the_issuer_that_people_sign_in_at_the_subject_decides_and_no_name(anna: User, settings: Settings) -> None:
    ExternalIdentity.objects.create(user=anna, issuer="https://idp.example", subject="a-guid")

    def found(**changes: Any) -> set[str]:
        return set(PortalUsers().user_of(adapter(), token_of(**changes), "t").roles)

    assert found(sub="a-guid", username="somebody") == {"publisher", "curators"}
    assert found(sub="another-guid", username="anna") == set()
    assert found(sub="", username="anna") == set()
    assert found(sub="a-guid", iss="https://other.example") == set()
    ExternalIdentity.objects.all().delete()
    assert found(sub="another-guid", username="anna") == {"publisher", "curators"}
    settings.ARCHWAY_OIDC_ISSUER = "https://idp.example"
    assert found(sub="another-guid", username="anna") == set()


def arrive(subject: str, username: str, issuer: str = "ldap:directory") -> User:
    """Somebody of a directory signs in to the portal, and is in a team of their own there."""
    person = DirectoryPerson(issuer=issuer, subject=subject, username=username, groups=frozenset("g"))
    return people.admit(person=person, rules=EntitlementRules(teams=(("group:g", f"Team of {subject}"),)))


def found_as(name: str) -> tuple[str, set[str]]:
    """The id and the roles behind a token that says no more than a name."""
    found = PortalUsers().user_of(adapter(), token_of(sub="a-guid", claims={"preferred_username": name}), "t")
    return found.id, set(found.roles)


@pytest.fixture
def directory(settings: Settings) -> None:
    settings.ARCHWAY_LDAP_URL = "ldap://directory.example"


@pytest.mark.usefixtures("directory")
def test_a_name_of_the_directory_is_the_person_there_and_never_the_local_account_of_that_name() -> None:
    create_user(username="admin", password="correct horse battery staple", roles=[Role.ADMINISTRATOR])
    assert found_as("admin") == ("", set())
    person = arrive("s1", "admin")
    assert person.username == "admin-2"
    assert found_as("admin") == (str(person.pk), {"Team of s1"})
    assert found_as("admin-2") == ("", set())
    assert PortalUsers().user_of(adapter(), token_of(sub=""), "t").id == ""


@pytest.mark.usefixtures("directory")
def test_a_name_that_somebody_new_has_by_now_is_no_longer_the_leavers_and_both_are_told() -> None:
    leaver = arrive("s1", "lena")
    newcomer = arrive("s2", "lena")
    assert found_as("lena") == (str(newcomer.pk), {"Team of s2"})
    assert told_of(leaver) == 2
    arrive("s2", "lena")
    assert (told_of(leaver), told_of(newcomer)) == (2, 1)
    arrive("s2", "Lena")
    assert (found_as("lena"), told_of(newcomer)) == (("", set()), 2)


@pytest.mark.usefixtures("directory")
def test_who_was_admitted_before_names_were_kept_is_nobody_by_name_until_the_next_sign_in() -> None:
    known = arrive("s1", "lena")
    ExternalIdentity.objects.update(username="")
    assert found_as("lena") == ("", set())
    assert arrive("s1", "lena") == known
    assert found_as("lena") == (str(known.pk), {"Team of s1"})


@pytest.mark.usefixtures("directory")
def test_a_name_in_two_directories_and_one_of_somebody_switched_off_are_nobody(settings: Settings) -> None:
    settings.ARCHWAY_SQL_USERS_URL = "sqlite:///other.sqlite3"
    lena = arrive("s1", "lena")
    arrive("7", "max", issuer="sql:users")
    assert found_as("max")[1] == {"Team of 7"}
    arrive("8", "lena", issuer="sql:users")
    assert found_as("lena") == ("", set())
    settings.ARCHWAY_SQL_USERS_URL = ""
    assert found_as("lena") == (str(lena.pk), {"Team of s1"})
    assert found_as("max") == ("", set())
    people.set_active(actor=SYSTEM, user=lena, active=False)
    assert found_as("lena") == ("", set())


@pytest.mark.usefixtures("directory")
def test_a_name_too_long_to_keep_is_not_cut_to_one_that_could_be_anothers() -> None:
    arrive("s1", "n" * 256)
    assert ExternalIdentity.objects.get().username == ""


def test_where_there_are_names_only_nobody_becomes_an_administrator_by_one(anna: User) -> None:
    people.grant_role(actor=SYSTEM, user=anna, role=Role.ADMINISTRATOR)
    assert found_as("anna") == (str(anna.pk), {"publisher", "curators"})
    told = PortalUsers().user_of(adapter(user_claims_from="directory"), token_of(username="anna"), "t")
    assert told.claims["roles"] == ["curators", "publisher"]
    mine = token_of(iss=resident_issuer(), sub=str(anna.pk))
    assert "administrator" in PortalUsers().user_of(adapter(), mine, "t").roles


class Telling(AdapterInMemory):
    """A key manager with a user information endpoint."""

    def __init__(self, token_validation: str, **rules: Any) -> None:
        super().__init__(token_validation, **rules)
        self.told: Mapping[str, Any] = {}
        self.told_error: Exception | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """With that endpoint."""
        return super().capabilities | {Capability.USER_CLAIMS}

    def user_claims(self, token: str) -> Mapping[str, Any]:
        """What the test says."""
        if self.told_error is not None:
            raise self.told_error
        return self.told


@pytest.mark.parametrize(
    ("told", "email"),
    [
        ({"sub": "anna", "email": "a@userinfo.example"}, "a@userinfo.example"),
        ({"sub": "berta", "email": "b@userinfo.example"}, None),
    ],
)
def test_user_information_about_somebody_else_is_not_used(anna: User, told: dict[str, Any], email: str | None) -> None:
    made = Telling("auto", user_store="shared", user_claims_from="userinfo")
    made.told = told
    assert PortalUsers().user_of(made, token_of(sub="anna"), "t").claims.get("email") == email


def test_a_token_whose_user_cannot_be_asked_about_is_503_and_nothing_else(anna: User) -> None:
    made = Telling("introspection", user_store="shared", user_claims_from="userinfo")
    made.answers["opaque"] = token_of(sub="anna", iss="")
    facts = Snapshot()
    facts.put_key_managers([key_manager(1, shares_users=True)])

    class Source:
        """``AdapterSource``."""

        def adapter(self, _: KeyManagerFacts) -> KeyManagerAdapter:
            """The one."""
            return made

    resolver = TokenResolver(Source(), SystemClock())
    assert isinstance(resolver.resolve("opaque", facts, None), GoodToken)
    made.told = {"sub": "anna"}
    for error in (KeyManagerProtocolError("no JSON"), KeyManagerUnavailable("away", retry_after=7.0)):
        made.told_error = error
        answer = resolver.resolve("opaque", facts, None)
        assert isinstance(answer, NoAnswer)
        assert answer.retry_after in (5, 7)


@pytest.mark.parametrize(("source", "email"), [("token", "anna@token.example"), ("directory", "anna@example.org")])
def test_user_claims_come_from_where_the_key_manager_says(anna: User, source: str, email: str) -> None:
    token = token_of(username="anna", claims={"email": "anna@token.example"})
    assert PortalUsers().user_of(adapter(user_claims_from=source), token, "t").claims["email"] == email
