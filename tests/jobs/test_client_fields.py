"""Members of a client that only some key managers have, and the characters of the secrets that we make."""

import string
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.actor import Actor
from common.errors import InputError
from keymanager.adapters.hydra.clients import new_secret as hydra_secret
from keymanager.adapters.pingfederate.mapping import new_secret as pingfederate_secret
from keymanager.models import Credential
from keymanager.registrations.client_facts import metadata_of
from keymanager.resident.client_services import new_secret as resident_secret
from keymanager.services import credentials
from keymanager.services.mapped_credentials import map_client
from tests.fakes.okta_server import OktaServer
from tests.fakes.rfc_server import RfcServer
from tests.fakes.surfoauth import SurfOAuthServer
from tests.jobs.kit import Worker, application, registration_of, rfc_key_manager, wish
from tests.jobs.test_surfoauth import key_manager
from tests.jobs.test_vendors import Vendor, okta

pytestmark = pytest.mark.django_db
LOGO = "https://museum.example/logo.png"


@pytest.fixture
def vendor(admin: Actor) -> Iterator[Vendor]:
    yield from okta(admin)


def test_members_reach_the_key_manager_and_change_with_the_credential(
    vendor: Vendor, developer: Actor, worker: Worker
) -> None:
    row = wish(developer, application(developer), vendor.key_manager, extra={"logo_uri": LOGO})
    worker.settle()
    assert registration_of(row).state == "active"
    assert isinstance(vendor.server, OktaServer)
    assert LOGO in str([app.oauth for app in vendor.server.state.apps.values()])

    credentials.change_credential(actor=developer, credential=row, extra={"client_uri": "https://museum.example/"})
    assert metadata_of(row, registration_of(row).wanted).extra == {"client_uri": "https://museum.example/"}


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"logo_uri": "not a url"}, "extra.logo_uri"),
        ({"application_type": "toaster"}, "extra.application_type"),
        ({"client_secret": "mine"}, "extra.client_secret"),
        ({"post_logout_redirect_uris": "x"}, "extra.post_logout_redirect_uris"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_saved(
    vendor: Vendor, developer: Actor, extra: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        wish(developer, application(developer), vendor.key_manager, extra=extra)
    assert list(caught.value.fields) == [field]
    assert not Credential.objects.exists()


def test_a_key_manager_without_such_members_and_a_client_made_elsewhere_take_none(
    admin: Actor, server: RfcServer, developer: Actor
) -> None:
    fake = rfc_key_manager(server, admin=admin)
    with pytest.raises(InputError) as caught:
        wish(developer, application(developer), fake, extra={"logo_uri": LOGO})
    assert list(caught.value.fields) == ["extra.logo_uri"]
    row = map_client(actor=developer, application=application(developer, "B"), key_manager=fake, client_id="theirs")
    with pytest.raises(InputError):
        credentials.change_credential(actor=developer, credential=row, extra={"logo_uri": LOGO})


def test_what_a_kind_of_server_could_never_register_is_refused_before_it_is_saved(
    admin: Actor, developer: Actor
) -> None:
    with SurfOAuthServer() as server:
        surfoauth = key_manager(server, admin)
        with pytest.raises(InputError) as caught:
            wish(
                developer,
                application(developer),
                surfoauth,
                grant_types=["authorization_code"],
                redirect_uris=["https://museum.example"],
            )
        asked = [request for request in server.requests if "client" in request.path]
    assert list(caught.value.fields) == ["redirect_uris"]
    assert asked == []
    assert not Credential.objects.exists()


def test_secrets_that_we_make_have_only_characters_that_every_server_reads_alike() -> None:
    fine = set(string.ascii_letters + string.digits + "-_")
    for make in (hydra_secret, pingfederate_secret, resident_secret):
        assert all(set(make()) <= fine for _ in range(50))
