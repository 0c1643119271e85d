"""Discovery import: what was found and where, what a person must give, what is missing, what looks wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from json import dumps
from threading import Thread
from typing import Any

import pytest

from common.errors import InputError
from keymanager.adapters.contract import ServerMetadata
from keymanager.adapters.description import Description
from keymanager.adapters.registry import ADAPTERS
from keymanager.adapters.rfc.discovery import parsed_metadata
from keymanager.adapters.rfc.presets import PRESETS
from keymanager.adapters.well_known import discovery_urls, issuer_of_place
from keymanager.services.configuration import checked_config
from keymanager.services.discovery import Discovered, discover
from keymanager.services.discovery_findings import Level, findings_of, findings_of_keys
from keymanager.services.key_managers import ensure_resident
from tests.fakes.auth0_server import Auth0Server
from tests.fakes.entra_server import EntraServer
from tests.fakes.hydra_server import HydraServer
from tests.fakes.okta_server import OktaServer
from tests.fakes.pingfederate_server import PingFederateServer
from tests.fakes.rfc_server import RfcServer
from tests.fakes.wso2is7_server import Wso2Is7Server
from tests.fakes.wso2is_server import Wso2IsServer
from tests.integration.rest_kit import World, fields_of, make_world

pytestmark = pytest.mark.django_db

GOOD: Mapping[str, Any] = {
    "issuer": "https://login.example.org",
    "token_endpoint": "https://login.example.org/token",
    "authorization_endpoint": "https://login.example.org/authorize",
    "registration_endpoint": "https://login.example.org/clients",
    "introspection_endpoint": "https://login.example.org/introspect",
    "revocation_endpoint": "https://login.example.org/revoke",
    "jwks_uri": "https://login.example.org/keys",
    "grant_types_supported": ["client_credentials"],
    "code_challenge_methods_supported": ["S256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
}
RSA_KEY = {"kty": "RSA", "use": "sig", "kid": "a", "n": "x" * 342, "e": "AQAB"}


def codes(document: Mapping[str, Any], *, expected: str = "") -> set[tuple[str, str]]:
    """Code and member of each finding about a document."""
    description = Description(metadata=parsed_metadata(document))
    return {(item.code, item.member) for item in findings_of(description, expected=expected)}


def setting(found: Discovered, name: str) -> tuple[Any, str, bool]:
    """Value and origin of one imported setting, and whether it is to be stored."""
    item = next(item for item in found.settings if item.name == name)
    return item.value, item.origin, item.store


@contextmanager
def serving(documents: Mapping[str, Any]) -> Iterator[str]:
    """A server on loopback with these JSON documents by path; ``ORIGIN`` in their texts is its own address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin = f"http://127.0.0.1:{server.server_port}"
            known = self.path in documents
            body = dumps(documents.get(self.path, {})).replace("ORIGIN", origin).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


# --- what is wrong with a document ------------------------------------------------------------------------------------
def test_a_good_document_raises_no_doubt() -> None:
    assert codes(GOOD, expected="https://login.example.org/") == set()


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"issuer": "https://other.example.org"}, ("issuer_mismatch", "issuer")),
        ({"issuer": "http://login.example.org"}, ("issuer_not_https", "issuer")),
        ({"token_endpoint": "http://login.example.org/token"}, ("endpoint_not_https", "token_endpoint")),
        ({"token_endpoint": "https://api.example.org/token"}, ("endpoint_on_another_host", "token_endpoint")),
        ({"jwks_uri": "https://10.1.2.3/keys"}, ("private_address", "jwks_uri")),
        ({"jwks_uri": "https://idp/keys"}, ("private_address", "jwks_uri")),
        ({"jwks_uri": "https://127.0.0.1/keys"}, ("loopback_address", "jwks_uri")),
        ({"jwks_uri": "https://[::1]/keys"}, ("loopback_address", "jwks_uri")),
        ({"token_endpoint": ""}, ("no_token_endpoint", "token_endpoint")),
        ({"introspection_endpoint": ""}, ("no_introspection_endpoint", "introspection_endpoint")),
        ({"registration_endpoint": ""}, ("no_registration_endpoint", "registration_endpoint")),
        ({"revocation_endpoint": ""}, ("no_revocation_endpoint", "revocation_endpoint")),
        ({"jwks_uri": ""}, ("no_jwks_uri", "jwks_uri")),
        (
            {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
            ("unsupported_auth_methods", "token_endpoint_auth_methods_supported"),
        ),
        (
            {"introspection_endpoint_auth_methods_supported": ["tls_client_auth"]},
            ("unsupported_auth_methods", "introspection_endpoint_auth_methods_supported"),
        ),
        ({"grant_types_supported": ["implicit"]}, ("client_credentials_not_listed", "grant_types_supported")),
        ({"grant_types_supported": []}, ("no_grant_types", "grant_types_supported")),
        ({"code_challenge_methods_supported": ["plain"]}, ("no_pkce", "code_challenge_methods_supported")),
    ],
)
def test_what_looks_wrong_is_a_finding_with_its_member(changes: dict[str, Any], finding: tuple[str, str]) -> None:
    assert finding in codes({**GOOD, **changes}, expected="https://login.example.org")


