"""The files that Envoy watches, replaced whole by a rename."""

import json
import os
import tempfile
from pathlib import Path

from gateway.envoy.config import CLUSTERS_FILE, LISTENERS_FILE, ROUTES_FILE, Document, EnvoyConfig, document
from gateway.envoy.protobuf_json import Message


def write_atomically(path: Path, text: str) -> None:
    """Puts ``text`` at ``path``: a reader, also one after a crash, sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_document(path: Path, new: Document) -> bool:
    """Writes the document unless it is there already; True when it was written."""
    if version_on_disk(path) == new.version:
        return False
    write_atomically(path, new.text)
    return True


def version_on_disk(path: Path) -> str:
    """``version_info`` of the document at ``path``; "" when there is none or it is not one of ours."""
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(64)
    except FileNotFoundError:
        return ""
    before, found, after = start.partition('{"version_info":"')
    return after.partition('"')[0] if found and not before else ""


def with_earlier_clusters(folder: Path, config: EnvoyConfig) -> Document:
    """The new clusters, and the ones on disk that are not among them: routes in effect may still lead there."""
    path = folder / CLUSTERS_FILE
    try:
        earlier: list[Message] = json.loads(path.read_text(encoding="utf-8"))["resources"]
    except (FileNotFoundError, ValueError, KeyError):
        return config.clusters
    new = {cluster["name"] for cluster in config.clusters.resources}
    kept = [cluster for cluster in earlier if cluster["name"] not in new]
    return document(*config.clusters.resources, *kept) if kept else config.clusters


def write_config(folder: Path, config: EnvoyConfig) -> None:
    """Writes all three documents at once, for an Envoy that is not running yet.

    To change a running one use ``gateway.envoy.apply.apply_config``, which lets no route lead to a missing cluster.
    """
    write_document(folder / CLUSTERS_FILE, config.clusters)
    write_document(folder / ROUTES_FILE, config.routes)
    write_document(folder / LISTENERS_FILE, config.listeners)
