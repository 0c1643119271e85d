"""The interface of a validation step: a call goes in, one entry of the verdict comes out.

``docs/extending/validation-steps.md`` shows how a package of its own replaces or adds steps.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from common.gateway_contract import PRODUCTION
from keymanager.adapters.contract import TokenFacts
from keymanager.validation.codes import FACTS
from keymanager.validation.facts import (
    ApplicationFacts,
    CredentialFacts,
    Facts,
    KeyManagerFacts,
    OperationFacts,
    PlanFacts,
    Route,
    SubscriptionFacts,
    UserFacts,
)


class Outcome(StrEnum):
    """What came of one step."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictEntry:
    """What one step found.

    ``code``: reason code of a failure, else "". ``message``: one sentence for the application's developers; it is
    stored and shown, so it never holds a token. ``status`` and ``headers``: the HTTP answer of a failure.
    """

    name: str
    outcome: Outcome
    code: str = ""
    message: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()


def passed(name: str, message: str = "") -> VerdictEntry:
    """The entry of a step that found nothing wrong. Make it once and return it often: it is immutable."""
    return VerdictEntry(name=name, outcome=Outcome.PASSED, message=message)


def skipped(name: str, message: str = "") -> VerdictEntry:
    """The entry of a step that does not apply to the call."""
    return VerdictEntry(name=name, outcome=Outcome.SKIPPED, message=message)


REALM = "archway"


def failed(
    name: str,
    code: str,
    message: str,
    *,
    status: int | None = None,
    scopes: frozenset[str] = frozenset(),
    retry_after: int = 0,
    headers: tuple[tuple[str, str], ...] = (),
) -> VerdictEntry:
    """The entry of a refusal; status and RFC 6750 challenge follow from ``code``.

    A code of an extension is not in our table: it gives its ``status`` (403 unless said).
    """
    facts = FACTS.get(code)
    if facts is None:
        return VerdictEntry(
            name=name, outcome=Outcome.FAILED, code=code, message=message, status=status or 403, headers=headers
        )
    extra: list[tuple[str, str]] = list(headers)
    if facts.status == 401 or facts.oauth_error:
        extra.append(("www-authenticate", _challenge(facts.oauth_error, facts.title, scopes)))
    wait = retry_after or facts.retry_after
    if wait:
        extra.append(("retry-after", str(wait)))
    return VerdictEntry(
        name=name,
        outcome=Outcome.FAILED,
        code=code,
        message=message,
        status=status or facts.status,
        headers=tuple(extra),
    )


def _challenge(oauth_error: str, description: str, scopes: frozenset[str]) -> str:
    """RFC 6750 section 3: no ``error`` when the request carried no credentials."""
    parts = [f'Bearer realm="{REALM}"']
    if oauth_error:
        parts += [f'error="{oauth_error}"', f'error_description="{description}"']
    if scopes:
        parts.append(f'scope="{" ".join(sorted(scopes))}"')
    return ", ".join(parts)


class HeaderSource(Protocol):
    """The request's headers; names in lower case."""

    def get(self, key: str, /) -> str | None:
        """First value of a header, or ``None``."""
        ...


class Call:
    """One call to be decided. Steps read what earlier steps found and write what they find.

    ``path``: the gateway path, raw (percent-escapes as sent), without the query. ``credentials``: every
    ``Authorization`` header, in order. ``digest``: SHA-256 of the token. ``open``: the operation needs no
    token, so nobody's application is behind the call. ``environment`` and ``answer_headers`` go to the gateway when the
    call is allowed.
    """

    __slots__ = (
        "answer_headers",
        "application",
        "credential",
        "credentials",
        "digest",
        "entries",
        "environment",
        "facts",
        "headers",
        "key_manager",
        "method",
        "open",
        "operation",
        "path",
        "plan",
        "route",
        "subscription",
        "token",
        "token_facts",
        "user",
    )

    def __init__(
        self, facts: Facts, method: str, path: str, credentials: list[str], headers: HeaderSource | Mapping[str, str]
    ) -> None:
        self.facts = facts
        self.method = method
        self.path = path
        self.credentials = credentials
        self.headers = headers
        self.entries: list[VerdictEntry] = []
        self.answer_headers: list[tuple[str, str]] | None = None
        self.environment = PRODUCTION
        self.token = ""
        self.digest = b""
        self.route: Route | None = None
        self.open = False
        self.operation: OperationFacts | None = None
        self.token_facts: TokenFacts | None = None
        self.user: UserFacts | None = None
        self.key_manager: KeyManagerFacts | None = None
        self.credential: CredentialFacts | None = None
        self.application: ApplicationFacts | None = None
        self.subscription: SubscriptionFacts | None = None
        self.plan: PlanFacts | None = None

    def add_answer_header(self, name: str, value: str) -> None:
        """A header that the gateway sets on the request to the backend, if the call is allowed."""
        if self.answer_headers is None:
            self.answer_headers = []
        self.answer_headers.append((name, value))


class ValidationStep(Protocol):
    """One step. It is made once per process, with the services that the setting's steps share.

    A step that raises answers 503: nothing is ever allowed because a step broke.
    """

    name: str

    def check(self, call: Call, /) -> VerdictEntry | Awaitable[VerdictEntry]:
        """Judge the call. A plain entry costs nothing; return an awaitable only when something must be waited for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole judgement. ``entries``: every step in order; those behind the first failure are skipped."""

    allowed: bool
    entries: tuple[VerdictEntry, ...]
    environment: str = ""
    answer_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def failure(self) -> VerdictEntry | None:
        """The step that refused, or ``None``."""
        return next((entry for entry in self.entries if entry.outcome is Outcome.FAILED), None)
