"""What the fakes of hosted identity providers share: routes by pattern, and keys that sign their tokens."""

import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.fake_server import FakeServer, Run
from tests.fakes.messages import Answer, Received

Handler = Callable[..., Answer]
_LETTERS = string.ascii_letters + string.digits


class VendorServer(FakeServer):
    """A fake whose subclass adds routes. ``clock``: epoch seconds."""

    def __init__(
        self, *, clock: Callable[[], float] = time.time, descriptions: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(descriptions=descriptions)
        self.clock = clock
        self._routes: list[tuple[str, re.Pattern[str], str, Handler]] = []
        self.origin = self._open(self._find)
        self.keys: list[RSAKey] = []
        self.token_issuer = ""
        self._start()

    def route(self, method: str, pattern: str, operation: str, handler: Handler) -> None:
        """``pattern``: a path in which ``{}`` stands for one segment that the handler receives."""
        compiled = re.compile(re.escape(pattern).replace(r"\{\}", "([^/]+)") + "$")
        self._routes.append((method, compiled, operation, handler))

    def rotate_key(self, *, keep_old: bool = True) -> None:
        """Signs with a new key; without ``keep_old`` the old one leaves the JWKS."""
        key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(6), "use": "sig", "alg": "RS256"}, private=True)
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

    def unknown(self, _: Received) -> Answer:
        """The answer to a path or method that is not there."""
        return Answer(status=404)

    def _find(self, method: str, path: str) -> tuple[str, Run]:
        for wanted, pattern, operation, handler in self._routes:
            found = pattern.match(path)
            if wanted == method and found:
                return operation, partial(_with_segments, handler, found.groups())
        return "unknown", self.unknown


def _with_segments(handler: Handler, segments: tuple[str, ...], request: Received) -> Answer:
    return handler(request, *segments)


def random_id(length: int) -> str:
    """Letters and digits, as vendors make ids and secrets."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
