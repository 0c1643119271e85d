"""Runs one test with an adapter that is broken on purpose: the test has to fail."""

import inspect
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from _pytest.outcomes import Failed

from common.errors import ArchwayError
from tests.conformance.world import World


def must_catch(test: Callable[..., None], world: World, *, suite: object = None, **fixtures: Any) -> None:
    """``suite``: the ``self`` of a test that is a method. ``fixtures``: further ones that the test may want."""
    adapter = world.adapter()
    given = {"self": suite, "adapter": adapter, "world": world, **fixtures}
    wanted = inspect.signature(test).parameters
    with closing(world.wire):
        if "client" in wanted:
            given["client"] = adapter.create_client(world.client_metadata())
        with pytest.raises((AssertionError, ArchwayError, Failed)):
            test(**{name: value for name, value in given.items() if name in wanted})
