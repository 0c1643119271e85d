"""From published APIs to the three documents that Envoy watches: listeners, clusters and routes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.envoy.clusters import clusters
from gateway.envoy.declarations import GatewayApi, GatewaySettings
from gateway.envoy.listener import listener
from gateway.envoy.protobuf_json import Message
from gateway.envoy.routes import route_configuration

LISTENERS_FILE = "listeners.json"
CLUSTERS_FILE = "clusters.json"
ROUTES_FILE = "routes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One xDS ``DiscoveryResponse``: its JSON text, its version (a hash of the content) and its resources."""

    version: str
    text: str
    resources: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyConfig:
    """Everything that Envoy needs to serve the APIs. ``version`` changes exactly when the content does."""

    listeners: Document
    clusters: Document
    routes: Document

    @property
    def version(self) -> str:
        """One name for the three documents together."""
        return _digest("".join((self.listeners.version, self.clusters.version, self.routes.version)))


def build_config(settings: GatewaySettings, apis: Sequence[GatewayApi], *, folder: Path) -> EnvoyConfig:
    """The configuration that serves exactly these APIs.

    ``folder``: where the files will be written, since the listener names the file of the routes. Raises
    ``ConfigurationError`` when two APIs claim one prefix.
    """
    ordered = sorted(apis, key=lambda api: api.prefix)
    routes_file = str(folder.absolute() / ROUTES_FILE)
    return EnvoyConfig(
        listeners=document(listener(settings, routes_file=routes_file)),
        clusters=document(*clusters(settings, ordered), kind="envoy.config.cluster.v3.Cluster"),
        routes=document(route_configuration(settings, ordered)),
    )


def document(*resources: Message, kind: str = "") -> Document:
    """A document of these resources. ``kind``: their protobuf name, where they do not carry their own."""
    named = tuple({"@type": f"type.googleapis.com/{kind}", **resource} if kind else resource for resource in resources)
    body = json.dumps(named, separators=(",", ":"))
    version = _digest(body)
    return Document(version=version, text=f'{{"version_info":"{version}","resources":{body}}}', resources=named)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
