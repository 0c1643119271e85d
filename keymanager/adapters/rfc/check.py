"""The connection check: one named step after the other, each passed, failed or skipped with the reason."""

import secrets
import time
from collections.abc import Callable, Iterator

from common.errors import ArchwayError, KeyManagerProtocolError, NotSupported
from keymanager.adapters.contract import Capability, CheckStep, Inactive, KeyManagerAdapter, StepState
from keymanager.adapters.own_token import STEP_OF_OUR_CLIENT, see_own_token


def timed(name: str, step: Callable[[], str]) -> CheckStep:
    """Run one step. It returns "" or what there is to say, raises ``NotSupported`` to be skipped, else it failed."""
    started = time.monotonic()
    state = StepState.PASSED
    try:
        reason = step()
    except NotSupported as exc:
        state, reason = StepState.SKIPPED, exc.message
    except ArchwayError as exc:
        state, reason = StepState.FAILED, exc.message
    return CheckStep(name=name, state=state, reason=reason, milliseconds=round((time.monotonic() - started) * 1000))


def common_steps(adapter: KeyManagerAdapter) -> Iterator[CheckStep]:
    """Steps that every adapter with server metadata has. After a failed discovery nothing else is tried."""
    first = timed("discovery", lambda: _discovery(adapter))
    yield first
    later: tuple[tuple[str, Callable[[], str]], ...] = (
        ("keys", lambda: _keys(adapter)),
        ("introspection", lambda: _introspection(adapter)),
        *_own_token(adapter),
        ("scopes", lambda: _scopes(adapter)),
    )
    for name, step in later:
        if first.state is StepState.FAILED:
            yield CheckStep(name=name, state=StepState.SKIPPED, reason="Discovery failed.")
        else:
            yield timed(name, step)


def _discovery(adapter: KeyManagerAdapter) -> str:
    found = adapter.metadata()
    if not found.token_endpoint:
        raise KeyManagerProtocolError("It names no token endpoint.")
    return f"Issuer {found.issuer}" if found.issuer else "Endpoints from the configuration"


def _keys(adapter: KeyManagerAdapter) -> str:
    adapter.require(Capability.JWKS)
    return f"{len(adapter.jwks()['keys'])} keys"


def _introspection(adapter: KeyManagerAdapter) -> str:
    adapter.require(Capability.INTROSPECT)
    answer = adapter.introspect(secrets.token_urlsafe(32))
    if not isinstance(answer, Inactive):
        raise KeyManagerProtocolError("It calls a made-up token active.")
    return "A made-up token is inactive."


def _own_token(adapter: KeyManagerAdapter) -> tuple[tuple[str, Callable[[], str]], ...]:
    client = adapter.check_client()
    return () if client is None else ((STEP_OF_OUR_CLIENT, lambda: see_own_token(adapter, client)),)


def _scopes(adapter: KeyManagerAdapter) -> str:
    adapter.require(Capability.SCOPES)
    return f"{len(adapter.list_scopes())} scopes"
