"""A small backend for the demo, a bookshop. Run: ``python -m portal.runner.sample_backend PORT``."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOOKS = [
    {"id": 1, "title": "The Left Hand of Darkness", "author": "Ursula K. Le Guin"},
    {"id": 2, "title": "Invisible Cities", "author": "Italo Calvino"},
    {"id": 3, "title": "The Summer Book", "author": "Tove Jansson"},
]


class Bookshop(BaseHTTPRequestHandler):
    """Answers ``/books``, ``/books/{id}`` and ``/status``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Read books."""
        path = self.path.partition("?")[0].rstrip("/")
        if path.endswith("/status"):
            self._answer(200, {"status": "open"})
        elif path.endswith("/books"):
            self._answer(200, {"books": BOOKS, "environment": self.headers.get("X-Backend-Environment", "")})
        else:
            found = [book for book in BOOKS if path.endswith(f"/books/{book['id']}")]
            self._answer(200 if found else 404, found[0] if found else {"error": "no such book"})

    def do_POST(self) -> None:
        """Order a book; nothing is kept."""
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self._answer(201, {"ordered": True})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silent: the gateway is what is looked at."""


def main() -> None:
    """Serve on loopback until ended."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Bookshop).serve_forever()


if __name__ == "__main__":
    main()
