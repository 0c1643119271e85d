"""RSA keys that were made before: making one takes a twentieth of a second, and thousands of tests need some."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Make = Callable[[int], RSAPrivateKey]


class ReadyKeys:
    """The keys of one process. Within a test each is another one; the next test gets the same again.

    What lives longer than a test (a key of a module, a server of a class) is made outside of ``one_test``: it is new.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._made: dict[int, list[RSAPrivateKey]] = {}
        self._taken: dict[int, int] | None = None
        self._lock = threading.Lock()

    def take(self, size: int) -> RSAPrivateKey:
        """A key of ``size`` bits that this test has not yet."""
        with self._lock:
            if self._taken is None:
                return self._make(size)
            made, turn = self._made.setdefault(size, []), self._taken.get(size, 0)
            if turn == len(made):
                made.append(self._make(size))
            self._taken[size] = turn + 1
            return made[turn]

    @contextmanager
    def one_test(self) -> Iterator[None]:
        """Keys are taken from those at hand until the test ends."""
        self._taken = {}
        try:
            yield
        finally:
            self._taken = None
