"""Changing what a running Envoy serves."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.envoy.apply import ConfigRefused, acknowledged, apply_config
from gateway.envoy.config import ROUTES_FILE, EnvoyConfig, build_config, document
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from gateway.envoy.files import version_on_disk, write_config
from gateway.envoy.process import EnvoyDidNotStart, EnvoyProcess
from gateway.envoy.protobuf_json import typed
from tests.fakes.gateway_peers import Answer, Peer, Received, echo
from tests.gateway.raw_http import RawAnswer, request, send
from tests.servers.process import accepts_connections, free_port

pytestmark = pytest.mark.gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An Envoy that starts with no API at all."""

    folder: Path
    settings: GatewaySettings
    process: EnvoyProcess
    backend_port: int

    def config(self, *names: str, host: str = "127.0.0.1") -> EnvoyConfig:
        return build_config(self.settings, [self.api(name, host) for name in names], folder=self.folder)

    def api(self, name: str, host: str = "127.0.0.1") -> GatewayApi:
        """One that is served below ``/name/1``."""
        upstream = Upstream(url=f"http://{host}:{self.backend_port}/{name}")
        return GatewayApi(id=name, prefix=f"/{name}/1", production=upstream, sandbox=None)

    def apply(self, config: EnvoyConfig) -> None:
        apply_config(self.folder, config, self.process.admin, log=self.process.log)

    def call(self, target: str) -> RawAnswer:
        return send(self.settings.listen_port, request("GET", target))


def _patient_echo(received: Received) -> Answer:
    if received.target.startswith("/patient"):
        threading.Event().wait(1.4)
    return echo(received)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("apply")
    allow = Answer(headers=(("x-archway-environment", "production"),))
    with Peer(_patient_echo) as backend, Peer(lambda _: allow) as validator:
        settings = GatewaySettings(listen_port=free_port(), validator_port=validator.port, workers=1, idle_seconds=1)
        write_config(folder, build_config(settings, [], folder=folder))
        with EnvoyProcess(folder, settings) as process:
            yield Running(folder=folder, settings=settings, process=process, backend_port=backend.port)


def test_an_api_is_served_as_soon_as_it_is_applied_and_gone_as_soon_as_it_is_not(running: Running) -> None:
    running.apply(running.config("one"))
    assert running.call("/one/1/x").echoed.target == "/one/x"
    running.apply(running.config("two"))
    assert running.call("/two/1/x").status == 200
    assert running.call("/one/1/x").status == 404
    running.apply(running.config())
    assert running.call("/two/1/x").status == 404


def test_a_backend_may_take_as_long_as_its_api_says_although_idle_callers_may_not(running: Running) -> None:
    running.apply(running.config("patient"))
    assert running.call("/patient/1/x").status == 200


def test_a_configuration_is_acknowledged_when_exactly_it_is_in_effect(running: Running) -> None:
    config = running.config("acknowledged")
    assert not acknowledged(running.process.admin, config)
    running.apply(config)
    assert acknowledged(running.process.admin, config)
    assert not acknowledged(running.process.admin, running.config("acknowledged", "more"))


def test_applying_the_same_again_changes_nothing(running: Running) -> None:
    config = running.config("again")
    running.apply(config)
    before = (running.folder / ROUTES_FILE).stat()
    applied = apply_config(running.folder, config, running.process.admin)
    assert (running.folder / ROUTES_FILE).stat() == before
    assert applied.version == config.version


def test_a_backend_that_moves_is_reached_at_once_and_its_old_cluster_goes(running: Running) -> None:
    running.apply(running.config("moving"))
    moved = running.config("moving", host="localhost")
    running.apply(moved)
    assert running.call("/moving/1/x").echoed.first("host").startswith("localhost:")
    assert running.process.admin.config_status().clusters.version == moved.clusters.version


