"""The presets of the fake identity provider answer as the real servers do, step by step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from tests.fakes.oauth_caller import Endpoints, OAuthCaller, bearer, encoded_basic
from tests.fakes.quirks import GLEWLWYD, OIDC_PROVIDER
from tests.fakes.rfc_server import RfcServer
from tests.servers import glewlwyd, oidc_provider

pytestmark = pytest.mark.servers

SCOPES = ("read", "write", "museum:read", "museum:write")
GATEWAY = encoded_basic("gateway", "gateway-secret")
# Members that depend on the moment, or that only one kind of server has room for.
SHOWN = frozenset(
    {
        *("client_id", "client_secret", "client_secret_expires_at", "client_id_issued_at", "client_name", "scope"),
        *("registration_access_token", "registration_client_uri", "redirect_uris", "response_types", "grant_types"),
        *("token_endpoint_auth_method", "archway_marker", "colour"),
        *("access_token", "token_type", "expires_in", "refresh_token"),
        *("active", "exp", "iat", "iss", "sub", "username", "aud"),
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """What one call of a walk came to: status, OAuth error, and which members were in the answer."""

    name: str
    status: int
    error: str
    members: tuple[str, ...]


class Walk:
    """Notes what each step came to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def note(self, name: str, answer: httpx2.Response) -> dict[str, Any]:
        """Keeps the step; returns the JSON body, or an empty one."""
        is_json = "json" in answer.headers.get("content-type", "") and answer.content
        body: dict[str, Any] = answer.json() if is_json else {}
        members = tuple(sorted(SHOWN & set(body))) if answer.status_code < 400 else ()
        self.steps.append(Step(name, answer.status_code, str(body.get("error", "")), members))
        return body


def walk(caller: OAuthCaller, initial_token: str, metadata: Mapping[str, Any]) -> list[Step]:
    """Registers, reads, updates, gets tokens in good and bad ways, introspects, revokes, deletes."""
    steps = Walk()
    steps.note("register with a wrong token", caller.register(metadata, "wrong"))
    without = {name: value for name, value in metadata.items() if name != "redirect_uris"}
    steps.note("register without redirect_uris", caller.register(without, initial_token))
    for name in ("response_types", "grant_types", "scope"):
        without = {key: value for key, value in metadata.items() if key != name}
        steps.note(f"register without {name}", caller.register(without, initial_token))
    unknown_scope = {**metadata, "scope": "read nope"}
    steps.note("register with an unknown scope", caller.register(unknown_scope, initial_token))
    client = steps.note("register", caller.register({**metadata, "colour": "green"}, initial_token))
    other = steps.note("register another", caller.register(metadata, initial_token))
    steps.note("read", caller.read(client))
    token = steps.note("token", caller.token(client, {"scope": "read"}))["access_token"]
    steps.note("token without scope", caller.token(client))
    steps.note("token with an unknown scope beside", caller.token(client, {"scope": "read nope"}))
    steps.note("token with only a foreign scope", caller.token(client, {"scope": "write"}))
    steps.note("token with an unknown grant", caller.token(client, {"grant_type": "urn:nope"}))
    steps.note(
        "token with a grant it has not", caller.token(client, {"grant_type": "refresh_token", "refresh_token": "x"})
    )
    steps.note("token with an unknown resource", caller.token(client, {"scope": "read", "resource": "urn:nope"}))
    steps.note("token with a wrong secret", caller.token({**client, "client_secret": "wrong"}, {"scope": "read"}))
    steps.note("token for an unknown client", caller.token({**client, "client_id": "nobody"}, {"scope": "read"}))
    steps.note("token without credentials", caller.token(client, {"scope": "read"}, headers={}))
    steps.note("introspect", caller.introspect(token, GATEWAY))
    as_other = encoded_basic(other["client_id"], other["client_secret"])
    steps.note("introspect as another client", caller.introspect(token, as_other))
    steps.note("introspect with a wrong secret", caller.introspect(token, encoded_basic("gateway", "wrong")))
    steps.note("introspect nothing", caller.introspect("", GATEWAY))
    steps.note("introspect nonsense", caller.introspect("nonsense", GATEWAY))
    steps.note("revoke nonsense", caller.revoke("nonsense", as_other))
    steps.note("revoke as another client", caller.revoke(token, as_other))
    steps.note("introspect after that", caller.introspect(token, GATEWAY))
    updated = {**client, **steps.note("update", caller.update(client, {**metadata, "client_name": "renamed"}))}
    steps.note("read with the older token", caller.read(client))
    steps.note("token with the older secret", caller.token(client, {"scope": "read"}))
    last = steps.note("token after the update", caller.token(updated, {"scope": "read"}))["access_token"]
    steps.note("delete", caller.delete(updated))
    steps.note("read after deletion", caller.read(updated))
    steps.note("token after deletion", caller.token(updated, {"scope": "read"}))
    steps.note("introspect after deletion", caller.introspect(last, GATEWAY))
    steps.note(
        "management with a foreign bearer token", caller.http.get(other["registration_client_uri"], headers=bearer("x"))
    )
    return steps.steps


