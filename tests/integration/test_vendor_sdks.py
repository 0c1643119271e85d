"""The vendors' own SDKs read from the fakes what the adapters wrote: readers that we did not write.

They are only used here, so they are no dependency of the portal. Microsoft's is so large that `make test-all` installs
it into a folder of its own.
"""

import asyncio
import gc
import importlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.test_auth0 import auth0_world
from tests.conformance.test_entra import entra_world
from tests.conformance.test_okta import APPS, okta_world
from tests.fakes.auth0_server import Auth0Server
from tests.fakes.entra_server import EntraServer
from tests.fakes.okta_server import OktaServer
from tests.servers import msgraph_sdk

# They use what Python deprecates.
pytestmark = [pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The SDKs leave connections to the garbage collector, which must not complain in somebody else's test."""
    yield
    gc.collect()


def needs(name: str) -> pytest.MarkDecorator:
    """Reported as not run where the SDK is not installed."""
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"the SDK {name} is not installed")


@needs("okta")
def test_oktas_sdk_reads_what_the_adapter_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")
    sdk = importlib.import_module("okta.client")
    with OktaServer() as server:
        world = okta_world(server, APPS, secret_rotation="overlap")
        adapter, metadata = world.adapter(), world.client_metadata()
        made = adapter.create_client(metadata)
        adapter.rotate_secret(made.handle, metadata)

        async def read() -> tuple[Any, Any, Any, Any]:
            async with sdk.Client({"orgUrl": server.origin, "token": server.api_token}) as client:
                app, _, _ = await client.get_application(made.handle.remote_id)
                secrets, _, _ = await client.list_o_auth2_client_secrets(made.handle.remote_id)
                scopes, _, _ = await client.list_o_auth2_scopes("default")
                adapter.delete_client(made.handle)
                _, _, error = await client.get_application(made.handle.remote_id)
                return app, secrets, scopes, error

        app, secrets, scopes, error = asyncio.run(read())
        world.wire.close()
    assert app.label.startswith("Museum shop")
    assert app.credentials.oauth_client.client_id == made.handle.client_id
    assert app.profile["archway_marker"] == metadata.marker
    assert [str(getattr(grant, "value", grant)) for grant in app.settings.oauth_client.grant_types] == [
        "client_credentials"
    ]
    assert len(secrets) == 2
    assert {"museum:read", "museum:write"} <= {scope.name for scope in scopes}
    assert error is not None


@needs("okta")
def test_access_policies_are_what_oktas_sdk_would_write_and_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their calls are not in the trimmed description, so nothing else holds them to Okta's words."""
    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")
    sdk = importlib.import_module("okta.client")
    policy_model = importlib.import_module("okta.models.authorization_server_policy").AuthorizationServerPolicy
    rule_model = importlib.import_module("okta.models.authorization_server_policy_rule_request")
    models = {"policies": policy_model, "rules": rule_model.AuthorizationServerPolicyRuleRequest}
    with OktaServer() as server:
        world = okta_world(server, APPS)
        adapter, metadata = world.adapter(), world.client_metadata()
        made = adapter.create_client(metadata)
        adapter.update_client(made.handle, replace(metadata, scopes=frozenset(world.scopes)))
        written = [(request.url.path.split("/"), request) for request in world.wire.sent if request.method != "GET"]
        bodies = [
            (models[kind], json.loads(request.content))
            for path, request in written
            for kind in models
            if kind in path[-2:] and request.content
        ]

        async def read() -> tuple[Any, Any]:
            async with sdk.Client({"orgUrl": server.origin, "token": server.api_token}) as client:
                policies, _, _ = await client.list_authorization_server_policies("default")
                rules, _, _ = await client.list_authorization_server_policy_rules("default", policies[0].id)
                return policies, rules

        policies, rules = asyncio.run(read())
        world.wire.close()
    # The policy, its rule, and the rule with the second scope.
    assert len(bodies) == 3
    assert [model.from_dict(body).to_dict() for model, body in bodies] == [body for _, body in bodies]
    assert [policy.conditions.clients.include for policy in policies] == [[made.handle.client_id]]
    assert [rule.conditions.scopes.include for rule in rules] == [sorted(world.scopes)]
    assert [rule.conditions.grant_types.include for rule in rules] == [["client_credentials"]]


@needs("auth0")
def test_auth0s_sdk_reads_what_the_adapter_wrote() -> None:
    sdk = importlib.import_module("auth0.management.client")
    errors = importlib.import_module("auth0.management.errors")
    tokens = importlib.import_module("auth0.authentication")
    with Auth0Server() as server:
        world = auth0_world(server)
        adapter, metadata = world.adapter(), world.client_metadata()
        made = adapter.create_client(metadata)
        host = server.origin.removeprefix("http://")
        own = tokens.GetToken(host, server.manager.client_id, client_secret=server.manager.secret, protocol="http")
        token = own.client_credentials(audience=server.api_audience)["access_token"]
        client = sdk.Auth0(base_url=f"{server.origin}/api/v2", token=token)
        shown = client.clients.get(made.handle.client_id)
        assert shown.client_id == made.handle.client_id
        assert shown.name == "Museum shop"
        assert shown.client_metadata["archway_marker"] == metadata.marker
        assert list(shown.grant_types) == ["client_credentials"]
        assert made.handle.client_id in {entry.client_id for entry in client.clients.list(include_totals=True)}
        assert [list(grant.scope) for grant in client.client_grants.list(client_id=made.handle.client_id)] == [
            ["museum:read"]
        ]
        rotated = adapter.rotate_secret(made.handle, metadata)
        assert client.clients.get(made.handle.client_id).client_secret == rotated.handle.client_secret
        adapter.delete_client(made.handle)
        with pytest.raises(errors.NotFoundError):
            client.clients.get(made.handle.client_id)
        world.wire.close()


@pytest.mark.servers
def test_microsofts_sdk_reads_what_the_adapter_wrote() -> None:
    msgraph_sdk.install()
    with EntraServer() as server:
        world = entra_world(server, two_secrets=True)
        adapter, metadata = world.adapter(), world.client_metadata()
        made = adapter.create_client(metadata)
        rotated = adapter.rotate_secret(made.handle, metadata)

        def read() -> dict[str, Any]:
            return msgraph_sdk.read(
                graph=server.origin,
                token=server.admin_token(),
                unique_name=f"archway-{metadata.marker}",
                tag="archway-client",
            )

        shown = read()
        assert (shown["id"], shown["app_id"]) == (made.handle.remote_id, made.handle.client_id)
        assert (shown["display_name"], shown["tags"]) == ("Museum shop", ["archway-client"])
        assert shown["tagged"] == [made.handle.client_id]
        assert set(shown["secrets"]) == {made.handle.secret_id, rotated.handle.secret_id}
        assert [shown["exposed"][role] for role in shown["roles"]] == ["museum:read"]
        assert set(shown["exposed"].values()) == set(world.scopes)
        adapter.drop_old_secret(rotated.handle)
        adapter.suspend_client(rotated.handle)
        assert (read()["secrets"], read()["disabled"]) == ([rotated.handle.secret_id], True)
        adapter.delete_client(rotated.handle)
        assert read() == {"missing": "Request_ResourceNotFound"}
        world.wire.close()
