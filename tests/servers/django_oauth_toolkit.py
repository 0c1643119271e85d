"""A real django-oauth-toolkit 3.4 in a process of its own: registration on, opaque tokens, one list of scopes.

It is the package that Archway embeds, here as somebody else's server: with its own settings and none of the changes
that the embedded one has. A scope that is not in its settings is refused; every client may ask for any scope that is.
"""

import sys
from pathlib import Path

from tests.servers.process import ServerProcess
from tests.servers.readiness import answers
from tests.servers.toolkit.project import GATEWAY, INITIAL_ACCESS_TOKEN

PROJECT = Path(__file__).resolve().parent / "toolkit" / "project.py"


class ToolkitServer(ServerProcess):
    """A running django-oauth-toolkit."""

    initial_access_token = INITIAL_ACCESS_TOKEN
    gateway_client_id, gateway_client_secret = GATEWAY

    def __init__(self, *, port: int, home: Path | None) -> None:
        super().__init__("django-oauth-toolkit", port=port, home=home)
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        self.discovery_url = f"{self.issuer}/.well-known/openid-configuration"


def start(*, port: int = 0, home: Path | None = None) -> ToolkitServer:
    """Starts one on ``port`` (0: a free one); returns when its discovery document is served.

    Raises ``ServerDidNotStart`` when it does not come up.
    """
    server = ToolkitServer(port=port, home=home)
    command: list[str | Path] = [sys.executable, PROJECT, str(server.port), server.home]
    server.start(command, ready=lambda: answers(server.discovery_url), seconds=60.0)
    return server
