"""The file with which Envoy starts: where its configuration, its administration and its limits are."""

import json
from pathlib import Path

from common.errors import ConfigurationError
from gateway.envoy.config import CLUSTERS_FILE, LISTENERS_FILE
from gateway.envoy.declarations import GatewaySettings
from gateway.envoy.files import write_atomically
from gateway.envoy.listener import STAT_PREFIX
from gateway.envoy.protobuf_json import Json, Message, extension, typed

BOOTSTRAP_FILE = "bootstrap.json"
ADMIN_SOCKET = "admin.sock"
_LONGEST_SOCKET_PATH = 100  # Linux has room for 107 bytes

# Only what the gateway and its operators read: at a thousand origins, the other counters would fill the memory, and
# each one costs every call a little, histograms most.
_STATS = (
    "cluster_manager.",
    "cluster.validator.upstream_cx_active",
    "cluster.validator.upstream_cx_connect_fail",
    "cluster.validator.upstream_cx_overflow",
    "cluster.validator.upstream_rq_timeout",
    "filesystem.",
    "http.gateway.downstream_cx_active",
    "http.gateway.downstream_cx_total",
    "http.gateway.downstream_rq_1xx",
    "http.gateway.downstream_rq_2xx",
    "http.gateway.downstream_rq_3xx",
    "http.gateway.downstream_rq_4xx",
    "http.gateway.downstream_rq_5xx",
    "http.gateway.downstream_rq_active",
    "http.gateway.ext_authz.",
    "http.gateway.rds.",
    "listener_manager.",
    "overload.",
    "server.",
)


def admin_socket(folder: Path) -> Path:
    """The socket of Envoy's administration.

    It is a file, not a port: an API whose backend is a loopback address must not lead to it.
    """
    path = folder.absolute() / ADMIN_SOCKET
    if len(str(path)) > _LONGEST_SOCKET_PATH:
        raise ConfigurationError(f"The gateway's folder has a name that is too long for a socket: {folder}")
    return path


def write_bootstrap(folder: Path, settings: GatewaySettings) -> Path:
    """Writes the start file into ``folder`` and returns its path."""
    path = folder.absolute() / BOOTSTRAP_FILE
    write_atomically(path, json.dumps(_bootstrap(folder.absolute(), settings)))
    return path


def _bootstrap(folder: Path, settings: GatewaySettings) -> Message:
    prefixes: list[Json] = [{"prefix": prefix} for prefix in _STATS]
    connections = typed(
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=settings.max_connections,
    )
    return {
        "node": {"id": STAT_PREFIX, "cluster": "archway"},
        "admin": {"address": {"pipe": {"path": str(admin_socket(folder)), "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": _watched(folder / LISTENERS_FILE),
            "cds_config": _watched(folder / CLUSTERS_FILE),
        },
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": prefixes}}},
        "overload_manager": {
            "resource_monitors": [extension("envoy.resource_monitors.global_downstream_max_connections", connections)]
        },
    }


def _watched(path: Path) -> Message:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