@pytest.mark.parametrize(
    ("keys", "fault", "expected"),
    [
        ([RSA_KEY], "", set()),
        ([], "", {"no_signing_keys"}),
        ([{**RSA_KEY, "use": "enc"}], "", {"no_signing_keys"}),
        ([{"kty": "oct", "k": "c2VjcmV0"}], "", {"no_signing_keys"}),
        ([RSA_KEY, {**RSA_KEY, "kid": ""}], "", {"keys_without_kid"}),
        ([{**RSA_KEY, "n": "x" * 171}], "", {"weak_key"}),
        ([], "It answered HTTP 404", {"keys_unreadable"}),
    ],
)
def test_keys_that_cannot_check_tokens_are_a_finding(
    keys: list[dict[str, Any]], fault: str, expected: set[str]
) -> None:
    assert {item.code for item in findings_of_keys(keys, fault)} == expected


@pytest.mark.parametrize("issuer", ["https://a.example", "https://a.example/b", "https://a.example:8443/b/c"])
def test_the_place_of_a_document_names_its_issuer(issuer: str) -> None:
    assert {issuer_of_place(place) for place in discovery_urls(issuer)} == {issuer}


# --- the import -------------------------------------------------------------------------------------------------------
def test_what_was_found_says_where_it_comes_from_and_what_a_person_must_give() -> None:
    with RfcServer() as server:
        found = discover(url=server.issuer, adapter="rfc", preset="oidc-provider")
    assert (found.adapter, found.issuer) == ("rfc", server.issuer)
    assert found.document_url.startswith(server.issuer)
    assert setting(found, "issuer") == (server.issuer, "document", True)
    assert setting(found, "introspection_endpoint") == (f"{server.issuer}/introspect", "document", False)
    assert setting(found, "absent_scope") == ("none", "preset", True)
    assert setting(found, "basic_encoding") == ("form", "default", False)
    assert setting(found, "initial_access_token") == (None, "person", True)
    assert {"initial_access_token", "introspection_client_id"} >= set(found.needed)
    assert found.config == {"preset": "oidc-provider", "issuer": server.issuer}
    # A form has no field for the preset: its settings are filled in one by one.
    assert checked_config("rfc", {**found.filled, "initial_access_token": "t"}).open == {
        **PRESETS["oidc-provider"],
        "issuer": server.issuer,
    }


def test_a_document_url_is_read_as_it_is_given() -> None:
    with RfcServer() as server:
        found = discover(url=f"{server.issuer}/.well-known/openid-configuration")
    assert found.issuer == server.issuer
    assert "issuer_mismatch" not in {item.code for item in found.findings}


def test_a_document_of_somebody_else_is_a_finding_and_not_an_error() -> None:
    documents = {"/.well-known/openid-configuration": {**GOOD, "jwks_uri": "ORIGIN/keys"}, "/keys": {"keys": [RSA_KEY]}}
    with serving(documents) as origin:
        found = discover(url=origin)
    assert found.issuer == GOOD["issuer"]
    wrong = {item.code for item in found.findings if item.level == Level.DOUBTFUL}
    assert {"issuer_mismatch", "endpoint_not_https", "endpoint_on_another_host", "loopback_address"} <= wrong
    assert "no_signing_keys" not in wrong


def test_keys_that_are_not_there_are_a_finding() -> None:
    with serving({"/.well-known/openid-configuration": {"issuer": "ORIGIN", "jwks_uri": "ORIGIN/none"}}) as origin:
        found = discover(url=origin)
    by_code = {item.code: item for item in found.findings}
    assert "HTTP 404" in by_code["keys_unreadable"].message
    assert by_code["no_token_endpoint"].level == Level.FATAL


def test_an_issuer_that_another_key_manager_has_is_a_finding(settings: Any) -> None:
    resident = ensure_resident()
    documents = {"/.well-known/openid-configuration": {**GOOD, "issuer": resident.issuer}}
    with serving(documents) as origin:
        found = discover(url=origin)
    assert {item.code for item in found.findings} >= {"issuer_taken", "issuer_mismatch"}


def test_a_server_that_does_not_describe_itself_names_every_place_that_was_tried() -> None:
    with serving({}) as origin:
        found = discover(url=origin, adapter="rfc")
    (finding,) = found.findings
    assert (finding.code, finding.level) == ("no_document", Level.FATAL)
    assert finding.message.count("HTTP 404") == 2
    assert (found.settings, found.metadata) == ((), None)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "no url"}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": "https://a.example", "adapter": "magic"}, "adapter"),
        ({"url": "https://a.example", "adapter": "resident"}, "adapter"),
        ({"url": "https://a.example", "preset": "magic"}, "preset"),
    ],
)
def test_a_wrong_question_names_its_field(asked: dict[str, str], field: str) -> None:
    with pytest.raises(InputError) as caught:
        discover(**asked)
    assert set(caught.value.fields) == {field}


