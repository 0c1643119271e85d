"""The files that Envoy watches."""

import json
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from gateway.envoy.bootstrap import admin_socket, write_bootstrap
from gateway.envoy.config import CLUSTERS_FILE, LISTENERS_FILE, ROUTES_FILE, EnvoyConfig, build_config
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from gateway.envoy.files import version_on_disk, with_earlier_clusters, write_atomically, write_config, write_document


def config_for(folder: Path, *hosts: str) -> EnvoyConfig:
    apis = [
        GatewayApi(id=host, prefix=f"/{host}/1", production=Upstream(url=f"http://{host}.example"), sandbox=None)
        for host in hosts
    ]
    return build_config(GatewaySettings(), apis, folder=folder)


def test_writing_leaves_the_three_documents_and_nothing_else(tmp_path: Path) -> None:
    config = config_for(tmp_path, "a")
    write_config(tmp_path, config)
    assert {path.name for path in tmp_path.iterdir()} == {LISTENERS_FILE, CLUSTERS_FILE, ROUTES_FILE}
    assert version_on_disk(tmp_path / ROUTES_FILE) == config.routes.version


def test_a_document_that_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    config = config_for(tmp_path, "a")
    path = tmp_path / ROUTES_FILE
    assert write_document(path, config.routes)
    before = path.stat()
    assert not write_document(path, config.routes)
    assert path.stat() == before


def test_a_write_that_fails_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file.json"]


def test_a_file_that_is_not_ours_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / ROUTES_FILE
    assert version_on_disk(path) == ""
    path.write_text("{}")
    assert version_on_disk(path) == ""


def test_clusters_of_routes_that_are_still_in_effect_are_kept_for_now(tmp_path: Path) -> None:
    write_config(tmp_path, config_for(tmp_path, "a", "b"))
    new = config_for(tmp_path, "b", "c")
    kept = with_earlier_clusters(tmp_path, new)
    names = {cluster["name"] for cluster in kept.resources}
    assert names == {"validator", "http://a.example:80", "http://b.example:80", "http://c.example:80"}
    assert kept.version != new.clusters.version


def test_clusters_on_disk_that_cannot_be_read_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / CLUSTERS_FILE).write_text("{ not json")
    new = config_for(tmp_path, "a")
    assert with_earlier_clusters(tmp_path, new) == new.clusters


def test_the_administration_is_a_socket_file_that_no_api_can_have_as_its_backend(tmp_path: Path) -> None:
    bootstrap = json.loads(write_bootstrap(tmp_path, GatewaySettings()).read_text())
    pipe = bootstrap["admin"]["address"]["pipe"]
    assert pipe == {"path": str(admin_socket(tmp_path)), "mode": 0o600}


def test_a_folder_with_too_long_a_name_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        admin_socket(Path("/" + "x" * 120))
