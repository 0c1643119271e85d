"""The HTTP side of a fake server: a thread per connection, keep-alive, and faults carried out on the wire."""

import contextlib
import socket
import sys
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.faults import Fault, Kind
from tests.fakes.messages import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What to do with one request: ``run`` does it and gives its answer; ``fault`` gets in the way."""

    run: Callable[[], Answer]
    fault: Fault | None = None


Handle = Callable[[str, str, str, dict[str, str], bytes], Outcome]


class Listener:
    """Listens on a free loopback port and passes (method, path, query, headers, body) to ``handle``."""

    def __init__(self, handle: Handle) -> None:
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.handle_call = handle
        self._server.stopping = self.stopping
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stops listening, closes every connection and waits for their threads. Repeatable."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the loop, which looks only now and then
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close waits for them, so that no socket is left to the garbage collector
    request_queue_size = 128
    handle_call: Handle
    stopping: threading.Event

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is part of the tests; anything else is a bug of the fake and must be seen."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are recorded, not printed."""

    def _serve(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        outcome = self.server.handle_call(self.command, parts.path, parts.query, headers, body)
        answer = self._carried_out(outcome)
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - the base class's names

    def _carried_out(self, outcome: Outcome) -> Answer | None:
        """The answer to send, ``None`` to drop the connection."""
        fault = outcome.fault
        if fault is None:
            return outcome.run()
        match fault.kind:
            case Kind.ANSWER_INSTEAD:
                return _answer_of(fault)
            case Kind.DROP_BEFORE:
                return None
            case Kind.DROP_AFTER:
                outcome.run()
                return None
            case Kind.ANSWER_AFTER:
                outcome.run()
                return _answer_of(fault)
            case Kind.HANG_BEFORE:
                stopped = self.server.stopping.wait(fault.seconds)
                return None if stopped else outcome.run()
            case Kind.HANG_INSTEAD:
                self.server.stopping.wait(fault.seconds)
                return None
            case Kind.HANG_AFTER:
                answer = outcome.run()
                self.server.stopping.wait(fault.seconds)
                return answer
            case Kind.ALTER_ANSWER:
                answer = outcome.run()
                body = answer.body if fault.body is None else fault.body
                return replace(answer, body=body, content_type=fault.content_type or answer.content_type)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _answer_of(fault: Fault) -> Answer:
    return Answer(status=fault.status, body=fault.body or b"", content_type=fault.content_type, headers=fault.headers)