# --- every adapter ----------------------------------------------------------------------------------------------------
FAKES: Mapping[str, Any] = {
    "auth0": Auth0Server,
    "entra": EntraServer,
    "hydra": HydraServer,
    "okta": OktaServer,
    "pingfederate": PingFederateServer,
    "wso2is": Wso2IsServer,
    "wso2is7": Wso2Is7Server,
}


def issuer_of(server: Any) -> str:
    """The issuer of a fake."""
    if isinstance(server, EntraServer):
        return server.login.issuer(2)
    return str(getattr(server, "token_issuer", "") or server.issuer)


@pytest.mark.parametrize("slug", sorted(FAKES))
def test_an_adapter_is_suggested_for_its_server_and_its_settings_are_filled_in(slug: str) -> None:
    with FAKES[slug]() as server:
        url = issuer_of(server)
        found = discover(url=url)
        assert slug in {item.adapter for item in found.suggestions}
        own = discover(url=url, adapter=slug)
    assert own.adapter == slug
    assert own.issuer == url
    assert setting(own, "issuer") == (url, "document", True)
    assert "another_adapter" not in {item.code for item in own.findings}
    assert "setting_refused" not in {item.code for item in own.findings}
    given = {item.name: "given-by-a-person" for item in own.settings if item.origin == "person"}
    urls = dict.fromkeys((name for name in given if name.endswith("_url")), "https://admin.example")
    assert checked_config(slug, {**own.config, **given, **urls}).issuer == url


def test_the_tenant_of_a_microsoft_directory_is_taken_from_its_addresses() -> None:
    with EntraServer() as server:
        found = discover(url=issuer_of(server), adapter="entra")
        assert setting(found, "tenant_id")[:2] == (server.tenant, "adapter")
        assert setting(found, "authority")[1] == "adapter"


def test_the_address_of_a_wso2_server_is_enough() -> None:
    with Wso2Is7Server() as server:
        found = discover(url=server.base_url, adapter="wso2is7")
        assert found.issuer == server.token_issuer
        assert "issuer_mismatch" not in {item.code for item in found.findings}


def test_an_adapter_for_another_server_is_doubted() -> None:
    with OktaServer() as server:
        found = discover(url=server.token_issuer, adapter="rfc")
    assert "Okta" in next(item.message for item in found.findings if item.code == "another_adapter")


def test_a_server_that_never_describes_itself_gets_its_address_only() -> None:
    found = discover(url="https://oauth.example.org/", adapter="surfoauth")
    assert found.config == {"base_url": "https://oauth.example.org"}
    assert [item.code for item in found.findings] == ["no_discovery"]
    assert "admin_client_id" in found.needed


@pytest.mark.parametrize(
    ("document", "slug", "preset"),
    [
        ({"issuer": "https://museum.okta.com/oauth2/default"}, "okta", ""),
        (
            {
                "issuer": "https://a.example/realms/museum",
                "token_endpoint": "https://a.example/realms/museum/protocol/openid-connect/token",
            },
            "keycloak",
            "",
        ),
        ({"issuer": "https://museum.eu.auth0.com/"}, "auth0", ""),
        ({"issuer": "https://a.example", "cloud_instance_name": "microsoftonline.com"}, "entra", ""),
        (
            {
                "issuer": "https://a.example",
                "registration_endpoint": "https://a.example/api/glwd/register",
                "token_endpoint": "https://a.example/api/glwd/token",
            },
            "rfc",
            "glewlwyd",
        ),
    ],
)
def test_a_server_is_known_by_what_it_says(document: dict[str, str], slug: str, preset: str) -> None:
    known = {name: each.recognise(parsed_metadata(document)) for name, each in ADAPTERS.items()}
    assert {name: item.preset for name, item in known.items() if item} == {slug: preset}


def test_an_unknown_server_is_nobodys() -> None:
    assert not any(each.recognise(parsed_metadata(GOOD)) for each in ADAPTERS.values())
    assert not any(each.recognise(ServerMetadata(issuer="")) for each in ADAPTERS.values())


# --- by REST ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_the_import_by_rest_can_be_sent_back_as_a_key_manager(world: World) -> None:
    with OktaServer() as server:
        answer = world.admin.post("/admin/key-managers/discover/", {"url": server.token_issuer})
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["adapter"], found["issuer"]) == ("okta", server.token_issuer)
    assert found["doubtful"] == [item["message"] for item in found["findings"] if item["level"] == "doubtful"]
    assert {
        "name": "api_token",
        "title": "API token",
        "value": None,
        "origin": "person",
        "store": True,
        "secret": True,
    } in (found["settings"])
    config = {**found["config"], **dict.fromkeys(found["needed"], "x")}
    body = {"slug": "company", "name": "Company", "adapter": found["adapter"], "config": config}
    assert world.admin.post("/admin/key-managers/", body).status_code == 201


def test_a_wrong_import_by_rest_names_its_field(world: World) -> None:
    for body, field in (({"url": "nonsense"}, "url"), ({"url": "https://a.example", "adapter": "magic"}, "adapter")):
        answer = world.admin.post("/admin/key-managers/discover/", body)
        assert (answer.status_code, set(fields_of(answer))) == (400, {field})
