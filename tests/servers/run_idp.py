"""Runs one identity provider in the foreground: ``python -m tests.servers.run_idp keycloak [--port 8180] [--home F]``.

It prints how to add it to Archway as a key manager, and ends on Ctrl-C or SIGTERM. ``--key-manager F`` writes that
into a file, for the demo.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import glewlwyd, keycloak, mitreid, oidc_provider, openam
from tests.servers.process import ServerDidNotStart, ServerProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server, the key manager that it is to Archway, and what else a developer wants to know."""

    server: ServerProcess
    adapter: str
    config: Mapping[str, object]
    notes: str = ""


def run_keycloak(port: int, home: Path | None) -> Running:
    """Keycloak with the realm ``archway``."""
    server = keycloak.start(port=port, home=home)
    config = {
        "issuer": server.realm.issuer,
        "client_id": keycloak.KM_CLIENT_ID,
        "client_secret": keycloak.KM_CLIENT_SECRET,
    }
    notes = (
        f"Console {server.server_url}/admin/ (user {keycloak.ADMIN}, password {keycloak.ADMIN}); realm archway\n"
        f"Log-in client {keycloak.PORTAL_CLIENT_ID}, secret {keycloak.PORTAL_CLIENT_SECRET}; "
        "people: alice, bob, carol, root, password <name>-password"
    )
    return Running(server=server, adapter="keycloak", config=config, notes=notes)


def run_oidc_provider(port: int, home: Path | None) -> Running:
    """oidc-provider with opaque tokens."""
    server = oidc_provider.start(port=port, home=home)
    config = {
        "preset": "oidc-provider",
        "issuer": server.issuer,
        "initial_access_token": server.options.initial_access_token,
        "introspection_client_id": server.options.gateway_client_id,
        "introspection_client_secret": server.options.gateway_client_secret,
    }
    return Running(server=server, adapter="rfc", config=config)


def run_glewlwyd(port: int, home: Path | None) -> Running:
    """glewlwyd with JWTs."""
    server = glewlwyd.start(port=port, home=home)
    config = {
        "preset": "glewlwyd",
        "issuer": server.issuer,
        "registration_client_id": server.options.dcr_client_id,
        "registration_client_secret": server.options.dcr_client_secret,
        "introspection_client_id": server.options.gateway_client_id,
        "introspection_client_secret": server.options.gateway_client_secret,
        "admin_url": server.admin_url,
        "admin_api_key": server.admin_api_key,
    }
    return Running(server=server, adapter="rfc", config=config)


def run_openam(port: int, home: Path | None) -> Running:
    """OpenAM with opaque tokens, set up anew."""
    server = openam.start(port=port, home=home)
    options = server.options
    config = {
        "issuer": server.issuer,
        "admin_user": options.admin_user,
        "admin_password": options.admin_password,
    }
    notes = f"Console {server.base_url}/console; person demo, password changeit"
    return Running(server=server, adapter="forgerock", config=config, notes=notes)


def run_mitreid(port: int, home: Path | None) -> Running:
    """MITREid Connect with what it is packed with."""
    server = mitreid.start(port=port, home=home)
    options = server.options
    config = {
        "preset": "mitreid",
        "issuer": server.issuer,
        "introspection_client_id": options.gateway_client_id,
        "introspection_client_secret": options.gateway_client_secret,
        "admin_url": server.admin_url,
        "admin_user": options.admin_user,
        "admin_password": options.admin_password,
    }
    return Running(server=server, adapter="rfc", config=config)


SERVERS: Mapping[str, Callable[[int, Path | None], Running]] = {
    "glewlwyd": run_glewlwyd,
    "keycloak": run_keycloak,
    "mitreid": run_mitreid,
    "oidc-provider": run_oidc_provider,
    "openam": run_openam,
}


def how_to_add(name: str, running: Running) -> str:
    """The call of Archway's REST API that adds it."""
    body = json.dumps({"slug": name, "name": name, "adapter": running.adapter, "config": running.config}, indent=2)
    return f"""{name} is ready. An administrator of Archway adds it by REST:

curl -H "Authorization: Bearer $(.venv/bin/python manage.py api_token admin)" -H "Content-Type: application/json" \\
  http://127.0.0.1:8000/api/v1/admin/key-managers/ -d '{body}'

{running.notes}
Ctrl-C stops it."""


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Runs one identity provider for a developer.")
    parser.add_argument("name", choices=sorted(SERVERS))
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--home", type=Path, help="keeps the server's data for the next start")
    parser.add_argument("--key-manager", type=Path, help="where to write adapter and config as JSON when it is ready")
    given = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        running = SERVERS[given.name](given.port, given.home)
    except ServerDidNotStart as exc:
        print(exc, file=sys.stderr)  # noqa: T201
        return 1
    with running.server:
        if given.key_manager:
            given.key_manager.touch(mode=0o600)
            given.key_manager.write_text(json.dumps({"adapter": running.adapter, "config": running.config}))
        print(how_to_add(given.name, running), flush=True)  # noqa: T201
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
