"""What the fakes of hosted identity providers share: a loopback listener, faults, routes, and the vendor's description.

A subclass adds routes. Every exchange without a queued fault is held against the descriptions; what they do not allow
is kept in ``undescribed``, which a test asserts to be empty.
"""

import re
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any, ClassVar, Self

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.faults import Fault, FaultQueue
from tests.fakes.listener import Listener, Outcome
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_descriptions import Description

Handler = Callable[..., Answer]
_LETTERS = string.ascii_letters + string.digits


class VendorServer:
    """A running fake; use as a context manager, or call ``stop``. ``clock``: epoch seconds."""

    # (method, operation) that the descriptions were trimmed of; nothing can be held against them.
    trimmed: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    # Statuses that the vendor gives and does not describe.
    undeclared: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self, *, clock: Callable[[], float] = time.time, descriptions: Iterable[Description | None] = ()
    ) -> None:
        self.clock = clock
        self.requests: list[Received] = []
        self.undescribed: list[str] = []
        self._descriptions = [description for description in descriptions if description is not None]
        self._routes: list[tuple[str, re.Pattern[str], str, Handler]] = []
        self._faults = FaultQueue()
        self._lock = threading.RLock()
        self._listener = Listener(self._handle)
        self.origin = f"http://127.0.0.1:{self._listener.port}"
        self.keys: list[RSAKey] = []
        self.token_issuer = ""
        self._listener.start()

    def route(self, method: str, pattern: str, operation: str, handler: Handler) -> None:
        """``pattern``: a path in which ``{}`` stands for one segment that the handler receives."""
        compiled = re.compile(re.escape(pattern).replace(r"\{\}", "([^/]+)") + "$")
        self._routes.append((method, compiled, operation, handler))

    def fault(self, operation: str, fault: Fault) -> None:
        """Queues a fault for the next calls of an operation; ``*`` means any operation."""
        with self._lock:
            self._faults.add(operation, fault)

    def requests_of(self, operation: str) -> list[Received]:
        """The requests received for an operation, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.operation == operation]

    def rotate_key(self, *, keep_old: bool = True) -> None:
        """Signs with a new key; without ``keep_old`` the old one leaves the JWKS."""
        key = _new_key() if self.keys else _first_key()
        with self._lock:
            self.keys = [key, *(self.keys if keep_old else [])]

    def signed(self, claims: Mapping[str, Any]) -> str:
        """A JWT of these claims; a claim ``None`` is left out."""
        if not self.keys:
            self.rotate_key()
        header = {"alg": "RS256", "typ": "JWT", "kid": self.keys[0].kid}
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, self.keys[0])

    def jwks(self, _: Received) -> Answer:
        """The public keys."""
        if not self.keys:
            self.rotate_key()
        return Answer.of({"keys": [key.as_dict(private=False) for key in self.keys]})

    def stop(self) -> None:
        """Stops listening."""
        self._listener.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def unknown(self, _: Received) -> Answer:
        """The answer to a path or method that is not there."""
        return Answer(status=404)

    def _handle(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Outcome:
        operation, handler, segments = self._find(method, path)
        request = Received(operation=operation, method=method, path=path, query=query, headers=headers, body=body)
        with self._lock:
            self.requests.append(request)
            fault = self._faults.take(operation)

        def run() -> Answer:
            with self._lock:
                try:
                    answer = handler(request, *segments)
                except Refused as exc:
                    answer = exc.answer
                silent = (method, operation) in self.trimmed or answer.status in self.undeclared
                judges = [] if silent else self._descriptions
                for description in judges:
                    self.undescribed.extend(description.faults(self.as_described(request), answer))
                return answer

        return Outcome(run=run, fault=fault)

    def as_described(self, request: Received) -> Received:
        """The request as it is held against the description; a subclass may leave out what no description can say."""
        return replace(request)

    def _find(self, method: str, path: str) -> tuple[str, Handler, Sequence[str]]:
        for wanted, pattern, operation, handler in self._routes:
            found = pattern.match(path)
            if wanted == method and found:
                return operation, handler, found.groups()
        return "unknown", self.unknown, ()


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(6), "use": "sig", "alg": "RS256"}, private=True)


@cache
def _first_key() -> RSAKey:
    """One for all fakes of a test run: making a key is slow."""
    return _new_key()


def random_id(length: int) -> str:
    """Letters and digits, as vendors make ids and secrets."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
