"""The lifecycle of API versions as a table, and what publishing needs."""

from dataclasses import replace

import pytest

from subscriptions.rules import PublishFacts, unmet_for_publishing
from subscriptions.states import (
    IN_STORE,
    LIFECYCLE,
    ROUTED,
    SUBSCRIBABLE,
    ApiState,
    LifecycleAction,
    available_actions,
    next_state,
)

READY = PublishFacts(operations=1, plans=1, production_url="https://a.example", sandbox_url="", accepted_key_managers=1)


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        ("created", {"publish": "published"}),
        ("published", {"block": "blocked", "deprecate": "deprecated", "demote": "created"}),
        ("blocked", {"unblock": "published", "deprecate": "deprecated", "retire": "retired", "demote": "created"}),
        ("deprecated", {"publish": "published", "demote": "created", "retire": "retired"}),
        ("retired", {}),
    ],
)
def test_each_state_has_exactly_these_actions(state: str, actions: dict[str, str]) -> None:
    found = {str(action): str(next_state(ApiState(state), action)) for action in available_actions(ApiState(state))}
    assert found == actions
    for action in set(LifecycleAction) - set(available_actions(ApiState(state))):
        assert next_state(ApiState(state), action) is None


def test_every_state_can_be_reached() -> None:
    assert set(LIFECYCLE.values()) == set(ApiState)


def test_what_is_created_or_retired_is_neither_at_the_gateway_nor_in_the_store() -> None:
    assert {ApiState.CREATED, ApiState.RETIRED}.isdisjoint(ROUTED | IN_STORE)
    assert {ApiState.PUBLISHED} == SUBSCRIBABLE


def test_a_whole_api_has_nothing_unmet() -> None:
    assert unmet_for_publishing(READY) == []
    assert unmet_for_publishing(replace(READY, production_url="", sandbox_url="https://b.example")) == []


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (replace(READY, operations=0), "operation"),
        (replace(READY, production_url=""), "endpoint"),
        (replace(READY, plans=0), "plan"),
        (replace(READY, accepted_key_managers=0), "key manager"),
    ],
)
def test_each_missing_thing_is_one_sentence(facts: PublishFacts, word: str) -> None:
    (sentence,) = unmet_for_publishing(facts)
    assert word in sentence
    assert sentence.endswith(".")


def test_everything_that_is_missing_is_said_at_once() -> None:
    nothing = PublishFacts(operations=0, plans=0, production_url="", sandbox_url="", accepted_key_managers=0)
    assert len(unmet_for_publishing(nothing)) == 4
