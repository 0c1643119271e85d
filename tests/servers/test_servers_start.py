"""Each real server starts, answers what it is for, and leaves nothing behind."""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_client

from tests.servers import glewlwyd, keycloak, mitreid, oidc_provider, postgres, redis
from tests.servers.process import ServerDidNotStart, ServerProcess, accepts_connections, free_port

pytestmark = pytest.mark.servers

MACHINE_CLIENT: Mapping[str, Any] = {
    "client_name": "a machine client",
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": "museum:read",
    "archway_marker": "marker-1",
}


def basic(client_id: str, client_secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


def post(url: str, body: Mapping[str, Any], authorization: str, *, as_json: bool = False) -> dict[str, Any]:
    data = json.dumps(body) if as_json else urllib.parse.urlencode(body)
    request = urllib.request.Request(url, data.encode(), {"Authorization": authorization})
    if as_json:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        parsed: dict[str, Any] = json.loads(answer.read())
        return parsed


def machine_token(token_endpoint: str, client_id: str, client_secret: str, scope: str) -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    return str(post(token_endpoint, form, basic(client_id, client_secret))["access_token"])


@pytest.fixture(scope="module")
def glewlwyd_server() -> Iterator[glewlwyd.GlewlwydServer]:
    with glewlwyd.start() as server:
        yield server


def test_postgresql_answers_queries_on_its_url() -> None:
    with postgres.start() as server:
        with psycopg.connect(server.database_url) as connection:
            row = connection.execute("select current_database(), current_user").fetchone()
        assert row == ("archway", "postgres")
    assert not accepts_connections(server.port)


def test_redis_answers_on_its_url() -> None:
    with redis.start() as server:
        client = redis_client.Redis.from_url(server.url)
        assert client.ping() is True
        client.close()
    assert not accepts_connections(server.port)


def test_oidc_provider_registers_a_client_and_introspects_its_opaque_token() -> None:
    with oidc_provider.start() as server:
        body = {**MACHINE_CLIENT, "redirect_uris": [], "response_types": []}
        client = post(server.registration_endpoint, body, "Bearer initial-access-token", as_json=True)
        token = machine_token(server.token_endpoint, client["client_id"], client["client_secret"], "museum:read")
        facts = post(server.introspection_endpoint, {"token": token}, basic("gateway", "gateway-secret"))
    assert client["archway_marker"] == "marker-1"
    assert (facts["active"], facts["client_id"], facts["scope"]) == (True, client["client_id"], "museum:read")


def test_oidc_provider_in_jwt_mode_issues_jwt_access_tokens_without_being_asked_for_a_resource() -> None:
    options = oidc_provider.OidcProviderOptions(token_format="jwt", rotate_registration_access_tokens=False)
    with oidc_provider.start(options=options) as server:
        body = {**MACHINE_CLIENT, "redirect_uris": [], "response_types": []}
        client = post(server.registration_endpoint, body, "Bearer initial-access-token", as_json=True)
        token = machine_token(server.token_endpoint, client["client_id"], client["client_secret"], "museum:read")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["iss"] == server.issuer
    assert claims["scope"] == "museum:read"


def test_a_person_signs_in_at_oidc_provider_and_the_client_gets_a_code() -> None:
    callback = "https://client.example/callback"
    with oidc_provider.start() as server:
        body = {**MACHINE_CLIENT, "grant_types": ["authorization_code"], "redirect_uris": [callback]}
        client = post(server.registration_endpoint, body, "Bearer initial-access-token", as_json=True)
        query = {"client_id": client["client_id"], "response_type": "code", "redirect_uri": callback, "state": "s1"}
        url = f"{server.authorization_endpoint}?{urllib.parse.urlencode({**query, 'scope': 'museum:read'})}"
        landed = oidc_provider.sign_in(url, username="alice", stop_at=callback)
        answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(landed).query))
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": callback}
        token = post(server.token_endpoint, form, basic(client["client_id"], client["client_secret"]))
    assert answer["state"] == "s1"
    assert token["scope"] == "museum:read"


def test_glewlwyd_registers_a_client_and_introspects_its_token(glewlwyd_server: glewlwyd.GlewlwydServer) -> None:
    server = glewlwyd_server
    initial = machine_token(server.token_endpoint, "portal", "portal-secret", "dcr")
    body = {**MACHINE_CLIENT, "redirect_uris": ["https://client.example/callback"]}
    client = post(server.registration_endpoint, body, f"Bearer {initial}", as_json=True)
    token = machine_token(server.token_endpoint, client["client_id"], client["client_secret"], "museum:read")
    facts = post(server.introspection_endpoint, {"token": token}, basic("gateway", "gateway-secret"))
    assert (facts["active"], facts["client_id"], facts["scope"]) == (True, client["client_id"], "museum:read")


