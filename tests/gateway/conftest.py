"""One Envoy for all tests, between a validator and a backend that are both in this process."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.gateway_contract import CHECK_EXACTLY
from common.paths import PrefixTable, gateway_path
from gateway.envoy.config import build_config
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from gateway.envoy.files import write_config
from gateway.envoy.process import EnvoyProcess
from tests.fakes.gateway_peers import Answer, Peer, Received, echo
from tests.gateway.raw_http import RawAnswer, request, send
from tests.servers.process import free_port

PORTAL = "https://portal.test"
VALIDATOR_TIMEOUT_MS = 400

# Token -> what the validator answers, whatever the path; other tokens name the environment.
_TOLD: dict[str, Answer] = {
    "no-environment": Answer(),
    "odd-environment": Answer(headers=(("x-archway-environment", "staging"),)),
    "with-jwt": Answer(headers=(("x-archway-environment", "production"), ("x-jwt-assertion", "signed.by.us"))),
    "noisy": Answer(
        headers=(("x-archway-environment", "production"), ("x-archway-reference", "r-1"), ("x-other", "no"))
    ),
    "refused": Answer(
        status=401,
        headers=(
            ("content-type", "application/problem+json"),
            ("www-authenticate", 'Bearer realm="archway", error="invalid_token"'),
            ("x-archway-reference", "ref-401"),
            ("x-internal", "not for callers"),
        ),
        body=b'{"code": "token_invalid", "status": 401}',
    ),
    "limited": Answer(
        status=429,
        headers=(("content-type", "application/problem+json"), ("retry-after", "17")),
        body=b'{"code": "plan_limit_reached", "status": 429}',
    ),
    "key-manager-down": Answer(
        status=463,
        headers=(
            ("content-type", "application/problem+json"),
            ("retry-after", "5"),
            ("x-archway-reference", "ref-503"),
        ),
        body=b'{"code": "key_manager_unavailable", "status": 503}',
    ),
    "forbidden-plainly": Answer(
        status=403,
        headers=(("content-type", "application/problem+json"),),
        body=b'{"code": "not_subscribed", "status": 403}',
    ),
    "broken-500": Answer(status=500, body=b"Traceback"),
    "broken-close": Answer(raw=b""),
    "broken-garbage": Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
    "broken-redirect": Answer(status=302, headers=(("location", "http://elsewhere.test/"),)),
    "broken-no-content": Answer(status=204, headers=(("x-archway-environment", "production"),)),
}


def _validator_answer(table: PrefixTable[str], asked: Received) -> Answer:
    token = asked.first("authorization").removeprefix("Bearer ")
    told = _TOLD.get(token)
    if told is not None:
        return told
    path = gateway_path(asked.target.removeprefix(CHECK_EXACTLY))
    found = table.find(path) if path is not None else None
    if token == "allow-all":
        return Answer(headers=(("x-archway-environment", "production"),))
    if path is None:
        return _problem(400, "bad_path")
    if found is None:
        return _problem(404, "unknown_to_validator")
    if not token:
        return _problem(401, "token_missing")
    return Answer(headers=(("x-archway-environment", token),))


def _problem(status: int, code: str) -> Answer:
    body = json.dumps({"code": code, "status": status}).encode()
    return Answer(status=status, headers=(("content-type", "application/problem+json"),), body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The running gateway and its surroundings."""

    port: int
    process: EnvoyProcess
    folder: Path
    validator: Peer
    backend: Peer
    apis: tuple[GatewayApi, ...]

    def call(
        self,
        target: str,
        *headers: tuple[str, str],
        method: str = "GET",
        token: str = "production",
        body: bytes = b"",
    ) -> RawAnswer:
        """One call with a bearer token ("" for none)."""
        if token:
            headers = (("authorization", f"Bearer {token}"), *headers)
        return send(self.port, request(method, target, *headers, body=body))

    def traced(self, target: str, *headers: tuple[str, str], token: str = "production") -> tuple[RawAnswer, Received]:
        """One call, and what the validator was asked about it."""
        mark = str(uuid.uuid4())
        answer = self.call(target, ("x-request-id", mark), *headers, token=token)
        asked = self.validator.received(mark)
        assert len(asked) == 1, f"the validator was asked {len(asked)} times about {target!r}: {answer}"
        return answer, asked[0]

    def access_log_with(self, mark: str) -> str:
        """The access log once it has ``mark``: Envoy writes it a little later than it answers."""
        deadline = time.monotonic() + 15
        while mark not in (text := (self.folder / "access.log").read_text()):
            assert time.monotonic() < deadline, f"{mark} is not in the access log"
            time.sleep(0.02)
        return text


def apis_for(backend_port: int) -> tuple[GatewayApi, ...]:
    """APIs whose backend path says which API and environment the gateway chose."""

    def based(name: str) -> Upstream:
        return Upstream(url=f"http://127.0.0.1:{backend_port}/{name}")

    root = Upstream(url=f"http://127.0.0.1:{backend_port}")

    def api(name: str, prefix: str) -> GatewayApi:
        return GatewayApi(
            id=name, prefix=prefix, production=based(f"{name}-production"), sandbox=based(f"{name}-sandbox")
        )

    return (
        api("museum", "/museum/1.0.0"),
        api("short", "/museum/1"),
        api("nested", "/museum/1.0.0/2"),
        api("api3", "/api3/1"),
        api("api4", "/api4/1"),
        api("upper", "/API4/1"),
        GatewayApi(id="root", prefix="/root/1.0", production=root, sandbox=None, forward_token=True),
        GatewayApi(
            id="name", prefix="/name/1", production=None, sandbox=Upstream(url=f"http://localhost:{backend_port}")
        ),
        GatewayApi(
            id="down", prefix="/down/1", production=Upstream(url=f"http://127.0.0.1:{free_port()}"), sandbox=None
        ),
        GatewayApi(id="slow", prefix="/slow/1", production=based("hang"), sandbox=None, timeout_seconds=0.2),
    )


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with several APIs, some nested, some without one of the environments, some broken."""
    folder = tmp_path_factory.mktemp("envoy")
    with Peer(_backend) as backend:
        apis = apis_for(backend.port)
        table = PrefixTable((api.prefix, api.id) for api in apis)
        with Peer(lambda asked: _validator_or_hang(table, asked)) as validator:
            settings = GatewaySettings(
                listen_port=free_port(),
                validator_port=validator.port,
                validator_timeout_ms=VALIDATOR_TIMEOUT_MS,
                portal_url=f"{PORTAL}/100%25",
                cors_origins=(PORTAL,),
                access_log=folder / "access.log",
                workers=1,
            )
            write_config(folder, build_config(settings, apis, folder=folder))
            with EnvoyProcess(folder, settings) as process:
                yield Gateway(
                    port=settings.listen_port,
                    process=process,
                    folder=folder,
                    validator=validator,
                    backend=backend,
                    apis=apis,
                )


def _hang() -> None:
    # Longer than any timeout of the gateway under test.
    threading.Event().wait(2)


def _validator_or_hang(table: PrefixTable[str], asked: Received) -> Answer:
    if asked.first("authorization") == "Bearer broken-hang":
        _hang()
    return _validator_answer(table, asked)


def _backend(received: Received) -> Answer:
    if received.target.startswith("/hang"):
        _hang()
    return echo(received)