def endpoints_of(server: oidc_provider.OidcProviderServer | glewlwyd.GlewlwydServer) -> Endpoints:
    return Endpoints(
        registration=server.registration_endpoint,
        token=server.token_endpoint,
        introspection=server.introspection_endpoint,
        revocation=server.revocation_endpoint,
    )


def endpoints_of_fake(server: RfcServer) -> Endpoints:
    return Endpoints(
        registration=f"{server.issuer}/register",
        token=f"{server.issuer}/token",
        introspection=f"{server.issuer}/introspect",
        revocation=f"{server.issuer}/revoke",
    )


def machine(**changes: Any) -> dict[str, Any]:
    return {
        "client_name": "machine",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "read museum:read",
        "archway_marker": "marker-1",
        **changes,
    }


@pytest.fixture
def real_glewlwyd() -> Iterator[glewlwyd.GlewlwydServer]:
    with glewlwyd.start(options=glewlwyd.GlewlwydOptions(scopes=SCOPES, client_scopes=SCOPES)) as server:
        yield server


@pytest.mark.parametrize(("token_format", "rotates"), [("opaque", True), ("jwt", False)])
def test_the_oidc_provider_preset_answers_like_oidc_provider(token_format: Any, rotates: bool) -> None:
    options = oidc_provider.OidcProviderOptions(token_format=token_format, rotate_registration_access_tokens=rotates)
    with oidc_provider.start(options=options) as real_server, OAuthCaller(endpoints_of(real_server)) as caller:
        real = walk(caller, "initial-access-token", machine())
    quirks = replace(OIDC_PROVIDER, token_format=token_format, rotate_registration_access_token=rotates)
    with RfcServer(quirks=quirks) as server, OAuthCaller(endpoints_of_fake(server)) as caller:
        fake = walk(caller, "initial-access-token", machine())
    assert fake == real


def test_the_glewlwyd_preset_answers_like_glewlwyd(real_glewlwyd: glewlwyd.GlewlwydServer) -> None:
    metadata = machine(redirect_uris=["https://client.example/callback"])
    portal = {"client_id": "portal", "client_secret": "portal-secret"}
    with OAuthCaller(endpoints_of(real_glewlwyd)) as caller:
        initial = caller.token(portal, {"scope": "dcr"}).json()["access_token"]
        real = walk(caller, initial, metadata)
    with RfcServer(quirks=GLEWLWYD, scopes=SCOPES) as server, OAuthCaller(endpoints_of_fake(server)) as caller:
        initial = caller.token(portal, {"scope": "dcr"}).json()["access_token"]
        fake = walk(caller, initial, metadata)
    assert fake == real
