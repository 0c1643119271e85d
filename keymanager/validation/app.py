"""The validator's HTTP face (RSGI), as the gateway asks it: see ``common.gateway_contract``.

``<method> /check<path>`` with the caller's headers. The server hands the path over with its escapes resolved, so it is
escaped again before it is judged: the same bytes, but for an escaped slash, which the gateway rejects. A gateway that
cannot reject it asks ``/check?<path>``, which comes through byte for byte.
"""

import asyncio
import json
import re
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings

from common.gateway_contract import CHECK_PREFIX, ENVIRONMENT_HEADER, PRODUCTION, SANDBOX
from keymanager.validation.answers import Headers, new_reference, refusal
from keymanager.validation.codes import Code
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.step import Call, VerdictEntry, failed
from keymanager.validation.verdicts import refused_call

if TYPE_CHECKING:
    from keymanager.validation.runtime import Runtime

_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_SAFE: Final = "-._~!$&'()*+,;=:@/"
_JSON: Final[Headers] = [("content-type", "application/json"), ("cache-control", "no-store")]
_ALLOWED: Final[dict[str, Headers]] = {name: [(ENVIRONMENT_HEADER, name)] for name in (PRODUCTION, SANDBOX)}
_STALE: Final = failed("validator", Code.VALIDATOR_STALE, "The validator could not compare with its database lately.")
_STARTING: Final = failed("validator", Code.VALIDATOR_STARTING, "The validator has not read its database yet.")
_NOTHING: Final = Snapshot()
_START: Final = len(CHECK_PREFIX)


def raw_target(path: str, query: str) -> str:
    """The gateway path of a check, with its escapes."""
    rest = path[_START:]
    if not rest and query.startswith("/"):
        return query
    return rest if _PLAIN.fullmatch(rest) else quote(rest, safe=_SAFE, errors="surrogatepass")


class ValidatorApp:
    """Serves one ``Runtime``."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._follower = runtime.follower
        self._decide = runtime.decider.decide
        self._portal_url: str = settings.ARCHWAY_PUBLIC_URL

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server before the first request."""
        self._runtime.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server after the last request."""
        self._runtime.stop()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """One request."""
        path = scope.path
        if not path.startswith(CHECK_PREFIX):
            self._other(scope, protocol)
            return
        headers = scope.headers
        snapshot = self._follower.snapshot
        call = Call(
            snapshot or _NOTHING,
            scope.method,
            raw_target(path, scope.query_string),
            headers.get_all("authorization"),
            headers,
        )
        if snapshot is None:
            self._refuse(call, _STARTING, protocol)
            return
        if not self._follower.fresh():
            self._refuse(call, _STALE, protocol)
            return
        entry = self._decide(call)
        if entry is not None and not isinstance(entry, VerdictEntry):
            entry = await self._patiently(call, entry)
        if entry is not None:
            self._refuse(call, entry, protocol)
        elif call.answer_headers is None:
            protocol.response_empty(200, _ALLOWED[call.environment])
        else:
            protocol.response_empty(200, _ALLOWED[call.environment] + call.answer_headers)

    async def _patiently(self, call: Call, waiting: Awaitable[VerdictEntry | None]) -> VerdictEntry | None:
        """Time passes while somebody is asked: what was read before it may not be true any more."""
        entry = await waiting
        if entry is None and (not self._follower.fresh() or self._follower.snapshot is not call.facts):
            return _STALE
        return entry

    def _refuse(self, call: Call, entry: VerdictEntry, protocol: Any) -> None:
        reference = new_reference()
        status, headers, body = refusal(entry, reference, portal_url=self._portal_url)
        now = self._runtime.clock.now()
        entries = self._runtime.decider.verdict(call).entries if call.entries else (entry,)
        self._runtime.refusals.add(
            lambda: refused_call(reference=reference, call=call, entry=entry, entries=entries, now=now)
        )
        protocol.response_str(status, headers, body)

    def _other(self, scope: Any, protocol: Any) -> None:
        if scope.path == "/healthz":
            ready = self._follower.snapshot is not None and self._follower.fresh()
            protocol.response_str(200 if ready else 503, _JSON, json.dumps({"ready": ready}))
        elif scope.path == "/statz" and scope.client.startswith(("127.", "[::1]", "::1")):
            protocol.response_str(200, _JSON, json.dumps(self._runtime.statistics()))
        else:
            protocol.response_empty(404, [])
