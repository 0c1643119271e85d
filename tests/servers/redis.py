"""A throwaway Redis: nothing is saved, loopback only."""

from pathlib import Path

from tests.servers.process import ServerProcess, accepts_connections, require_program


class RedisServer(ServerProcess):
    """A running Redis; ``url`` is what ``redis.from_url`` and Celery's broker setting take."""

    def __init__(self, *, port: int, home: Path | None) -> None:
        super().__init__("redis", port=port, home=home)
        self.url = f"redis://127.0.0.1:{self.port}/0"


def start(*, port: int = 0, home: Path | None = None) -> RedisServer:
    """Starts redis-server on ``port`` (0: a free one) and returns when it accepts connections."""
    server = RedisServer(port=port, home=home)
    command: list[str | Path] = [
        require_program("redis-server"),
        *("--port", str(server.port), "--bind", "127.0.0.1", "--dir", str(server.home)),
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
    ]
    server.start(command, ready=lambda: accepts_connections(server.port))
    return server