def test_a_refused_configuration_is_reported_with_envoys_words_and_leaves_the_earlier_one(running: Running) -> None:
    good = running.config("good")
    running.apply(good)
    wrong = typed("envoy.config.route.v3.RouteConfiguration", name="apis", virtual_hosts=[{"name": "no domains"}])
    bad = EnvoyConfig(listeners=good.listeners, clusters=good.clusters, routes=document(wrong))
    with pytest.raises(ConfigRefused, match="Domains"):
        running.apply(bad)
    assert running.call("/good/1/x").status == 200
    assert version_on_disk(running.folder / ROUTES_FILE) == good.routes.version
    running.apply(running.config("good", "better"))
    assert running.call("/better/1/x").status == 200


def test_each_refusal_is_reported_with_its_own_words_and_not_with_those_of_the_one_before(running: Running) -> None:
    good = running.config("good")
    running.apply(good)
    for name in ("first", "second", "third"):
        wrong = typed("envoy.config.route.v3.RouteConfiguration", name="apis", virtual_hosts=[{"name": name}])
        bad = EnvoyConfig(listeners=good.listeners, clusters=good.clusters, routes=document(wrong))
        with pytest.raises(ConfigRefused, match=name):
            running.apply(bad)


def test_a_misspelt_member_is_refused_and_not_ignored(running: Running) -> None:
    good = running.config("spelt")
    running.apply(good)
    wrong = {**good.routes.resources[0], "virtual_hostz": []}
    bad = EnvoyConfig(listeners=good.listeners, clusters=good.clusters, routes=document(wrong))
    with pytest.raises(ConfigRefused):
        running.apply(bad)
    assert running.call("/spelt/1/x").status == 200


def test_a_validator_that_is_gone_is_503(tmp_path: Path) -> None:
    settings = GatewaySettings(listen_port=free_port(), validator_port=free_port(), workers=1)
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    with EnvoyProcess(tmp_path, settings):
        answer = send(settings.listen_port, request("GET", "/any/1"))
    assert (answer.status, answer.code) == (503, "validator_unavailable")


def test_envoy_ends_when_told_and_can_be_started_again(tmp_path: Path) -> None:
    settings = GatewaySettings(listen_port=free_port(), validator_port=free_port(), workers=1)
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    process = EnvoyProcess(tmp_path, settings)
    assert (process.pid, process.ready()) == (0, False)
    for _ in range(2):
        process.start()
        assert process.ready()
        assert process.pid
        assert accepts_connections(settings.listen_port)
        process.stop()
        assert (process.pid, process.ready()) == (0, False)
        assert not accepts_connections(settings.listen_port)
    process.stop()


def test_several_envoys_run_side_by_side(tmp_path: Path, running: Running) -> None:
    settings = GatewaySettings(listen_port=free_port(), validator_port=free_port(), workers=1)
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    with EnvoyProcess(tmp_path, settings) as second:
        assert second.pid != running.process.pid
        assert running.process.ready()


def test_an_envoy_whose_supervisor_was_killed_makes_way_for_the_next(tmp_path: Path) -> None:
    settings = GatewaySettings(listen_port=free_port(), validator_port=free_port(), workers=1)
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    with EnvoyProcess(tmp_path, settings) as left_behind, EnvoyProcess(tmp_path, settings) as successor:
        assert (left_behind.pid, left_behind.exit_status) == (0, 0)
        assert successor.ready()


def test_a_port_that_another_program_has_is_not_shared_with_it(tmp_path: Path, running: Running) -> None:
    settings = GatewaySettings(listen_port=running.settings.listen_port, validator_port=free_port(), workers=1)
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    with pytest.raises(EnvoyDidNotStart, match=str(settings.listen_port)):
        EnvoyProcess(tmp_path, settings).start()


def test_an_envoy_that_cannot_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    settings = GatewaySettings(listen_port=free_port(), validator_port=free_port())
    write_config(tmp_path, build_config(settings, [], folder=tmp_path))
    with pytest.raises(EnvoyDidNotStart, match="ended with status"):
        EnvoyProcess(tmp_path, settings, program=Path("/bin/false")).start()


def test_the_administration_is_reachable_for_its_owner_only(running: Running) -> None:
    mode = (running.folder / "admin.sock").stat().st_mode & 0o777
    assert mode == 0o600
    assert running.process.admin.server_info()["state"] == "LIVE"
