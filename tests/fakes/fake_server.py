"""What every fake server is: a loopback listener, queued faults, received requests, and the vendor's description.

A subclass says what a request is for (``find``); everything around that is here.
"""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from tests.fakes.faults import Fault, FaultQueue
from tests.fakes.listener import Listener, Outcome
from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.vendor_descriptions import Exchanges

Run = Callable[[Received], Answer]
Find = Callable[[str, str], tuple[str, Run]]


class FakeServer:
    """A running fake; use as a context manager, or call ``stop``. It serves one call at a time.

    ``descriptions``: the vendor's descriptions by name, with the path below which each holds.
    """

    def __init__(self, *, descriptions: Mapping[str, str] | None = None) -> None:
        self.requests: list[Received] = []
        self.exchanges = Exchanges(descriptions or {})
        self._faults = FaultQueue()
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []

    @property
    def undescribed(self) -> list[str]:
        """What the vendor's descriptions do not allow of what was exchanged so far."""
        return self.exchanges.faults

    def fault(self, operation: str, fault: Fault) -> None:
        """Queues a fault for the next calls of an operation; ``*`` means any operation."""
        with self._lock:
            self._faults.add(operation, fault)

    def clear_faults(self) -> None:
        """Forgets the faults that no call has used yet."""
        with self._lock:
            self._faults.clear()

    def requests_of(self, operation: str) -> list[Received]:
        """The requests received for an operation, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.operation == operation]

    def stop(self) -> None:
        """Stops listening and closes every connection, also those that hang. Repeatable."""
        for listener in self._listeners:
            listener.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open(self, find: Find) -> str:
        """Opens a port and returns its origin. It answers when ``_start`` is called."""
        listener = Listener(lambda *call: self._handle(find, *call))
        self._listeners.append(listener)
        return f"http://127.0.0.1:{listener.port}"

    def _start(self) -> None:
        for listener in self._listeners:
            listener.start()

    def _handle(self, find: Find, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Outcome:
        operation, run = find(method, path)
        request = Received(operation=operation, method=method, path=path, query=query, headers=headers, body=body)
        with self._lock:
            self.requests.append(request)
            fault = self._faults.take(operation)

        def locked() -> Answer:
            with self._lock:
                try:
                    answer = run(request)
                except Refused as exc:
                    answer = exc.answer
                self.exchanges.add(self.as_described(request), answer)
                return answer

        return Outcome(run=locked, fault=fault)

    def as_described(self, request: Received) -> Received:
        """The request as it is held against the description; a subclass may reword what no description can say."""
        return request
