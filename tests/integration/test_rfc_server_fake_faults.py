"""The fake identity provider fails as it is told, and is administered like a real one."""

import time
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tests.fakes.faults import Fault
from tests.fakes.quirks import Quirks
from tests.integration.fake_kit import MACHINE, access_token, registered, running


def test_a_lost_answer_leaves_the_client_registered() -> None:
    with running() as (server, caller):
        server.fault("register", Fault.lost_answer())
        with pytest.raises(httpx2.TransportError):
            caller.register(MACHINE, "initial-access-token")
        assert len(server.clients) == 1
        assert len(server.requests_of("register")) == 1


def test_a_disconnect_before_the_work_registers_nothing() -> None:
    with running() as (server, caller):
        server.fault("register", Fault.disconnect())
        with pytest.raises(httpx2.TransportError):
            caller.register(MACHINE, "initial-access-token")
        assert server.clients == {}


def test_a_500_can_come_before_or_after_the_work() -> None:
    with running() as (server, caller):
        server.fault("register", Fault.refused(500, times=2))
        server.fault("register", Fault.done_but(500))
        statuses = [caller.register(MACHINE, "initial-access-token").status_code for _ in range(4)]
        assert statuses == [500, 500, 500, 201]
        assert len(server.clients) == 2


def test_a_hanging_server_is_given_up_and_may_have_done_the_work() -> None:
    for fault, clients in ((Fault.hang_up(60), 0), (Fault.hang(60, after=True), 1)):
        with running(timeout=0.3) as (server, caller):
            server.fault("register", fault)
            with pytest.raises(httpx2.ReadTimeout):
                caller.register(MACHINE, "initial-access-token")
            assert len(server.clients) == clients


def test_too_many_requests_say_when_to_come_back() -> None:
    with running() as (server, caller):
        server.fault("token", Fault.too_many(retry_after=7))
        server.fault("token", Fault.too_many(retry_after=60, as_date=True))
        first, second = (caller.token({}, headers={}) for _ in range(2))
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    wait = parsedate_to_datetime(second.headers["retry-after"]).timestamp() - time.time()
    assert 50 < wait <= 60


def test_a_new_client_can_stay_unknown_for_some_calls() -> None:
    with running() as (server, caller):
        client = registered(caller)
        server.fault("read", Fault.not_there_yet(times=2))
        assert [caller.read(client).status_code for _ in range(3)] == [404, 404, 200]


def test_answers_can_be_spoilt_after_the_work() -> None:
    with running() as (server, caller):
        for fault in (Fault.html(), Fault.wrong_content_type(), Fault.spoilt_json(), Fault.huge(3_000_000)):
            server.fault("register", fault)
        html, plain, spoilt, huge = (caller.register(MACHINE, "initial-access-token") for _ in range(4))
        assert len(server.clients) == 4
    assert (html.status_code, html.headers["content-type"]) == (201, "text/html")
    assert plain.headers["content-type"] == "text/plain"
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        spoilt.json()
    assert len(huge.content) > 3_000_000


def test_a_redirect_and_a_fault_for_every_operation_can_be_queued() -> None:
    with running() as (server, caller):
        server.fault("discovery", Fault.redirect("http://127.0.0.1:1/"))
        server.fault("*", Fault.empty(503, times=2))
        statuses = [caller.http.get(server.discovery_url).status_code for _ in range(4)]
        server.fault("*", Fault.empty(503))
        server.clear_faults()
        assert caller.http.get(server.discovery_url).status_code == 200
    assert statuses == [302, 503, 503, 200]


def test_requests_are_recorded_with_their_headers_and_bodies() -> None:
    with running() as (server, caller):
        client = registered(caller)
        access_token(caller, client, scope="read")
        request = server.requests_of("token")[0]
    assert (request.method, request.path) == ("POST", "/token")
    assert request.form == {"grant_type": "client_credentials", "scope": "read"}
    assert request.basic == (client["client_id"], client["client_secret"])


def test_a_client_can_vanish_and_another_be_made_by_hand() -> None:
    with running() as (server, caller):
        client = registered(caller)
        server.forget_client(client["client_id"])
        server.add_client("hand-made", "s3cret", scope="read")
        assert caller.read(client).status_code == 401
        assert access_token(caller, {"client_id": "hand-made", "client_secret": "s3cret"}, scope="read")


# Scopes


def test_scopes_are_added_read_changed_and_deleted_by_the_administration() -> None:
    admin = {"Authorization": "token admin-api-key"}
    with running() as (server, caller):
        url = f"{server.admin_url}/scope/"
        assert caller.http.get(url).status_code == 401
        assert caller.http.post(url, json={"name": "new:scope"}, headers=admin).status_code == 200
        again = caller.http.post(url, json={"name": "new:scope"}, headers=admin)
        assert (again.status_code, again.json()) == (400, {"error": ["scope already exists"]})
        assert caller.http.put(f"{url}new:scope", json={"display_name": "New"}, headers=admin).status_code == 200
        assert caller.http.get(f"{url}new%3Ascope", headers=admin).json()["display_name"] == "New"
        assert "new:scope" in {row["name"] for row in caller.http.get(url, headers=admin).json()}
        assert "new:scope" in server.scopes
        assert caller.http.delete(f"{url}new:scope", headers=admin).status_code == 200
        assert caller.http.delete(f"{url}new:scope", headers=admin).status_code == 404
        assert caller.http.get(f"{url}new:scope", headers=admin).status_code == 404


def test_a_new_scope_reaches_one_client_by_its_list_and_later_clients_after_a_reset() -> None:
    admin = {"Authorization": "token admin-api-key"}
    quirks = Quirks(
        registration_scope="fixed", unknown_scope="dropped", foreign_scope="dropped", nothing_left="refused"
    )
    with running(quirks) as (server, caller):
        client = registered(caller)
        caller.http.post(f"{server.admin_url}/scope/", json={"name": "new:scope"}, headers=admin)
        assert caller.token(client, {"scope": "new:scope"}).status_code == 400
        address = f"{server.admin_url}/client/{client['client_id']}"
        kept = caller.http.get(address, headers=admin).json()
        caller.http.put(address, json={**kept, "scope": [*kept["scope"], "new:scope"]}, headers=admin)
        assert caller.token(client, {"scope": "new:scope"}).status_code == 200
        caller.update(client, MACHINE)
        assert caller.token(client, {"scope": "new:scope"}).status_code == 400
        plugin_address = f"{server.admin_url}/mod/plugin/oidc"
        plugin = caller.http.get(plugin_address, headers=admin).json()
        plugin["parameters"]["register-client-credentials-scope"].append("new:scope")
        caller.http.put(plugin_address, json=plugin, headers=admin)
        assert caller.token(registered(caller), {"scope": "new:scope"}).status_code == 400
        caller.http.put(f"{plugin_address}/reset", headers=admin)
        later = registered(caller)
        assert caller.token(later, {"scope": "new:scope"}).status_code == 200
        caller.http.delete(f"{server.admin_url}/scope/new:scope", headers=admin)
        assert caller.token(later, {"scope": "new:scope"}).status_code == 200
