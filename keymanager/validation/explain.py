"""What the gateway would say to a call, without making it: for ``/introspect`` and for people who ask why."""

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from common.clock import SystemClock
from keymanager.adapters.contract import Clock
from keymanager.validation.backend_jwt import NoBackendJwt
from keymanager.validation.codes import Code
from keymanager.validation.configured_adapters import ConfiguredAdapters
from keymanager.validation.database_facts import DatabaseFacts
from keymanager.validation.decider import Decider
from keymanager.validation.limits import NothingCounted
from keymanager.validation.resolved import BadToken, GoodToken, NoAnswer, Resolved
from keymanager.validation.resolver import AdapterSource, TokenResolver
from keymanager.validation.services import StepServices
from keymanager.validation.step import Call, Verdict, VerdictEntry
from keymanager.validation.steps import load_steps
from keymanager.validation.token_sources import DirectTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Verdict):
    """A verdict with what it is about, as far as the steps came. Absent things are ""."""

    api_version_id: str = ""
    application_id: str = ""
    application_name: str = ""
    key_manager: str = ""
    client_id: str = ""
    subscription_state: str = ""
    plan: str = ""


class Explainer:
    """Decides by the same steps from the database. The plan's limit is not used up, nothing is signed or stored."""

    def __init__(self, adapters: AdapterSource, clock: Clock) -> None:
        self._resolver = TokenResolver(adapters, clock)
        services = StepServices(
            clock=clock,
            tokens=DirectTokens(self._resolver),
            limits=NothingCounted(),
            backend_jwts=NoBackendJwt(),
        )
        self._decider = Decider(load_steps(settings.ARCHWAY_VALIDATION_STEPS, services))

    def token(self, token: str) -> Resolved:
        """What key managers and we know of a token, whatever it is used for. Revoked through us is bad."""
        facts = DatabaseFacts()
        if facts.is_revoked(hashlib.sha256(token.encode()).digest()):
            return BadToken(code=Code.TOKEN_REVOKED, reason="The token was revoked.")
        return self._resolver.resolve(token, facts, None)

    def call(self, *, token: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> Explanation:
        """Judge ``method`` on a gateway path with a bearer token ("" for none). Call it outside an event loop."""
        credentials = [f"Bearer {token}"] if token else []
        call = Call(DatabaseFacts(), method.upper(), path, credentials, headers or {})
        result = self._decider.decide(call)
        if result is not None and not isinstance(result, VerdictEntry):
            _wait_for(result)
        verdict = self._decider.verdict(call)
        return Explanation(
            allowed=verdict.allowed,
            entries=verdict.entries,
            environment=verdict.environment,
            answer_headers=verdict.answer_headers,
            api_version_id=call.route.api_version_id if call.route else "",
            application_id=call.application.uuid if call.application else "",
            application_name=call.application.name if call.application else "",
            key_manager=call.key_manager.slug if call.key_manager else "",
            client_id=call.credential.client_id if call.credential else "",
            subscription_state=call.subscription.state.value if call.subscription else "",
            plan=call.plan.slug if call.plan else "",
        )


def _wait_for(waiting: Awaitable[VerdictEntry | None]) -> None:
    """Our own steps answer at once here; a step of an extension may still want an event loop of its own."""

    async def run() -> None:
        await waiting

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, run()).result()


@cache
def explainer() -> Explainer:
    """This process's explainer; keys and adapters are kept by key manager and revision."""
    return Explainer(ConfiguredAdapters(), SystemClock())


def explain_call(*, token: str, context: str, version: str, method: str, path: str) -> Explanation:
    """What the gateway would say to ``method`` on ``path`` of the API version at ``context/version`` with ``token``."""
    return explainer().call(token=token, method=method, path=f"{context}/{version}{path}")


def explain_token(token: str) -> GoodToken | BadToken | NoAnswer:
    """Whether a token is good, by the validator's own rules (signature, times, introspection, our revocations)."""
    return explainer().token(token)
