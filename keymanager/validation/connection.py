"""One connection of the validator's server: HTTP/1.1 (RFC 9112), as much of it as a gateway's question needs.

Why not a general server: docs/adr/0004.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Protocol, cast

import httptools

from keymanager.validation.http_messages import Answer, Request, answer

logger = logging.getLogger(__name__)

# More than the gateway lets a caller send: one message, headers and (unread) body.
LONGEST_MESSAGE: Final = 65_536
_QUEUED: Final = 8

_MALFORMED: Final = answer(400, [("content-type", "text/plain")], "The request is not HTTP/1.1 as RFC 9112 has it.\n")
_UNREADABLE: Final = answer(400, [("content-type", "text/plain")], "Transfer-Encoding is not read here.\n")
_TOO_LARGE: Final = answer(431, [("content-type", "text/plain")], "The request is too large.\n")
_BROKEN: Final = answer(500, [("content-type", "text/plain")], "The validator failed.\n")


class Application(Protocol):
    """Who answers. Awaitable only when somebody must be asked: what is known costs no task."""

    def answer(self, request: Request, /) -> Answer | Awaitable[Answer]:
        """The answer to one request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a peer has: to send one message or read its answers, and to stay silent between two."""

    arrival: int = 10
    idle: int = 75  # longer than the gateway's own, so that the gateway is the one who hangs up


class Surroundings:
    """What all connections of one worker share. ``tick``: seconds since the start; ``date``: the line for answers."""

    def __init__(self, application: Application, patience: Patience) -> None:
        self.application = application
        self.patience = patience
        self.connections: set[Connection] = set()
        self.tick = 0
        self.date = b""
        self.stopping = False


class _Message:
    """A request with what its connection must know to answer it; ``ready`` is an answer of the server's own."""

    __slots__ = ("keep", "ready", "request")

    def __init__(self, request: Request, keep: bool, ready: Answer | None = None) -> None:
        self.request = request
        self.keep = keep
        self.ready = ready


class Connection(asyncio.Protocol):
    """Reads requests and answers them in their order. One that cannot be read is the last."""

    __slots__ = (
        "_around", "_blocked", "_credentials", "_ended", "_fields", "_parser", "_queue", "_refused", "_since", "_size",
        "_task", "_transport", "_url",
    )  # fmt: skip

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[_Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._url = b""
        self._credentials: list[str] = []
        self._fields: list[tuple[bytes, bytes]] = []
        self._size = 0  # bytes of the message that has not arrived whole
        self._since = around.tick
        self._blocked = False
        self._ended = False  # nothing more is read
        self._refused: Answer | None = None

    # --- called by the event loop -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast(asyncio.Transport, transport)
        self._around.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for answers any more."""
        self._around.connections.discard(self)
        self._ended = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The peer does not read its answers: no more questions are taken from it."""
        self._blocked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._blocked = False
        self._since = self._around.tick
        self._read_on()

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._ended:
            return
        if not self._size:
            self._since = self._around.tick
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was answered as if it had asked for nothing; what follows is in another protocol.
            self._end()
        except httptools.HttpParserError as exc:
            if self._refused is None and isinstance(exc, httptools.HttpParserCallbackError):
                logger.error("A request could not be answered", exc_info=exc)
            self._last(self._refused or _MALFORMED)
        else:
            if self._size > LONGEST_MESSAGE:
                self._last(_TOO_LARGE)

    # --- called by the parser ---------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        name = name.lower()
        if name == b"authorization":
            self._credentials.append(value.decode("latin-1"))
        elif name == b"transfer-encoding":
            self._refused = _UNREADABLE
            raise ValueError("a body without a length")
        else:
            self._fields.append((name, value))

    def on_message_complete(self) -> None:
        """A whole request; its body, if it has one, was not looked at."""
        if self._ended:
            return
        parser = self._parser
        request = Request(
            parser.get_method().decode("ascii"), self._url.decode("latin-1"), self._credentials, self._fields
        )
        self._url = b""
        self._credentials = []
        self._fields = []
        self._size = 0
        keep = parser.should_keep_alive()
        if not keep and parser.get_http_version() == "0.9":
            self._last(_MALFORMED)
            return
        self._take(_Message(request, keep))

    # --- answering --------------------------------------------------------------------------------------------------

    def _take(self, message: _Message) -> None:
        if self._task is not None:
            self._queue.append(message)
            if len(self._queue) >= _QUEUED:
                self._transport.pause_reading()
            return
        found = self._answer(message)
        if isinstance(found, Answer):
            self._write(message, found)
        else:
            self._task = asyncio.ensure_future(self._later(message, found))

    def _answer(self, message: _Message) -> Answer | Awaitable[Answer]:
        if message.ready is not None:
            return message.ready
        if message.request.target.startswith("/statz"):
            peer = self._transport.get_extra_info("peername")
            message.request.client = peer[0] if peer else ""
        try:
            return self._around.application.answer(message.request)
        except Exception:
            logger.exception("A request could not be answered")
            return _BROKEN

    async def _later(self, message: _Message, waiting: Awaitable[Answer]) -> None:
        """Answer one that has to wait, then those that came meanwhile."""
        found: Answer | Awaitable[Answer] = waiting
        while True:
            if not isinstance(found, Answer):
                try:
                    found = await found
                except Exception:
                    logger.exception("A request could not be answered")
                    found = _BROKEN
            self._write(message, found)
            if not self._queue:
                break
            message = self._queue.popleft()
            found = self._answer(message)
        self._task = None
        if self._ended:
            self._transport.close()
        else:
            self._read_on()

    def _write(self, message: _Message, found: Answer) -> None:
        around = self._around
        keep = message.keep and not around.stopping
        body = b"" if message.request.method == "HEAD" else found.body
        head = found.head + around.date + (b"\r\n" if keep else b"connection: close\r\n\r\n")
        self._transport.write(head + body)
        if not keep:
            self._queue.clear()
            self._end()

    def _read_on(self) -> None:
        if not (self._blocked or self._ended or len(self._queue) >= _QUEUED or self._transport.is_closing()):
            self._transport.resume_reading()

    def _last(self, found: Answer) -> None:
        """Answer what came before, then this, then hang up."""
        if self._ended:
            return
        self._take(_Message(Request("", "", [], []), False, found))
        self._end()

    def _end(self) -> None:
        """Read nothing more; hang up when everything is answered."""
        self._ended = True
        if self._task is None:
            self._transport.close()

    # --- called by the worker ---------------------------------------------------------------------------------------

    def overdue(self) -> None:
        """Hang up on a peer that is too slow, or has been silent for long. Called once a second."""
        waited = self._around.tick - self._since
        if self._size or self._blocked or self._ended:
            if self._task is None and waited > self._around.patience.arrival:
                self._transport.abort()
        elif self._task is None and waited > self._around.patience.idle:
            self._transport.close()

    def stop(self) -> None:
        """Take no more requests; what is being answered is answered."""
        self._end()

    def abort(self) -> None:
        """Hang up at once."""
        self._transport.abort()
