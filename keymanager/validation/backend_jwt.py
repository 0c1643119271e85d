"""The backend JWT: what the gateway tells an API's backend about the caller, signed by us (``X-JWT-Assertion``)."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Final, Protocol

from django.db import close_old_connections

from keymanager.adapters.claims import claim_at
from keymanager.adapters.contract import Clock
from keymanager.validation.facts import ApplicationFacts, Id, PlanFacts, Route, UserFacts
from keymanager.validation.signing import Signer, SigningKeys
from keymanager.validation.step import Call
from subscriptions.rules import OWN_CLAIMS

LIFETIME_SECONDS: Final = 300
REUSE_SECONDS: Final = 30
_KEPT: Final = 10_000

_About = tuple[Route, ApplicationFacts, PlanFacts | None, UserFacts | None]


class BackendJwtSource(Protocol):
    """Where the last step gets the JWT from."""

    def jwt_for(self, call: Call) -> str | Awaitable[str]:
        """The JWT of a validated call; awaitable when the signing key must be read first."""
        ...


class NoBackendJwt:
    """For explanations: nothing is signed."""

    def jwt_for(self, call: Call) -> str:
        """See ``BackendJwtSource``."""
        return ""


class BackendJwts:
    """Signs, and reuses a JWT for a short time for the same token, API, application and plan as they are now."""

    def __init__(
        self,
        *,
        keys: SigningKeys,
        clock: Clock,
        issuer: str,
        executor: Executor,
        after_load: Callable[[], None] = close_old_connections,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._executor = executor
        self._after_load = after_load
        self._kept: OrderedDict[tuple[bytes, Id], tuple[float, Signer, _About, str]] = OrderedDict()

    def jwt_for(self, call: Call) -> str | Awaitable[str]:
        """See ``BackendJwtSource``."""
        signer = self._keys.at_hand()
        if signer is None:
            return self._after_loading(call)
        return self._signed(call, signer)

    async def _after_loading(self, call: Call) -> str:
        return self._signed(call, await asyncio.get_running_loop().run_in_executor(self._executor, self._load))

    def _load(self) -> Signer:
        try:
            return self._keys.load()
        finally:
            self._after_load()

    def _signed(self, call: Call, signer: Signer) -> str:
        if call.route is None or call.application is None:
            raise ValueError("A backend JWT is about a call with an API and an application.")
        now = self._clock.now()
        key = (call.digest, call.route.id)
        about = (call.route, call.application, call.plan, call.user)
        kept = self._kept.get(key)
        # Facts are replaced when their row changes, so the same objects mean that nothing changed.
        if kept is not None and kept[0] > now and kept[1] is signer and all(a is b for a, b in zip(kept[2], about)):  # noqa: B905
            return kept[3]
        claims = claims_of(call, issuer=self._issuer, now=now)
        text = signer.sign(claims)
        self._kept[key] = (min(now + REUSE_SECONDS, claims["exp"]), signer, about, text)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return text


def claims_of(call: Call, *, issuer: str, now: float) -> dict[str, Any]:
    """The claims: registered names of RFC 7519 and RFC 8693 where there are some, our own words else.

    ``exp`` is never later than the access token's own. ``sub`` is the end user where the token names one, else the
    client.
    """
    route, application, facts, credential, key_manager = (
        call.route, call.application, call.token_facts, call.credential, call.key_manager,
    )  # fmt: skip
    if route is None or application is None or facts is None or credential is None or key_manager is None:
        raise ValueError("A backend JWT is about a validated call.")
    expires = int(now) + LIFETIME_SECONDS
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": route.api_version_id,
        "iat": int(now),
        "exp": min(expires, facts.exp) if facts.exp is not None else expires,
        "sub": facts.sub or credential.client_id,
        "client_id": credential.client_id,
        "key_manager": key_manager.slug,
        "environment": credential.environment.value,
        "scope": " ".join(sorted(facts.scopes)),
        "application": {"id": application.uuid, "name": application.name},
        "api": {
            "id": route.api_version_id,
            "name": route.name,
            "context": route.context,
            "version": route.version,
        },
    }
    if call.plan is not None:
        claims["plan"] = call.plan.slug
    if facts.username:
        claims["username"] = facts.username
    if call.user is not None and route.user_claims:
        claims |= _user_claims(route.user_claims, call.user)
    return claims


def _user_claims(wanted: Mapping[str, str], user: UserFacts) -> dict[str, Any]:
    """The claims that the API asks for and the user has; they never stand in for ours."""
    found = {name: claim_at(user.claims, source) for name, source in wanted.items() if name not in OWN_CLAIMS}
    return {name: value for name, value in found.items() if value is not None}
