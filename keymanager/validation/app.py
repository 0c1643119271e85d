"""The validator's HTTP face, as the gateway asks it: see ``common.gateway_contract``.

``<method> /check?<path>`` or ``<method> /check<path>`` with the caller's headers; either comes through byte for byte.
"""

import json
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from django.conf import settings

from common.gateway_contract import CHECK_PREFIX, ENVIRONMENT_HEADER, PRODUCTION, SANDBOX
from keymanager.validation.answers import new_reference, refusal
from keymanager.validation.codes import Code
from keymanager.validation.http_messages import Answer, Headers, Request, answer
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.step import Call, VerdictEntry, failed
from keymanager.validation.verdicts import refused_call

if TYPE_CHECKING:
    from keymanager.validation.runtime import Runtime

_JSON: Final[Headers] = [("content-type", "application/json"), ("cache-control", "no-store")]
_ENVIRONMENT: Final[dict[str, Headers]] = {name: [(ENVIRONMENT_HEADER, name)] for name in (PRODUCTION, SANDBOX)}
_ALLOWED: Final = {name: answer(200, headers) for name, headers in _ENVIRONMENT.items()}
_LOOPBACK: Final = ("127.", "::1")
_STALE: Final = failed("validator", Code.VALIDATOR_STALE, "The validator could not compare with its database lately.")
_STARTING: Final = failed("validator", Code.VALIDATOR_STARTING, "The validator has not read its database yet.")
_NOTHING: Final = Snapshot()
_START: Final = len(CHECK_PREFIX)


def raw_target(target: str) -> str:
    """The gateway path of a check, with its escapes and its query."""
    return target[_START:].removeprefix("?")


class ValidatorApp:
    """Answers for one ``Runtime``."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._follower = runtime.follower
        self._decide = runtime.decider.decide
        self._portal_url: str = settings.ARCHWAY_PUBLIC_URL

    def answer(self, request: Request, /) -> Answer | Awaitable[Answer]:
        """The answer to one request; awaitable only when somebody must be asked about the token."""
        if not request.target.startswith(CHECK_PREFIX):
            return self._other(request)
        snapshot = self._follower.snapshot
        call = Call(snapshot or _NOTHING, request.method, raw_target(request.target), request.credentials, request)
        if snapshot is None:
            return self._refuse(call, _STARTING)
        if not self._follower.fresh():
            return self._refuse(call, _STALE)
        entry = self._decide(call)
        if entry is None or isinstance(entry, VerdictEntry):
            return self._said(call, entry)
        return self._patiently(call, entry)

    async def _patiently(self, call: Call, waiting: Awaitable[VerdictEntry | None]) -> Answer:
        """Time passes while somebody is asked: what was read before it may not be true any more."""
        entry = await waiting
        if entry is None and (not self._follower.fresh() or self._follower.snapshot is not call.facts):
            entry = _STALE
        return self._said(call, entry)

    def _said(self, call: Call, entry: VerdictEntry | None) -> Answer:
        if entry is not None:
            return self._refuse(call, entry)
        if call.answer_headers is None:
            return _ALLOWED[call.environment]
        return answer(200, _ENVIRONMENT[call.environment] + call.answer_headers)

    def _refuse(self, call: Call, entry: VerdictEntry) -> Answer:
        reference = new_reference()
        status, headers, body = refusal(entry, reference, portal_url=self._portal_url)
        now = self._runtime.clock.now()
        entries = self._runtime.decider.verdict(call).entries if call.entries else (entry,)
        self._runtime.refusals.add(
            lambda: refused_call(reference=reference, call=call, entry=entry, entries=entries, now=now)
        )
        return answer(status, headers, body)

    def _other(self, request: Request) -> Answer:
        path = request.target.partition("?")[0]
        if path == "/healthz":
            ready = self._follower.snapshot is not None and self._follower.fresh()
            return answer(200 if ready else 503, _JSON, json.dumps({"ready": ready}))
        if path == "/statz" and request.client.startswith(_LOOPBACK):
            return answer(200, _JSON, json.dumps(self._runtime.statistics()))
        return answer(404, [])
