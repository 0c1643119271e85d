"""Clusters: one per origin, however many APIs live there, and the validator's."""

from collections.abc import Iterable

from common.errors import ConfigurationError
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream, is_ip_address
from gateway.envoy.protobuf_json import Json, Message, extension, seconds, socket_address, typed

VALIDATOR_CLUSTER = "validator"

_CONNECT_SECONDS = 5.0
_BUFFER_BYTES = 262_144


def cluster_name(upstream: Upstream) -> str:
    """The name under which routes find the upstream's cluster."""
    return upstream.origin


def clusters(settings: GatewaySettings, apis: Iterable[GatewayApi]) -> list[Message]:
    """All clusters, in a stable order."""
    upstreams: dict[str, Upstream] = {}
    for api in apis:
        for upstream in (api.production, api.sandbox):
            if upstream is not None:
                upstreams.setdefault(cluster_name(upstream), upstream)
    return [_validator(settings), *(_backend(settings, upstreams[name]) for name in sorted(upstreams))]


def _cluster(name: str, host: str, port: int, *, connect_seconds: float, idle_seconds: float) -> Message:
    endpoint: Message = {"endpoint": {"address": socket_address(host, port)}}
    cluster: Message = {
        "name": name,
        "connect_timeout": seconds(connect_seconds),
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                explicit_http_config={"http_protocol_options": {}},
                common_http_protocol_options={"idle_timeout": seconds(idle_seconds)},
            )
        },
    }
    if is_ip_address(host):
        cluster["type"] = "STATIC"
    else:
        dns = typed(
            "envoy.extensions.clusters.dns.v3.DnsCluster", dns_lookup_family="V4_PREFERRED", respect_dns_ttl=True
        )
        cluster["cluster_type"] = extension("envoy.clusters.dns", dns)
    return cluster


def _validator(settings: GatewaySettings) -> Message:
    cluster = _cluster(
        VALIDATOR_CLUSTER,
        settings.validator_host,
        settings.validator_port,
        connect_seconds=min(1.0, settings.validator_timeout_ms / 1000),
        idle_seconds=30,
    )
    if settings.validator_socket:
        endpoint: Message = {"endpoint": {"address": {"pipe": {"path": settings.validator_socket}}}}
        assignment: Json = {"cluster_name": VALIDATOR_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]}
        cluster.pop("cluster_type", None)
        cluster.update(type="STATIC", load_assignment=assignment)
    # Every call in flight waits for the validator once: its circuit must not open before the listener's own limit.
    limit: Json = settings.max_connections
    cluster["circuit_breakers"] = {
        "thresholds": [{"max_connections": 1024, "max_pending_requests": limit, "max_requests": limit}]
    }
    return cluster


def _backend(settings: GatewaySettings, upstream: Upstream) -> Message:
    cluster = _cluster(
        cluster_name(upstream),
        upstream.host,
        upstream.port,
        connect_seconds=_CONNECT_SECONDS,
        idle_seconds=60,
    )
    if upstream.secure:
        cluster["transport_socket"] = extension("envoy.transport_sockets.tls", _tls(settings, upstream))
    return cluster


def _tls(settings: GatewaySettings, upstream: Upstream) -> Message:
    """RFC 9110 section 4.3.4: the certificate must be trusted and must name the host."""
    if not settings.ca_file:
        raise ConfigurationError("There is no bundle of trusted certificate authorities for https upstreams.")
    address = is_ip_address(upstream.host)
    name = upstream.host.rstrip(".")
    message = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["http/1.1"],
            "validation_context": {
                "trusted_ca": {"filename": settings.ca_file},
                "match_typed_subject_alt_names": [
                    {"san_type": "IP_ADDRESS" if address else "DNS", "matcher": {"exact": name}}
                ],
            },
        },
    )
    if not address:
        message["sni"] = name
    return message
