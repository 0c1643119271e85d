"""One worker process of the validator: ``python -m keymanager.validation.worker``, started by its supervisor.

Standard input is a pipe that the supervisor holds open: when it ends, the supervisor is gone, and so is the worker.
"""

import argparse
import asyncio
import gc
import os
import resource
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

import django
import uvloop

from keymanager.validation.serving import serve
from keymanager.validation.shared_port import shared_socket

if TYPE_CHECKING:
    from keymanager.validation.runtime import Runtime

# How long a worker that follows another waits for its own knowledge before it takes calls all the same.
_PATIENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_OPEN_FILES: Final = 65_536


def main(arguments: list[str]) -> None:
    """Serve until a signal or the supervisor's end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--inherited", type=int, action="append", default=[], help="a bound socket's descriptor")
    parser.add_argument("--when-ready", action="store_true", help="accept nothing before the database was read")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    _allow_many_connections()
    inherited = [socket.socket(fileno=number) for number in options.inherited]
    uvloop.run(_run(options.host, options.port, inherited, when_ready=options.when_ready))


async def _run(host: str, port: int, inherited: list[socket.socket], *, when_ready: bool) -> None:
    from keymanager.validation.app import ValidatorApp
    from keymanager.validation.runtime import Runtime

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), stop.set)  # nothing is ever written there: readable means the end
    runtime = Runtime()
    runtime.start()
    # What is loaded by now stays for good: looking through it again and again would cost every call a little.
    gc.freeze()
    try:
        with shared_socket(host, port) as listening:
            await serve(
                ValidatorApp(runtime),
                listening,
                *inherited,
                stop=stop,
                until_ready=(lambda: _ready(runtime, stop)) if when_ready else None,
            )
    finally:
        runtime.stop()


async def _ready(runtime: "Runtime", stop: asyncio.Event) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (runtime.follower.fresh() or stop.is_set()) and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
