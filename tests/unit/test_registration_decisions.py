"""What a registration does next, and what an error means for it."""

import pytest

from common.errors import (
    ArchwayError,
    ConfigurationError,
    InputError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotFinished,
    NotSupported,
    OutcomeUnknown,
)
from keymanager.adapters.contract import Capability
from keymanager.registrations.backoff import backoff_seconds
from keymanager.registrations.failures import Failure, judge
from keymanager.registrations.plan import Facts, Operation, Settled, plan_client, plan_kept_thing
from keymanager.registrations.states import MOVES, SETTLED, WORKABLE, RegistrationState, Wish, may_move

S = RegistrationState
C = Capability
EVERYTHING = frozenset(Capability)
RFC_ONLY = frozenset({C.CREATE_CLIENT, C.UPDATE_CLIENT, C.DELETE_CLIENT})


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {
        "wish": Wish.PRESENT,
        "exists": False,
        "in_doubt": False,
        "as_applied": False,
        "capabilities": EVERYTHING,
    }
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def judged(
    error: ArchwayError | ConfigurationError,
    operation: Operation = Operation.CREATE,
    *,
    attempts: int = 1,
    find: bool = True,
) -> Failure:
    return judge(error, operation, attempts=attempts, most=12, jitter=0.5, can_find=find)


def test_the_table_has_every_state() -> None:
    assert set(MOVES) == set(RegistrationState)
    assert WORKABLE | SETTLED | {S.SENDING} == set(RegistrationState)
    assert not WORKABLE & SETTLED


def test_only_a_call_makes_something_active_or_unknown_from_nothing() -> None:
    assert not may_move(S.REMOVED, S.ACTIVE)
    assert not may_move(S.REQUESTED, S.UNKNOWN)
    assert not may_move(S.NOT_KEPT, S.ACTIVE)
    assert may_move(S.SENDING, S.UNKNOWN)
    assert may_move(S.ACTIVE, S.ACTIVE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Operation.CREATE),
        ({"in_doubt": True}, Operation.FIND),
        ({"exists": True}, Operation.UPDATE),
        ({"exists": True, "as_applied": True, "in_doubt": True}, Operation.UPDATE),
        ({"exists": True, "as_applied": True, "wants_rotation": True}, Operation.ROTATE),
        ({"exists": True, "wants_rotation": True}, Operation.UPDATE),
        ({"exists": True, "as_applied": True}, Settled(state=S.ACTIVE)),
        ({"exists": True, "mapped": True, "as_applied": True}, Settled(state=S.ACTIVE)),
        ({"mapped": True, "as_applied": False}, Operation.VERIFY),
        ({"exists": True, "mapped": True, "as_applied": False, "in_doubt": True}, Operation.VERIFY),
        (
            {"exists": True, "as_applied": True, "wants_old_secret_dropped": True, "wants_rotation": True},
            Operation.DROP_OLD_SECRET,
        ),
        ({"wish": Wish.ABSENT}, Settled(state=S.REMOVED)),
        ({"wish": Wish.ABSENT, "in_doubt": True}, Operation.FIND_AND_DELETE),
        ({"wish": Wish.ABSENT, "exists": True}, Operation.DELETE),
        ({"wish": Wish.ABSENT, "exists": True, "mapped": True}, Settled(state=S.REMOVED)),
    ],
)
def test_the_next_call_of_a_client_follows_from_what_is_known(
    changes: dict[str, object], expected: Operation | Settled
) -> None:
    assert plan_client(facts(**changes)) == expected


@pytest.mark.parametrize("wish", list(Wish))
def test_a_client_in_doubt_that_cannot_be_searched_is_never_created_or_forgotten_blindly(wish: Wish) -> None:
    step = plan_client(facts(wish=wish, in_doubt=True, capabilities=RFC_ONLY))
    assert isinstance(step, Settled)
    assert (step.state, step.code) == (S.REFUSED, "outcome_unknown")