def test_a_scope_added_at_glewlwyd_is_granted_once_the_client_has_it_and_even_after_it_is_deleted(
    glewlwyd_server: glewlwyd.GlewlwydServer,
) -> None:
    server = glewlwyd_server
    initial = machine_token(server.token_endpoint, "portal", "portal-secret", "dcr")
    body = {**MACHINE_CLIENT, "redirect_uris": ["https://client.example/callback"]}
    client = post(server.registration_endpoint, body, f"Bearer {initial}", as_json=True)
    credentials = (client["client_id"], client["client_secret"])
    server.admin("POST", "/scope/", {"name": "later:scope", "display_name": "Later"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        machine_token(server.token_endpoint, *credentials, "later:scope")
    kept = server.admin("GET", f"/client/{client['client_id']}")
    server.admin("PUT", f"/client/{client['client_id']}", {**kept, "scope": [*kept["scope"], "later:scope"]})
    assert machine_token(server.token_endpoint, *credentials, "later:scope")
    server.admin("DELETE", "/scope/later:scope")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        server.admin("GET", "/scope/later:scope")
    assert machine_token(server.token_endpoint, *credentials, "later:scope")


def test_mitreid_connect_registers_a_client_and_a_protected_resource_that_introspects_its_token() -> None:
    with mitreid.start() as server:
        body = {**MACHINE_CLIENT, "redirect_uris": [], "response_types": []}
        client = post(server.registration_endpoint, body, "", as_json=True)
        api = post(server.resource_endpoint, {"client_name": "Museum", "scope": "museum:read"}, "", as_json=True)
        token = machine_token(server.token_endpoint, client["client_id"], client["client_secret"], "museum:read")
        facts = post(server.introspection_endpoint, {"token": token}, basic(api["client_id"], api["client_secret"]))
    assert not accepts_connections(server.port)
    assert (facts["active"], facts["client_id"], facts["scope"]) == (True, client["client_id"], "museum:read")


def test_keycloak_stops_with_its_java_process_and_knows_its_clients_after_a_restart(tmp_path: Path) -> None:
    form = {"grant_type": "client_credentials", "client_id": keycloak.KM_CLIENT_ID}
    with keycloak.start(home=tmp_path) as server:
        port = server.port
        keycloak.administer(server.server_url, "POST", "/archway/clients", {"clientId": "kept"})
        body = {**form, "client_secret": keycloak.KM_CLIENT_SECRET}
        request = urllib.request.Request(server.realm.token_endpoint, urllib.parse.urlencode(body).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.loads(answer.read())["token_type"] == "Bearer"
    assert not accepts_connections(port)
    with keycloak.start(home=tmp_path) as again:
        clients = keycloak.administer(again.server_url, "GET", "/archway/clients?clientId=kept")
    assert [client["clientId"] for client in clients] == ["kept"]


def test_a_taken_port_is_refused_in_words() -> None:
    with redis.start() as first, pytest.raises(ServerDidNotStart, match=f"port {first.port} is taken"):
        redis.start(port=first.port)


def test_a_server_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    server = ServerProcess("broken", port=free_port(), home=tmp_path)
    with pytest.raises(ServerDidNotStart, match=r"(?s)ended with status 3.*no such module"):
        server.start(["/bin/sh", "-c", "echo no such module; exit 3"], ready=lambda: False)


def test_a_server_that_never_becomes_ready_is_killed_and_reported(tmp_path: Path) -> None:
    server = ServerProcess("slow", port=free_port(), home=tmp_path)
    pid_file = tmp_path / "pid"
    command = ["/bin/sh", "-c", f"echo $$ > {pid_file}; exec sleep 60"]
    with pytest.raises(ServerDidNotStart, match=r"not ready after 0\.3 s"):
        server.start(command, ready=lambda: False, seconds=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_an_oidc_provider_that_keeps_its_clients_knows_them_after_a_restart(tmp_path: Path) -> None:
    options = oidc_provider.OidcProviderOptions(clients_file=str(tmp_path / "clients.json"))
    document = {"redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"], "scope": "read"}
    with oidc_provider.start(options=options) as first:
        bearer = f"Bearer {options.initial_access_token}"
        client = post(first.registration_endpoint, document, bearer, as_json=True)
    with oidc_provider.start(port=first.port, options=options) as second:
        token = machine_token(second.token_endpoint, client["client_id"], client["client_secret"], "read")
    assert token
