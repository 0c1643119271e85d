"""Calls that are each made exactly once, which ``wrk`` cannot do: for tokens that nobody has seen yet."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop

from bench.percentiles import times_of

CONNECTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: gateway path and access token."""

    path: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """What a load generator saw. Latencies in milliseconds; ``refused``: answers other than 200."""

    requests: int
    seconds: float
    refused: int
    p50: float
    p99: float


def drive_each_once(port: int, calls: Sequence[Call]) -> Driven:
    """Make the calls over ``CONNECTIONS`` connections to the loopback port."""
    started = time.monotonic()
    answers = uvloop.run(_all(port, calls))
    times = times_of([seconds for seconds, _ in answers])
    return Driven(
        requests=len(answers),
        seconds=time.monotonic() - started,
        refused=sum(status != 200 for _, status in answers),
        p50=times.p50,
        p99=times.p99,
    )


async def _all(port: int, calls: Sequence[Call]) -> list[tuple[float, int]]:
    waiting = iter(calls)
    found = await asyncio.gather(*(_connection(port, waiting) for _ in range(CONNECTIONS)))
    return [answer for answers in found for answer in answers]


async def _connection(port: int, waiting: Iterator[Call]) -> list[tuple[float, int]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for call in waiting:
        started = time.monotonic()
        writer.write(
            f"GET {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {call.token}\r\n\r\n".encode()
        )
        status = await _answer(reader)
        answers.append((time.monotonic() - started, status))
    writer.close()
    await writer.wait_closed()
    return answers


async def _answer(reader: asyncio.StreamReader) -> int:
    """Status of one answer, its body read (RFC 9112; gateway and backend always send Content-Length)."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split(" ")[1])
