"""The two Envoys to compare with: the backend that answers at once, and the gateway without the validator."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.envoy.config import EnvoyConfig, build_config, document
from gateway.envoy.declarations import GatewayApi, GatewaySettings
from gateway.envoy.files import write_config
from gateway.envoy.process import EnvoyProcess
from gateway.envoy.protobuf_json import Message, extension, socket_address, typed

_BODY = '{"books": [], "bench": true}'
_EXT_AUTHZ = "envoy.filters.http.ext_authz"


def answering_envoy(folder: Path, port: int) -> EnvoyProcess:
    """A backend: an Envoy that answers every path with one small body. Not started yet."""
    route: Message = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": _BODY}}}
    manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="upstream",
        codec_type="HTTP1",
        route_config={"name": "all", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        http_filters=[extension("envoy.filters.http.router", typed("envoy.extensions.filters.http.router.v3.Router"))],
    )
    listener = typed(
        "envoy.config.listener.v3.Listener",
        name="upstream",
        address=socket_address("127.0.0.1", port),
        filter_chains=[{"filters": [extension("envoy.filters.network.http_connection_manager", manager)]}],
    )
    write_config(folder, EnvoyConfig(listeners=document(listener), clusters=document(), routes=document()))
    return EnvoyProcess(folder, GatewaySettings(listen_port=port, workers=1))


def plain_envoy(folder: Path, port: int, apis: Sequence[GatewayApi], *, threads: int) -> EnvoyProcess:
    """The gateway's own configuration of these APIs, less the question to the validator. Not started yet."""
    settings = GatewaySettings(listen_port=port, workers=threads)
    config = build_config(settings, apis, folder=folder)
    write_config(
        folder,
        EnvoyConfig(
            listeners=document(_without_validator(config.listeners.resources[0])),
            clusters=config.clusters,
            routes=document(_without_environment(config.routes.resources[0])),
        ),
    )
    return EnvoyProcess(folder, settings)


def _without_validator(listener: Message) -> Message:
    changed: Any = copy.deepcopy(listener)
    for chain in changed["filter_chains"]:
        for entry in chain["filters"]:
            manager = entry["typed_config"]
            manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] != _EXT_AUTHZ]
    plain: Message = changed
    return plain


def _without_environment(routes: Message) -> Message:
    """Routes that do not wait for the validator to name the environment: the first one, production, is taken."""
    changed: Any = copy.deepcopy(routes)
    _drop_header_matches(changed)
    plain: Message = changed
    return plain


def _drop_header_matches(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("match"), dict):
            node["match"].pop("headers", None)
        for member in node.values():
            _drop_header_matches(member)
    elif isinstance(node, list):
        for member in node:
            _drop_header_matches(member)
