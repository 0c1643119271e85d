"""A small world for validation tests: facts in memory, a key manager that signs or introspects, a clock to move."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from keymanager.adapters.contract import Capability, Introspection, KeyManagerAdapter
from keymanager.adapters.token_rules import TokenRules
from keymanager.validation.decider import Decider
from keymanager.validation.facts import (
    ApplicationFacts,
    CredentialFacts,
    KeyManagerFacts,
    OperationFacts,
    PlanFacts,
    Route,
    SubscriptionFacts,
)
from keymanager.validation.limits import WindowLimits
from keymanager.validation.matching import OperationMatcher
from keymanager.validation.resolver import TokenResolver
from keymanager.validation.services import StepServices
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.step import Call, Verdict, VerdictEntry
from keymanager.validation.steps import load_steps
from keymanager.validation.token_sources import DirectTokens
from keymanager.validation.users import UserSource
from portal import settings
from subscriptions.states import ApiState, Environment, SubscriptionState

ISSUER = "https://idp.example"
NOW = 1_800_000_000.0
SIGNING_KEY = RSAKey.generate_key(2048, {"kid": "one"})


class ManualClock:
    """Time that a test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.time


class AdapterInMemory(KeyManagerAdapter):
    """A key manager whose keys and answers a test sets. ``error`` is raised instead of any answer."""

    slug = "memory"
    label = "In memory"

    def __init__(self, token_validation: str = "jwt", **rules: Any) -> None:
        self.config = self.rules = TokenRules(token_validation=token_validation, **rules)
        self.keys: list[Mapping[str, Any]] = [public(SIGNING_KEY)]
        self.answers: dict[str, Introspection] = {}
        self.otherwise: Introspection | None = None
        self.error: Exception | None = None
        self.jwks_calls = 0
        self.introspections = 0

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        return frozenset({Capability.JWKS, Capability.INTROSPECT})

    @property
    def knows_opaque_tokens(self) -> bool:
        """Unless it issues JWTs alone."""
        return self.rules.token_validation != "jwt"

    def jwks(self) -> Mapping[str, Any]:
        """The keys of the moment."""
        self.jwks_calls += 1
        if self.error is not None:
            raise self.error
        return {"keys": self.keys}

    def introspect(self, token: str) -> Introspection:
        """The answer that was set for this token."""
        self.introspections += 1
        if self.error is not None:
            raise self.error
        return self.answers[token]


def public(key: RSAKey | ECKey | OKPKey) -> Mapping[str, Any]:
    """The public half as a JWK."""
    return {**key.as_dict(private=False), "kid": key.kid}


def token(
    key: RSAKey | ECKey | OKPKey = SIGNING_KEY, *, header: Mapping[str, Any] | None = None, **changes: Any
) -> str:
    """A JWT access token of the world's client; a claim that is ``None`` is left out."""
    claims: dict[str, Any] = {
        "iss": ISSUER, "client_id": "client-1", "scope": "read", "sub": "someone", "iat": int(NOW),
        "exp": int(NOW) + 600,
    }  # fmt: skip
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(
        {"alg": "RS256", "kid": key.kid, "typ": "at+jwt", **(header or {})},
        claims,
        key,
        algorithms=["RS256", "PS256", "ES256", "Ed25519", "HS256"],
    )


def key_manager(number: int = 1, **changes: Any) -> KeyManagerFacts:
    """Facts of a key manager."""
    values: dict[str, Any] = {
        "id": number, "slug": f"idp-{number}", "issuers": frozenset({ISSUER} if number == 1 else ()), "enabled": True,
        "revision": 1, "position": number,
    }  # fmt: skip
    return KeyManagerFacts(**{**values, **changes})


