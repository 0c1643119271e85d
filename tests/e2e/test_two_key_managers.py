"""One application with clients at two key managers, and one API that is called with tokens of both."""

from collections.abc import Iterator

import pytest

from tests.e2e.installed import Client, Installation
from tests.fakes.gateway_peers import Peer, echo
from tests.fakes.rfc_server import RfcServer

pytestmark = pytest.mark.timeout(300)

PATH = "/shared-api/1.0.0/things"


@pytest.fixture(scope="module")
def company(installation: Installation) -> Iterator[str]:
    """The slug of a second key manager beside the resident one."""
    with RfcServer(scopes=("books:read", "books:order")) as server:
        config = {
            "issuer": server.issuer,
            "initial_access_token_mode": "fixed",
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
        }
        row = {"slug": "company", "name": "Company", "adapter": "rfc", "config": config}
        installation.admin.post("/key-managers/", row, 201)
        yield "company"


@pytest.fixture(scope="module")
def api(installation: Installation, company: str) -> Iterator[str]:
    with Peer(echo) as backend:
        here = f"http://127.0.0.1:{backend.port}"
        yield installation.publish("/shared-api", endpoints={"production": here, "sandbox": here})


def client_at(installation: Installation, application: str, credential: str) -> Client:
    installation.await_active(credential)
    keys = installation.store.post(f"/credentials/{credential}/reveal-secret/", {}, 200)
    installation.secrets.append(keys["client_secret"])
    return Client(
        application=application,
        credential=credential,
        client_id=keys["client_id"],
        client_secret=keys["client_secret"],
    )


def test_tokens_of_both_key_managers_call_the_api_until_it_accepts_only_one(
    installation: Installation, company: str, api: str
) -> None:
    wanted = [{"key_manager": slug, "scopes": ["books:read"]} for slug in ("resident", company)]
    made = installation.store.post("/applications/", {"name": "at two key managers", "credentials": wanted}, 201)
    rows = {row["key_manager"]: str(row["id"]) for row in made["credentials"]}
    body = {"application": made["id"], "api": api, "plan": "unlimited"}
    installation.store.post("/subscriptions/", body, 201)
    clients = {slug: client_at(installation, str(made["id"]), credential) for slug, credential in rows.items()}
    tokens = {slug: installation.token(client) for slug, client in clients.items()}
    assert clients["resident"].client_id != clients[company].client_id

    for token in tokens.values():
        installation.await_status(200, PATH, token)

    installation.publisher.patch(f"/apis/{api}/", {"key_managers": ["resident"]}, 200)
    refused = installation.await_status(403, PATH, tokens[company])
    assert refused.json()["code"] == "key_manager_not_accepted"
    assert installation.call(PATH, tokens["resident"]).status_code == 200

    # The client has lost the scope with the API; its token request says so.
    answer = installation.ask_token(clients[company])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")

    installation.publisher.patch(f"/apis/{api}/", {"key_managers": [company]}, 200)
    installation.await_status(403, PATH, tokens["resident"])
    installation.await_status(200, PATH, tokens[company])
