"""Backends behind https: only the one that the URL names is believed."""

import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from gateway.envoy.config import build_config
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from gateway.envoy.files import write_config
from gateway.envoy.process import EnvoyProcess
from tests.fakes.gateway_peers import Answer, Peer, echo
from tests.gateway.raw_http import RawAnswer, request, send
from tests.servers.certificates import self_signed
from tests.servers.process import free_port

pytestmark = pytest.mark.gateway


def _server_context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture(scope="module")
def gateway_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gateway that trusts the certificate for ``localhost`` and no other."""
    folder = tmp_path_factory.mktemp("tls")
    trusted = self_signed(folder, "trusted", x509.DNSName("localhost"))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    stranger = self_signed(folder, "stranger", x509.DNSName("localhost"), address)
    allow = Answer(headers=(("x-archway-environment", "production"),))
    with (
        Peer(echo, tls=_server_context(trusted)) as backend,
        Peer(echo, tls=_server_context(stranger)) as impostor,
        Peer(lambda _: allow) as validator,
    ):
        urls = {
            "named": f"https://localhost:{backend.port}/base",
            "unnamed": f"https://127.0.0.1:{backend.port}",
            "untrusted": f"https://localhost:{impostor.port}",
            "plain": f"http://localhost:{backend.port}",
        }
        apis = [
            GatewayApi(id=name, prefix=f"/{name}/1", production=Upstream(url=url), sandbox=None)
            for name, url in urls.items()
        ]
        settings = GatewaySettings(
            listen_port=free_port(), validator_port=validator.port, workers=1, ca_file=str(trusted)
        )
        write_config(folder, build_config(settings, apis, folder=folder))
        with EnvoyProcess(folder, settings):
            yield settings.listen_port


def call(port: int, target: str) -> RawAnswer:
    return send(port, request("GET", target))


def test_a_backend_whose_certificate_names_it_and_is_trusted_is_called(gateway_port: int) -> None:
    assert call(gateway_port, "/named/1/x").echoed.target == "/base/x"


@pytest.mark.parametrize("name", ["unnamed", "untrusted"])
def test_a_backend_that_cannot_prove_its_name_gets_nothing(gateway_port: int, name: str) -> None:
    answer = call(gateway_port, f"/{name}/1/x")
    assert (answer.status, answer.code) == (503, "backend_unavailable")


def test_a_backend_that_wants_https_and_gets_http_is_an_error_of_the_backend(gateway_port: int) -> None:
    assert call(gateway_port, "/plain/1/x").status in {502, 503}
