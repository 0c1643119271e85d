"""What a refusal looks like, that every code is documented, and how a gateway's question is read."""

import asyncio
import json
import re
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from common.paths import gateway_path
from keymanager.validation.answers import new_reference, refusal
from keymanager.validation.app import ValidatorApp, raw_target
from keymanager.validation.codes import FACTS, Code
from keymanager.validation.decider import Decider
from keymanager.validation.http_messages import Answer, Request, answer
from keymanager.validation.refusal_log import RefusalLog
from keymanager.validation.snapshot import Snapshot
from keymanager.validation.step import failed
from keymanager.validation.steps import load_steps
from tests.unit.validation_kit import ManualClock, World, token

PORTAL = "https://portal.example"
REFUSALS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "refusals.md"


def test_every_code_has_its_facts_and_its_line_in_the_docs() -> None:
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) ", REFUSALS.read_text(), re.MULTILINE))
    assert documented == {code.value: str(FACTS[code].status) for code in Code}


def test_a_refusal_is_a_problem_document_with_code_and_reference() -> None:
    status, headers, body = refusal(
        failed("subscription", Code.NOT_SUBSCRIBED, "Not subscribed."), "v-abc", portal_url=PORTAL
    )
    document = json.loads(body)
    assert (status, document["status"], document["code"], document["reference"]) == (
        403,
        403,
        "not_subscribed",
        "v-abc",
    )
    assert document["type"] == "https://portal.example/docs/reference/refusals#not_subscribed"
    assert dict(headers)["x-archway-reference"] == "v-abc"


def test_a_503_is_sent_in_the_gateways_own_words() -> None:
    status, headers, body = refusal(failed("token", Code.KEY_MANAGER_UNAVAILABLE, "Down."), "v-abc", portal_url=PORTAL)
    assert (status, json.loads(body)["status"]) == (463, 503)
    assert dict(headers)["retry-after"] == "5"


def test_references_are_short_and_do_not_repeat() -> None:
    made = {new_reference() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"v-[a-z2-7]{12}", reference) for reference in made)


@pytest.mark.parametrize("path", ["/museum/1.0.0/hours", "/a/caf%C3%A9", "/a/b%3Fc", "/a;v=1/b"])
def test_the_path_is_read_byte_for_byte_in_either_form_of_the_question(path: str) -> None:
    assert gateway_path(raw_target(f"/check?{path}?q=1")) == path
    assert gateway_path(raw_target(f"/check{path}?q=1")) == path


def test_a_header_that_would_end_early_is_not_sent() -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        answer(200, [("x-name", "value\r\nx-archway-environment: production")])


# --- the application ------------------------------------------------------------------------------------------------


class FollowerAtHand:
    """A follower whose state a test sets."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.snapshot = snapshot
        self.is_fresh = True

    def fresh(self) -> bool:
        return self.is_fresh


class RuntimeAtHand:
    """As much of a runtime as the application uses."""

    def __init__(self, world: World) -> None:
        self.follower = FollowerAtHand(world.facts)
        self.decider = Decider(load_steps(world.step_names, world.services()))
        self.refusals = RefusalLog(write=lambda rows: None)
        self.clock = ManualClock()

    def statistics(self) -> dict[str, int]:
        return {"api_versions": 1}


def ask(runtime: Any, path: str = "/check/museum/1.0.0/hours", bearer: str = "", client: str = "10.0.0.1") -> Answer:
    request = Request("GET", path, [f"Bearer {bearer}"] if bearer else [], [], client)
    found = ValidatorApp(runtime).answer(request)
    return found if isinstance(found, Answer) else asyncio.run(_awaited(found))


async def _awaited(waiting: Awaitable[Answer]) -> Answer:
    return await waiting


def test_an_allowed_call_names_the_upstream() -> None:
    said = ask(RuntimeAtHand(World()), bearer=token())
    assert said.status == 200
    assert said.head == b"HTTP/1.1 200 OK\r\nx-archway-environment: production\r\ncontent-length: 0\r\n"


def test_while_the_database_is_out_of_reach_nothing_is_allowed_not_even_an_open_operation() -> None:
    runtime = RuntimeAtHand(World())
    runtime.follower.is_fresh = False
    for path in ("/check/museum/1.0.0/hours", "/check/museum/1.0.0/open"):
        said = ask(runtime, path, bearer=token())
        assert (said.status, json.loads(said.body)["code"]) == (463, "validator_stale")
    assert ask(runtime, "/healthz").status == 503


def test_before_the_first_load_nothing_is_allowed() -> None:
    runtime = RuntimeAtHand(World())
    runtime.follower.snapshot = None
    assert json.loads(ask(runtime, bearer=token()).body)["code"] == "validator_starting"
    assert ask(runtime, "/healthz").status == 503


def test_an_allow_that_was_waited_for_is_withdrawn_when_the_snapshot_was_replaced_meanwhile() -> None:
    world = World()
    world.step_names.append(f"{__name__}.SlowStep")
    runtime = RuntimeAtHand(world)
    SlowStep.meanwhile = lambda: setattr(runtime.follower, "snapshot", Snapshot())
    assert json.loads(ask(runtime, bearer=token()).body)["code"] == "validator_stale"


class SlowStep:
    name = "slow"
    meanwhile: Any = None

    def __init__(self, services: Any) -> None:
        pass

    async def check(self, call: Any, /) -> Any:
        type(self).meanwhile()
        return call.entries[0]


def test_counters_are_shown_to_loopback_only() -> None:
    runtime = RuntimeAtHand(World())
    assert ask(runtime, "/statz", client="127.0.0.1").status == 200
    assert ask(runtime, "/statz").status == 404


def test_other_addresses_are_not_found() -> None:
    assert ask(RuntimeAtHand(World()), "/").status == 404