@pytest.mark.parametrize("changes", [{}, {"exists": True}, {"exists": True, "wish": Wish.ABSENT}])
def test_what_a_key_manager_cannot_do_is_refused_and_says_so(changes: dict[str, object]) -> None:
    step = plan_client(facts(capabilities=frozenset(), **changes))
    assert isinstance(step, Settled)
    assert (step.state, step.code) == (S.REFUSED, "not_supported")
    assert step.message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Operation.CREATE),
        ({"exists": True}, Operation.UPDATE),
        ({"exists": True, "as_applied": True}, Settled(state=S.ACTIVE)),
        ({"exists": True, "as_applied": True, "in_doubt": True}, Operation.UPDATE),
        ({"capabilities": frozenset()}, Settled(state=S.NOT_KEPT)),
        ({"wish": Wish.ABSENT}, Settled(state=S.REMOVED)),
        ({"wish": Wish.ABSENT, "in_doubt": True}, Operation.DELETE),
        ({"wish": Wish.ABSENT, "exists": True}, Operation.DELETE),
    ],
)
def test_the_next_call_of_a_scope_follows_from_what_is_known(
    changes: dict[str, object], expected: Operation | Settled
) -> None:
    assert plan_kept_thing(facts(**changes), C.SCOPES) == expected


def test_waiting_doubles_and_has_an_end() -> None:
    assert [backoff_seconds(number, jitter=0.5) for number in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert backoff_seconds(1000, jitter=0.5) == 3600
    assert (backoff_seconds(1, jitter=0.0), backoff_seconds(1, jitter=1.0)) == (1, 3)


def test_waiting_is_never_shorter_than_the_key_manager_asked_for_and_at_most_a_day() -> None:
    assert backoff_seconds(1, jitter=0.5, retry_after=90) == 90
    assert backoff_seconds(9, jitter=0.5, retry_after=1) == 512
    assert backoff_seconds(1, jitter=0.5, retry_after=10**9) == 86400


def test_a_refusal_waits_for_a_person_with_the_key_managers_words() -> None:
    failure = judged(KeyManagerRejected("no such scope", remote_code="invalid_client_metadata", remote_status=400))
    assert (failure.state, failure.code, failure.delay) == (S.REFUSED, "invalid_client_metadata", None)
    assert failure.in_doubt is None


def test_nothing_done_waits_and_counts_towards_the_circuit() -> None:
    failure = judged(KeyManagerUnavailable("busy", retry_after=77))
    assert (failure.state, failure.delay, failure.unreachable, failure.in_doubt) == (S.WAITING, 77, True, None)


@pytest.mark.parametrize("error", [OutcomeUnknown("lost"), KeyManagerProtocolError("a page of HTML")])
def test_a_creation_without_a_readable_answer_is_in_doubt(error: ArchwayError) -> None:
    failure = judged(error)
    assert (failure.state, failure.in_doubt) == (S.UNKNOWN, True)


def test_an_unreadable_answer_to_an_update_is_tried_again() -> None:
    assert judged(KeyManagerProtocolError("a page of HTML"), Operation.UPDATE).state == S.WAITING


def test_a_conflict_may_be_our_own_client_where_it_can_be_searched() -> None:
    conflict = KeyManagerRejected("exists", remote_status=409)
    assert judged(conflict).state == S.UNKNOWN
    assert judged(conflict, find=False).state == S.REFUSED


def test_a_client_that_is_not_everywhere_yet_is_waited_for_a_few_times() -> None:
    absent = KeyManagerRejected("not found", remote_code="client_gone", remote_status=404)
    assert judged(absent, Operation.UPDATE, attempts=3).state == S.WAITING
    assert judged(absent, Operation.UPDATE, attempts=4).state == S.REFUSED


@pytest.mark.parametrize("error", [InputError("bad"), NotSupported("cannot"), ConfigurationError("wrong key")])
def test_what_a_person_must_correct_is_not_tried_again(error: ArchwayError | ConfigurationError) -> None:
    failure = judged(error)
    assert (failure.state, failure.code, failure.delay) == (S.REFUSED, error.code, None)


def test_the_last_try_is_the_last() -> None:
    failure = judged(KeyManagerUnavailable("busy"), attempts=12)
    assert (failure.state, failure.delay) == (S.REFUSED, None)
    assert failure.message.startswith("Given up after 12 tries")
    assert judged(OutcomeUnknown("lost"), attempts=12).in_doubt is True


def test_a_message_is_recorded_without_secrets() -> None:
    assert "hunter2" not in judged(KeyManagerRejected("client_secret=hunter2 is wrong")).message


def test_accepted_and_not_finished_is_asked_again_and_is_no_outage() -> None:
    failure = judged(NotFinished("202", retry_after=3))

    assert failure.state == S.WAITING
    assert failure.delay is not None
    assert failure.delay >= 3
    assert failure.unreachable is False
