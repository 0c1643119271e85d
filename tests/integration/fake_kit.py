"""What the tests of the fake identity provider share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.fakes.oauth_caller import Endpoints, OAuthCaller, encoded_basic
from tests.fakes.quirks import Quirks
from tests.fakes.rfc_server import RfcServer

MACHINE: Mapping[str, Any] = {
    "client_name": "machine",
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "response_types": [],
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": "read museum:read",
    "archway_marker": "marker-1",
}
CALLBACK = "https://client.example/callback"
GATEWAY = encoded_basic("gateway", "gateway-secret")


@contextmanager
def running(quirks: Quirks | None = None, *, timeout: float = 5) -> Iterator[tuple[RfcServer, OAuthCaller]]:
    with RfcServer(quirks=quirks) as server:
        endpoints = Endpoints(
            registration=f"{server.issuer}/register",
            token=f"{server.issuer}/token",
            introspection=f"{server.issuer}/introspect",
            revocation=f"{server.issuer}/revoke",
        )
        with OAuthCaller(endpoints, timeout=timeout) as caller:
            yield server, caller


def registered(caller: OAuthCaller, **changes: Any) -> dict[str, Any]:
    answer = caller.register({**MACHINE, **changes}, "initial-access-token")
    assert answer.status_code == 201, answer.text
    client: dict[str, Any] = answer.json()
    return client


def access_token(caller: OAuthCaller, client: Mapping[str, Any], **form: str) -> str:
    answer = caller.token(client, form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
