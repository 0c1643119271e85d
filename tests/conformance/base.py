"""What every part of the conformance suite shares."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, ClassVar, TypeVar

import pytest

from common.errors import KeyManagerRejected, NotSupported
from keymanager.adapters.contract import Capability, KeyManagerAdapter, RegisteredClient
from tests.conformance.operations import call
from tests.conformance.world import (
    World,
    ask,
    asking_for_a_token,
    introspecting,
    reading,
    registering,
    updating,
)

T = TypeVar("T")
C = Capability


class ConformanceBase:
    """Fixtures of the suite. ``slug``: the adapter that a subclass is about."""

    slug: ClassVar[str] = ""

    def running(self) -> AbstractContextManager[World]:
        """A server behind an adapter, for one test. A subclass gives this, or the fixture ``world``."""
        raise NotImplementedError

    @pytest.fixture
    def world(self) -> Iterator[World]:
        with self.running() as world:
            yield world

    @pytest.fixture
    def adapter(self, world: World) -> KeyManagerAdapter:
        return world.adapter()


def needs(*capabilities: Capability) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test of what these capabilities give; where one is not declared, its operation must raise ``NotSupported``."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)
        if "adapter" not in signature.parameters:
            raise TypeError(f"{test.__name__} must take the adapter")

        @wraps(test)
        def guarded(self: Any, adapter: KeyManagerAdapter, **fixtures: Any) -> None:
            missing = [capability for capability in capabilities if capability not in adapter.capabilities]
            for capability in missing:
                with pytest.raises(NotSupported):
                    call(adapter, capability)
            if not missing:
                test(self, adapter=adapter, **fixtures)

        guarded.__signature__ = signature  # type: ignore[attr-defined]
        return guarded

    return decorate


def refusal_code(operation: Callable[[], T]) -> tuple[str, T | None]:
    """The code with which the key manager refused and nothing, or "" and the value."""
    try:
        return "", operation()
    except KeyManagerRejected as exc:
        return exc.remote_code, None


def operations_of(
    adapter: KeyManagerAdapter, world: World, client: RegisteredClient
) -> list[tuple[Callable[[Any], bool], Callable[[], Any]]]:
    """What can go wrong, and how to recognise its request on the wire."""
    metadata = world.client_metadata()
    found: list[tuple[Callable[[Any], bool], Callable[[], Any]]] = [
        (registering, lambda: adapter.create_client(metadata)),
        (asking_for_a_token, lambda: ask(adapter, client, world.scopes[0])),
    ]
    if C.UPDATE_CLIENT in adapter.capabilities:
        found.append((updating, lambda: adapter.update_client(client.handle, metadata)))
    if C.READ_CLIENT in adapter.capabilities:
        found.append((reading, lambda: adapter.read_client(client.handle)))
    if looks_up_opaque_tokens(adapter, world):
        found.append((introspecting, lambda: adapter.introspect("opaque-token")))
    return found


def looks_up_opaque_tokens(adapter: KeyManagerAdapter, world: World) -> bool:
    """Whether an opaque token is looked up at the server (otherwise its keys decide)."""
    world.wire.heal()
    before = len(world.wire.matching(introspecting))
    adapter.introspect("opaque-token")
    return len(world.wire.matching(introspecting)) > before
