"""Signing in with the password of a real OpenLDAP, in a tree of its own shape and in one of Active Directory's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ExternalIdentity, Role, User
from accounts.services import create_user
from tests.servers.certificates import self_signed
from tests.servers.slapd import ACTIVE_DIRECTORY_TREE, OPENLDAP_TREE, SlapdServer, start

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture(scope="module")
def server() -> Iterator[SlapdServer]:
    with start() as running:
        yield running


def use(settings: Settings, **values: Any) -> None:
    backend = "portal.sign_in.ldap.DirectoryBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, backend]
    settings.ARCHWAY_SIGN_IN_ROLES = ["group:api-developers=api_developer"]
    settings.ARCHWAY_SIGN_IN_TEAMS = ["group:museum=Museum"]
    for name, value in values.items():
        setattr(settings, f"ARCHWAY_LDAP_{name}", value)


@pytest.fixture
def openldap(settings: Settings, server: SlapdServer) -> None:
    use(
        settings,
        URL=server.url,
        KIND="openldap",
        BIND_DN=f"cn=reader,{OPENLDAP_TREE}",
        BIND_PASSWORD="reader-password",
        USER_BASE=f"ou=people,{OPENLDAP_TREE}",
        GROUP_BASE=f"ou=groups,{OPENLDAP_TREE}",
    )


@pytest.fixture
def active_directory(settings: Settings, server: SlapdServer) -> None:
    use(
        settings,
        URL=server.url,
        KIND="active-directory",
        BIND_DN=f"cn=reader,cn=Users,{ACTIVE_DIRECTORY_TREE}",
        BIND_PASSWORD="reader-password",
        USER_BASE=f"cn=Users,{ACTIVE_DIRECTORY_TREE}",
        GROUP_BASE=f"cn=Users,{ACTIVE_DIRECTORY_TREE}",
    )


def sign_in(name: str, password: str) -> Any:
    return Client().post("/sign-in/", {"username": name, "password": password, "next": "/account/"})


def roles_of(user: User) -> set[str]:
    return set(user.role_grants.values_list("role", flat=True))


@pytest.mark.usefixtures("openldap")
def test_somebody_of_the_directory_gets_what_their_groups_and_the_groups_around_them_give() -> None:
    assert sign_in("lena", "lena-password")["Location"] == "/account/"
    lena = User.objects.get()
    assert (lena.username, lena.email, lena.last_name) == ("lena", "lena@example.org", "Lund")
    assert roles_of(lena) == {"api_developer"}
    assert set(lena.teams.values_list("name", flat=True)) == {"lena", "Museum"}
    identity = ExternalIdentity.objects.get()
    assert identity.issuer == "ldap:directory"
    assert len(identity.subject) == 36


@pytest.mark.usefixtures("openldap")
def test_the_second_sign_in_finds_the_same_person_and_somebody_without_groups_has_no_role() -> None:
    for _ in range(2):
        sign_in("max", "max-password")
    assert roles_of(User.objects.get()) == set()


@pytest.mark.usefixtures("openldap")
@pytest.mark.parametrize(
    ("name", "password"), [("lena", "wrong"), ("nobody", "any"), ("*", "lena-password"), ("lena)(uid=*", "any")]
)
def test_a_wrong_password_an_unknown_name_and_a_pattern_do_not_get_in(name: str, password: str) -> None:
    answer = sign_in(name, password)
    assert answer.status_code == 200
    assert "user name or the password is wrong" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.usefixtures("openldap")
def test_a_local_password_goes_first_and_a_name_of_the_directory_is_not_that_person() -> None:
    local = create_user(username="lena", password="correct horse battery", roles=[Role.ADMINISTRATOR])
    sign_in("lena", "correct horse battery")
    assert not ExternalIdentity.objects.exists()
    sign_in("lena", "lena-password")
    made = ExternalIdentity.objects.get().user
    assert made != local
    assert roles_of(made) == {"api_developer"}


@pytest.mark.usefixtures("active_directory")
@pytest.mark.parametrize("name", ["nora", "NORA", "nora.nilsson@corp.example"])
def test_in_active_directory_both_names_lead_to_one_person_with_three_groups_in_each_other(name: str) -> None:
    sign_in(name, "nora-password")
    nora = User.objects.get()
    assert (nora.username, roles_of(nora)) == ("nora", {"api_developer"})
    assert ExternalIdentity.objects.get().subject == "04030201-0605-0807-090a-0b0c0d0e0f10"


@pytest.mark.usefixtures("active_directory")
def test_an_account_that_is_disabled_there_does_not_get_in_though_the_server_takes_the_password() -> None:
    assert sign_in("otto", "otto-password").status_code == 200
    assert not User.objects.exists()


@pytest.mark.usefixtures("openldap")
def test_a_directory_that_is_down_does_not_look_like_a_wrong_password(settings: Settings) -> None:
    settings.ARCHWAY_LDAP_URL = "ldap://127.0.0.1:9"
    create_user(username="root", password="correct horse battery")
    answer = sign_in("lena", "lena-password")
    assert answer.status_code == 503
    assert "The directory directory does not answer" in answer.content.decode()
    assert sign_in("root", "correct horse battery").status_code == 302


@pytest.mark.usefixtures("openldap")
def test_a_wrong_account_of_the_portal_is_told(settings: Settings) -> None:
    settings.ARCHWAY_LDAP_BIND_PASSWORD = "wrong-secret"
    answer = sign_in("lena", "lena-password")
    assert answer.status_code == 502
    assert "INVALID_CREDENTIALS" in answer.content.decode()
    assert "wrong-secret" not in answer.content.decode()


@pytest.mark.usefixtures("openldap")
@pytest.mark.parametrize("way", ["ldaps", "start_tls"])
def test_a_directory_behind_tls_is_believed_by_its_certificate_only(
    settings: Settings, server: SlapdServer, tmp_path: Path, way: str
) -> None:
    settings.ARCHWAY_LDAP_URL = server.tls_url if way == "ldaps" else server.url
    settings.ARCHWAY_LDAP_START_TLS = way == "start_tls"
    settings.ARCHWAY_LDAP_CA_FILE = str(self_signed(tmp_path, "another"))
    answer = sign_in("lena", "lena-password")
    assert answer.status_code == 503
    assert not User.objects.exists()

    settings.ARCHWAY_LDAP_CA_FILE = str(server.certificate)
    assert sign_in("lena", "lena-password").status_code == 302
    assert User.objects.get().username == "lena"
