"""A gateway that follows the database: a change is done with when it is in effect, not when it was read."""

from pathlib import Path

import pytest
from django.db import OperationalError

from gateway.running import Gateway
from subscriptions.models import ChangeKind
from subscriptions.recording import announce

pytestmark = pytest.mark.django_db


class Unlucky(Gateway):
    """Does not apply anything; ``outcomes`` says what comes of each try, an exception is raised."""

    def __init__(self, folder: Path, *outcomes: bool | Exception) -> None:
        super().__init__(folder, name="test")
        self.outcomes = list(outcomes)
        self.tries = 0
        self.stopping.set()  # nobody waits

    def apply(self) -> bool:
        """See ``Gateway``."""
        self.tries += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.mark.parametrize("outcome", [OperationalError("database is locked"), False])
def test_what_could_not_be_applied_is_applied_at_the_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: bool | Exception
) -> None:
    # The test's own transaction lives on this connection.
    monkeypatch.setattr("gateway.running.close_old_connections", lambda: None)
    gateway = Unlucky(tmp_path, True, outcome, True)
    gateway.turn()
    announce(ChangeKind.API_VERSION, "0190a7b0-0000-7000-8000-000000000000")
    for _ in range(3):
        gateway.turn()
    assert gateway.tries == 3


def test_other_changes_are_no_reason_to_apply_anything(tmp_path: Path) -> None:
    gateway = Unlucky(tmp_path, True)
    gateway.turn()
    announce(ChangeKind.PLAN, "0190a7b0-0000-7000-8000-000000000000")
    gateway.turn()
    assert gateway.tries == 1
