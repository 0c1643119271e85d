"""The loop of one worker: accepts connections, keeps their time, and ends them with the worker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from socket import AF_UNIX, socket
from typing import Final

from keymanager.validation.connection import Application, Connection, Patience, Surroundings

# Together with what the worker ends after it, shorter than its supervisor waits.
GRACE_SECONDS: Final = 1.0
_ABORT_SECONDS: Final = 0.2
_BACKLOG: Final = 1024
_POLL_SECONDS: Final = 0.02


async def serve(
    application: Application,
    *listening: socket,
    stop: asyncio.Event,
    patience: Patience | None = None,
    until_ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve the bound sockets, TCP or Unix, until ``stop`` is set, then answer what is asked already and hang up.

    ``until_ready``: nothing is accepted before it returns.
    """
    around = Surroundings(application, patience or Patience())
    around.date = _date_line()
    loop = asyncio.get_running_loop()
    servers = []
    for each in listening:
        create = loop.create_unix_server if each.family == AF_UNIX else loop.create_server
        servers.append(
            await create(lambda: Connection(around), sock=each, backlog=_BACKLOG, start_serving=until_ready is None)
        )
    clock = asyncio.create_task(_keep_time(around))
    if until_ready is not None:
        await until_ready()
        for server in servers:
            await server.start_serving()
    await stop.wait()
    around.stopping = True
    for server in servers:
        server.close()
    for connection in [*around.connections]:
        connection.stop()
    await _all_gone(around, GRACE_SECONDS)
    for connection in [*around.connections]:
        connection.abort()
    await _all_gone(around, _ABORT_SECONDS)
    clock.cancel()


async def _all_gone(around: Surroundings, seconds: float) -> None:
    """Return when there is no connection any more, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while around.connections and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)


async def _keep_time(around: Surroundings) -> None:
    while True:
        await asyncio.sleep(1)
        around.tick += 1
        around.date = _date_line()
        for connection in [*around.connections]:
            connection.overdue()


def _date_line() -> bytes:
    """RFC 9110 section 6.6.1; once a second is as exact as the header can say."""
    return f"date: {formatdate(usegmt=True)}\r\n".encode()
