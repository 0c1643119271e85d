"""The steps that judge the token itself: is it good, is it meant for us, may this API's callers come with it."""

import hashlib
from collections.abc import Awaitable

from keymanager.validation.codes import Code
from keymanager.validation.facts import KeyManagerFacts, Route
from keymanager.validation.resolved import BadToken, NoAnswer, Resolved
from keymanager.validation.services import StepServices
from keymanager.validation.step import Call, VerdictEntry, failed, passed, skipped

_NO_TOKEN = "The operation needs no token."


class TokenStep:
    """A good access token that was not revoked. Nobody's word is no word: an unreachable key manager is 503."""

    name = "token"

    def __init__(self, services: StepServices) -> None:
        self._tokens = services.tokens
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)

    def check(self, call: Call, /) -> VerdictEntry | Awaitable[VerdictEntry]:
        """Finds ``call.token_facts``, ``call.key_manager`` and ``call.user``."""
        route = call.route
        if call.open:
            return self._open
        if route is None:
            raise LookupError("no earlier step found the API")
        digest = call.digest = hashlib.sha256(call.token.encode()).digest()
        if call.facts.is_revoked(digest):
            return failed(self.name, Code.TOKEN_REVOKED, "The token was revoked.")
        answer = self._tokens.look_up(call.token, digest, route, call.facts)
        if isinstance(answer, Resolved):
            return self._judge(call, answer)
        return self._later(call, answer)

    async def _later(self, call: Call, lookup: Awaitable[Resolved]) -> VerdictEntry:
        answer = await lookup
        if call.facts.is_revoked(call.digest):
            return failed(self.name, Code.TOKEN_REVOKED, "The token was revoked.")
        return self._judge(call, answer)

    def _judge(self, call: Call, answer: Resolved) -> VerdictEntry:
        if isinstance(answer, BadToken):
            return failed(self.name, answer.code, answer.reason)
        if isinstance(answer, NoAnswer):
            return failed(
                self.name, Code.KEY_MANAGER_UNAVAILABLE, answer.reason, retry_after=max(1, answer.retry_after)
            )
        call.token_facts = answer.facts
        call.user = answer.user
        call.key_manager = call.facts.key_manager(answer.key_manager_id)
        return self._passed


class AudienceStep:
    """The token is meant for this API, where the API or the key manager names audiences (RFC 9068 section 4)."""

    name = "audience"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)
        self._any = skipped(self.name, "Neither the API nor the key manager names audiences.")

    def check(self, call: Call, /) -> VerdictEntry:
        """Reads ``call.token_facts`` and ``call.key_manager``."""
        if call.open:
            return self._open
        route, token, key_manager = call.route, call.token_facts, call.key_manager
        if route is None or token is None:
            raise LookupError("no earlier step found the token")
        demanded = _audiences_of(key_manager, route) if key_manager is not None else None
        if demanded is None and not route.audiences:
            return self._any
        if route.audiences and route.audiences.isdisjoint(token.aud):
            return self._refused(route.audiences, "the API")
        if demanded is not None and demanded.isdisjoint(token.aud):
            return self._refused(demanded, "the key manager's audience rule")
        return self._passed

    def _refused(self, wanted: frozenset[str], by: str) -> VerdictEntry:
        named = ", ".join(sorted(wanted))
        return failed(
            self.name, Code.AUDIENCE_MISMATCH, f"The token's audience is none of those that {by} names: {named}."
        )


def _audiences_of(key_manager: KeyManagerFacts, route: Route) -> frozenset[str] | None:
    """What ``aud`` must have one of by the key manager's rule; ``None`` without a rule."""
    if key_manager.audience_rule == "none":
        return None
    return key_manager.audiences if key_manager.audience_rule == "any_of" else frozenset({route.resource})


class KeyManagerStep:
    """The key manager behind the token is enabled, and the API accepts it."""

    name = "key_manager"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)

    def check(self, call: Call, /) -> VerdictEntry:
        """Reads ``call.key_manager``."""
        if call.open:
            return self._open
        key_manager, route = call.key_manager, call.route
        if key_manager is None or not key_manager.enabled:
            return failed(self.name, Code.KEY_MANAGER_DISABLED, "The token's key manager is disabled or removed.")
        if route is not None and route.accepted is not None and key_manager.id not in route.accepted:
            return failed(
                self.name,
                Code.KEY_MANAGER_NOT_ACCEPTED,
                f"{route.name} {route.version} does not accept tokens of {key_manager.slug}.",
            )
        return self._passed
