"""The in-process transport, discovery, and an unmodified client library against the embedded authorization server."""

from collections.abc import Iterator

import httpx2
import pytest
from authlib.integrations.requests_client import OAuth2Session
from django.core.signals import request_finished, request_started
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import get_script_prefix, get_urlconf, path, set_script_prefix, set_urlconf
from django.utils import translation
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from keymanager.resident.issuer import issuer
from keymanager.resident.models import Client, Scope
from keymanager.resident.transport import ResidentTransport
from tests.integration.resident_kit import ResidentUnderTest


def outer(request: HttpRequest) -> HttpResponse:
    """A page that asks the embedded server something while it is being rendered."""
    before = get_urlconf(), get_script_prefix(), translation.get_language()
    registered = ResidentUnderTest().register(scope="")
    assert (get_urlconf(), get_script_prefix(), translation.get_language()) == before
    return HttpResponse(registered["client_id"])


urlpatterns = [path("outer", outer)]


@pytest.fixture
def signals() -> Iterator[list[str]]:
    fired: list[str] = []

    def started(**kwargs: object) -> None:
        fired.append("started")

    def finished(**kwargs: object) -> None:
        fired.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    yield fired
    request_started.disconnect(started)
    request_finished.disconnect(finished)


@pytest.mark.django_db
def test_a_call_fires_no_request_signal(signals: list[str]) -> None:
    ResidentUnderTest().register(scope="")

    assert signals == []


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_call_inside_another_request_disturbs_nothing() -> None:
    response = Browser().get("/outer")

    assert Client.objects.get().client_id == response.content.decode()


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_it_does_not_depend_on_the_urls_that_this_process_serves() -> None:
    set_urlconf(__name__)
    set_script_prefix("/elsewhere/")
    try:
        assert ResidentUnderTest().manage("GET", "manage/scopes").status_code == 200
        assert get_script_prefix() == "/elsewhere/"
    finally:
        set_script_prefix("/")
        set_urlconf(None)


@pytest.mark.django_db(transaction=True)
def test_it_works_outside_and_inside_a_transaction_that_is_rolled_back() -> None:
    resident = ResidentUnderTest()
    kept = resident.register(scope="")
    with transaction.atomic():
        resident.register(scope="")
        transaction.set_rollback(True)

    assert Client.objects.get().client_id == kept["client_id"]


@pytest.mark.django_db
def test_when_the_database_refuses_the_answer_is_503_and_the_outer_transaction_lives(settings: Settings) -> None:
    resident = ResidentUnderTest()

    def refuse(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        raise OperationalError("database is locked")

    with transaction.atomic():
        Scope.objects.create(key="kept")
        with connection.execute_wrapper(refuse):
            answer = resident.manage("PUT", "manage/scopes/lost", {"description": ""})
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"] == "1"
        assert list(Scope.objects.values_list("key", flat=True)) == ["kept"]


@pytest.mark.parametrize("url", ["http://169.254.169.254/resident/jwks", "https://127.0.0.1:8000/resident/jwks"])
def test_it_reaches_nothing_but_the_embedded_server(url: str) -> None:
    with httpx2.Client(transport=ResidentTransport()) as http, pytest.raises(httpx2.ConnectError):
        http.get(url)


def test_an_unknown_endpoint_is_404_as_json() -> None:
    http = httpx2.Client(transport=ResidentTransport())

    for url in (f"{issuer()}/nothing", f"{issuer()}/token/", issuer(), issuer().removesuffix("resident")):
        answer = http.get(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")


@pytest.mark.django_db
def test_a_person_is_nobody_in_process() -> None:
    resident = ResidentUnderTest()
    client = resident.register_web()
    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": client["redirect_uris"][0],
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }

    answer = resident.http.get(f"{resident.base}/authorize", params=query)

    assert answer.status_code == 302
    assert "/sign-in/" in answer.headers["Location"]


@pytest.mark.django_db
def test_both_discovery_documents_are_complete_and_equal() -> None:
    resident = ResidentUnderTest()
    resident.add_scopes("orders:read")
    openid = resident.http.get(f"{resident.base}/.well-known/openid-configuration").json()
    root = resident.base.removesuffix("/resident")
    rfc_8414 = resident.http.get(f"{root}/.well-known/oauth-authorization-server/resident").json()

    assert openid == rfc_8414
    assert openid["issuer"] == resident.base
    for name in ("registration", "introspection", "revocation", "token", "authorization", "userinfo"):
        assert openid[f"{name}_endpoint"].startswith(f"{resident.base}/")
    assert openid["jwks_uri"] == f"{resident.base}/jwks"
    assert openid["code_challenge_methods_supported"] == ["S256"]
    assert openid["response_types_supported"] == ["code"]
    assert openid["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]
    assert set(openid["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post", "none"}
    assert "orders:read" in openid["scopes_supported"]
    assert "introspection" not in openid["scopes_supported"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_unmodified_client_library_gets_introspects_and_revokes_a_token(
    live_server: LiveServer, settings: Settings, method: str
) -> None:
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    resident = ResidentUnderTest()
    resident.add_scopes("read")
    client = resident.register(token_endpoint_auth_method=method)
    base = f"{live_server.url}/resident"
    with OAuth2Session(
        client["client_id"], client["client_secret"], scope="read", token_endpoint_auth_method=method
    ) as session:
        token = session.fetch_token(f"{base}/token", grant_type="client_credentials")
        assert (token["scope"], token["expires_in"]) == ("read", 600)
        facts = session.introspect_token(f"{base}/introspect", token=token["access_token"]).json()
        assert (facts["active"], facts["iss"]) == (True, base)
        assert session.revoke_token(f"{base}/revoke", token=token["access_token"]).status_code == 200
        after = session.introspect_token(f"{base}/introspect", token=token["access_token"]).json()
        assert after == {"active": False}


@pytest.mark.django_db(transaction=True)
def test_over_a_socket_a_client_is_registered_managed_and_its_resource_named_by_url(
    live_server: LiveServer, settings: Settings
) -> None:
    """The same walk as in-process, because a web server decodes paths and headers on its own."""
    settings.ARCHWAY_PUBLIC_URL = live_server.url
    with httpx2.Client() as http:
        resident = ResidentUnderTest(http)
        resident.add_scopes("read")
        resource = "manage/resources/https%3A%2F%2Fgw.example.com%2Forders%2Fv1"
        assert resident.manage("PUT", resource, {"name": "Orders"}).json()["identifier"].endswith("com/orders/v1")
        client = resident.register()
        issued = resident.token(client, resource="https://gw.example.com/orders/v1")
        assert resident.introspect(issued["access_token"])["aud"] == "https://gw.example.com/orders/v1"
        headers = {"Authorization": f"Bearer {client['registration_access_token']}"}
        assert http.delete(client["registration_client_uri"], headers=headers).status_code == 204
        root = f"{live_server.url}/.well-known/oauth-authorization-server/resident"
        assert http.get(root).json()["issuer"] == resident.base
