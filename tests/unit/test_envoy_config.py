"""From published APIs to Envoy's documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError
from gateway.envoy.config import build_config
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream

FOLDER = Path("/var/lib/archway/gateway")
SETTINGS = GatewaySettings(ca_file="/etc/ssl/ca.pem")
MUSEUM = GatewayApi(
    id="museum",
    prefix="/museum/1.0.0",
    production=Upstream(url="https://museum.example/v1"),
    sandbox=Upstream(url="http://127.0.0.1:9000"),
)


def built(*apis: GatewayApi, settings: GatewaySettings = SETTINGS) -> Any:
    """The three documents, read back from their text."""
    config = build_config(settings, apis, folder=FOLDER)
    documents = (config.listeners, config.clusters, config.routes)
    return tuple(json.loads(document.text) for document in documents)


def manager_of(listeners: Any) -> Any:
    return listeners["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def routes_of(routes: Any, segment: str) -> Any:
    tree = routes["resources"][0]["virtual_hosts"][0]["matcher"]["matcher_tree"]
    return tree["prefix_match_map"]["map"][segment]["action"]["typed_config"]["routes"]


def test_the_same_apis_in_another_order_give_the_same_version() -> None:
    other = GatewayApi(id="o", prefix="/other/1", production=Upstream(url="http://other.example"), sandbox=None)
    forward = build_config(SETTINGS, [MUSEUM, other], folder=FOLDER)
    backward = build_config(SETTINGS, [other, MUSEUM], folder=FOLDER)
    assert forward == backward
    assert forward.version == backward.version


def test_a_new_api_changes_the_routes_and_leaves_the_listener_alone() -> None:
    before = build_config(SETTINGS, [], folder=FOLDER)
    after = build_config(SETTINGS, [MUSEUM], folder=FOLDER)
    assert before.listeners.version == after.listeners.version
    assert before.routes.version != after.routes.version
    assert before.version != after.version


def test_every_document_carries_its_version() -> None:
    config = build_config(SETTINGS, [MUSEUM], folder=FOLDER)
    for document in (config.listeners, config.clusters, config.routes):
        assert json.loads(document.text)["version_info"] == document.version


def test_two_apis_cannot_claim_one_prefix() -> None:
    with pytest.raises(ConfigurationError, match=r"/museum/1\.0\.0"):
        build_config(SETTINGS, [MUSEUM, MUSEUM], folder=FOLDER)


def test_a_thousand_apis_on_one_backend_share_one_cluster() -> None:
    upstream = Upstream(url="http://backend.example/base")
    apis = [GatewayApi(id=str(n), prefix=f"/api{n}/1", production=upstream, sandbox=upstream) for n in range(1000)]
    _, clusters, _ = built(*apis)
    assert [cluster["name"] for cluster in clusters["resources"]] == ["validator", "http://backend.example:80"]


def test_an_https_upstream_is_verified_by_name() -> None:
    _, clusters, _ = built(MUSEUM)
    tls = clusters["resources"][2]["transport_socket"]["typed_config"]
    assert tls["sni"] == "museum.example"
    validation = tls["common_tls_context"]["validation_context"]
    assert validation["trusted_ca"] == {"filename": "/etc/ssl/ca.pem"}
    assert validation["match_typed_subject_alt_names"] == [{"san_type": "DNS", "matcher": {"exact": "museum.example"}}]


def test_an_https_upstream_needs_trusted_authorities() -> None:
    with pytest.raises(ConfigurationError, match="certificate authorities"):
        build_config(GatewaySettings(ca_file=""), [MUSEUM], folder=FOLDER)


def test_an_https_upstream_with_an_address_is_verified_by_address() -> None:
    api = GatewayApi(id="v6", prefix="/v6/1", production=Upstream(url="https://[::1]:8443"), sandbox=None)
    _, clusters, routes = built(api)
    cluster = clusters["resources"][1]
    tls = cluster["transport_socket"]["typed_config"]
    assert cluster["type"] == "STATIC"
    assert "sni" not in tls
    names = tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert names == [{"san_type": "IP_ADDRESS", "matcher": {"exact": "::1"}}]
    assert routes_of(routes, "/v6/")[0]["route"]["host_rewrite_literal"] == "[::1]:8443"


def test_the_longer_prefix_comes_first_within_a_first_segment() -> None:
    long = GatewayApi(id="l", prefix="/museum/1.0.0/2", production=MUSEUM.production, sandbox=None)
    _, _, routes = built(MUSEUM, long)
    matches = [route["match"].get("path_separated_prefix") for route in routes_of(routes, "/museum/")]
    assert matches == ["/museum/1.0.0/2", "/museum/1.0.0/2", "/museum/1.0.0", "/museum/1.0.0", None]


def test_the_token_is_forwarded_only_where_the_api_says_so() -> None:
    open_api = GatewayApi(
        id="f", prefix="/forward/1", production=MUSEUM.production, sandbox=MUSEUM.sandbox, forward_token=True
    )
    _, _, routes = built(MUSEUM, open_api)
    closed, opened = routes_of(routes, "/museum/")[:2], routes_of(routes, "/forward/")[:2]
    assert all(route["request_headers_to_remove"] == ["authorization"] for route in closed)
    assert all("request_headers_to_remove" not in route for route in opened)


def test_the_listener_is_on_loopback_unless_told_otherwise() -> None:
    listeners, _, _ = built()
    assert listeners["resources"][0]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_the_access_log_is_off_unless_asked_for() -> None:
    listeners, _, _ = built()
    assert "access_log" not in manager_of(listeners)


def test_the_access_log_has_neither_queries_nor_credentials() -> None:
    listeners, _, _ = built(settings=GatewaySettings(access_log=Path("/tmp/access.log")))  # noqa: S108 - only a name
    text = json.dumps(manager_of(listeners)["access_log"]).lower()
    assert "authorization" not in text
    assert "%req(:path)%" not in text
    assert "%path(nq:path)%" in text


def test_bodies_are_never_sent_to_the_validator() -> None:
    listeners, _, _ = built(MUSEUM)
    assert "with_request_body" not in json.dumps(listeners)


def test_nothing_is_upgraded() -> None:
    assert "upgrade_configs" not in json.dumps(built(MUSEUM))


def test_without_portal_origins_there_is_no_cors_policy() -> None:
    _, _, routes = built(MUSEUM)
    assert "CorsPolicy" not in json.dumps(routes)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "museum.example",
        "ftp://museum.example",
        "http://",
        "http://user:secret@museum.example",
        "http://museum.example/?q",
        "http://museum.example/#f",
        "http://museum.example:0",
        "http://museum.example:99999",
        "http://mus eum.example",
        "http://museum.example/a b",
        "http://museum.example/a//b",
        "http://muséum.example",
        "http://museum.example\r\nx:y",
        "http://%00",
        "http://[::1",
    ],
)
def test_an_upstream_that_is_not_a_plain_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Upstream(url=url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "origin", "authority", "base"),
    [
        ("http://a.example", "http://a.example:80", "a.example", ""),
        ("http://A.example:80/", "http://a.example:80", "a.example", ""),
        ("https://a.example:8443/v1/", "https://a.example:8443", "a.example:8443", "/v1"),
        ("http://[2001:db8::1]:81/x", "http://[2001:db8::1]:81", "[2001:db8::1]:81", "/x"),
    ],
)
def test_an_upstream_is_read_into_its_parts(url: str, origin: str, authority: str, base: str) -> None:
    upstream = Upstream(url=url)
    assert (upstream.origin, upstream.authority, upstream.base) == (origin, authority, base)


@pytest.mark.parametrize("prefix", ["", "/", "/one", "museum/1", "/museum/1/", "/a/../b", "/a/%62", "/a b/1", "/a/1\n"])
def test_a_prefix_that_envoy_could_read_otherwise_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        GatewayApi(id="x", prefix=prefix, production=None, sandbox=None)


@pytest.mark.parametrize("name", ["Transfer-Encoding", "content-length", "connection"])
def test_headers_that_frame_a_message_never_go_to_the_validator(name: str) -> None:
    with pytest.raises(ConfigurationError):
        GatewaySettings(validator_headers=(name,))


@pytest.mark.parametrize("origin", ["*", "portal.example", "https://portal.example/path"])
def test_a_cors_origin_is_exact(origin: str) -> None:
    with pytest.raises(ConfigurationError):
        GatewaySettings(cors_origins=(origin,))


@pytest.mark.parametrize("kind", ["x-original", "x-forwarded"])
@pytest.mark.parametrize("what", ["method", "uri"])
def test_headers_that_would_replace_the_judged_method_or_path_are_removed(kind: str, what: str) -> None:
    assert {f"{kind}-{what}", "x-forwarded-prefix", "x-http-method-override"} <= removed_early(built()[0])


def removed_early(listeners: Any) -> set[str]:
    """The headers that the listener removes before anything reads them."""
    [extension] = manager_of(listeners)["early_header_mutation_extensions"]
    return {one["remove"] for one in extension["typed_config"]["mutations"] if "remove" in one}