def route(number: int = 10, **changes: Any) -> Route:
    """Facts of the API /museum/1.0.0 with three operations."""
    operations = (
        OperationFacts(method="GET", path="/hours", scopes=frozenset(), needs_token=True),
        OperationFacts(method="POST", path="/tickets", scopes=frozenset({"write", "admin"}), needs_token=True),
        OperationFacts(method="GET", path="/open", scopes=frozenset(), needs_token=False),
    )
    values: dict[str, Any] = {
        "id": number, "api_id": "a", "api_version_id": "00000000-0000-0000-0000-00000000000a", "name": "Museum",
        "context": "/museum", "version": "1.0.0", "state": ApiState.PUBLISHED,
        "matcher": OperationMatcher((o.method, o.path, o) for o in operations), "audiences": frozenset(),
        "accepted": None, "has_production": True, "has_sandbox": True, "backend_jwt": False, "forward_token": False,
    }  # fmt: skip
    return Route(**{**values, **changes})


def subscription(**changes: Any) -> SubscriptionFacts:
    """Facts of application 20's subscription to API version 10."""
    values: dict[str, Any] = {
        "id": 30, "application_id": 20, "api_version_id": 10, "plan_id": 40, "state": SubscriptionState.UNBLOCKED,
    }  # fmt: skip
    return SubscriptionFacts(**{**values, **changes})


def plan(requests: int = 0, per_seconds: int = 0) -> PlanFacts:
    """Facts of plan 40."""
    return PlanFacts(id=40, slug="gold", name="Gold", requests=requests, per_seconds=per_seconds)


def credential(environment: Environment = Environment.PRODUCTION) -> CredentialFacts:
    """Facts of client-1."""
    return CredentialFacts(id=50, application_id=20, key_manager_id=1, client_id="client-1", environment=environment)


def application(active: bool = True) -> ApplicationFacts:
    """Facts of application 20."""
    return ApplicationFacts(id=20, uuid="00000000-0000-0000-0000-000000000014", name="App", active=active)


def snapshot() -> Snapshot:
    """One API, key manager, application, client, subscription and plan without a limit."""
    facts = Snapshot()
    facts.put_plans([plan()])
    facts.put_key_managers([key_manager()])
    facts.put_routes([route()])
    facts.put_applications([application()])
    facts.put_credentials([credential()])
    facts.put_subscriptions([subscription()])
    return facts


class Signs:
    """A backend JWT source that a test can read."""

    def jwt_for(self, call: Call) -> str:
        """A made-up JWT."""
        return "signed.for." + (call.application.name if call.application else "")


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that a decision needs, in one thread."""

    clock: ManualClock = field(default_factory=ManualClock)
    adapters: dict[int, AdapterInMemory] = field(default_factory=lambda: {1: AdapterInMemory()})
    facts: Snapshot = field(default_factory=snapshot)
    limits: WindowLimits = field(default_factory=WindowLimits)
    users: UserSource | None = None
    step_names: list[str] = field(default_factory=lambda: list(settings.ARCHWAY_VALIDATION_STEPS))

    def adapter(self, key_manager: KeyManagerFacts) -> KeyManagerAdapter:
        """``AdapterSource``."""
        return self.adapters[key_manager.id]

    def services(self) -> StepServices:
        """What steps share."""
        return StepServices(
            clock=self.clock,
            tokens=DirectTokens(TokenResolver(self, self.clock, users=self.users)),
            limits=self.limits,
            backend_jwts=Signs(),
        )

    def judge(
        self,
        bearer: str | None,
        *,
        method: str = "GET",
        path: str = "/museum/1.0.0/hours",
        credentials: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Verdict:
        """Run the configured steps over one call."""
        decider = Decider(load_steps(self.step_names, self.services()))
        sent = credentials if credentials is not None else ([f"Bearer {bearer}"] if bearer else [])
        call = Call(self.facts, method, path, sent, headers or {})
        result = decider.decide(call)
        assert result is None or isinstance(result, VerdictEntry)
        return decider.verdict(call)

    def refusal(self, bearer: str | None, **call: Any) -> VerdictEntry:
        """The entry that refused a call; an allowed call fails the test."""
        failure = self.judge(bearer, **call).failure
        assert failure is not None
        return failure
