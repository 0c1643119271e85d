"""What a kind of registration knows: its next call, how to make it, and what to keep of the answer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keymanager.adapters.contract import ClientHandle, KeyManagerAdapter, Verification
from keymanager.models import Registration
from keymanager.registrations.plan import Operation, Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that says no without being an error of the call. ``message`` is for the team."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The key manager's answer to one call. ``found`` False: a search proved that there is nothing.

    ``ignored``: names of what was asked and not kept. ``incomplete``: some of that can still be had by asking again.
    ``secret_expires_at``, ``old_secret_expires_at``: epoch seconds, 0 for never or not said.
    """

    found: bool = True
    ignored: tuple[str, ...] = ()
    incomplete: bool = False
    handle: ClientHandle | None = field(default=None, repr=False)
    observed: Mapping[str, Any] = field(default_factory=dict)
    remote_id: str = ""
    secret_expires_at: int = 0
    old_secret_expires_at: int = 0
    verification: Verification | None = None
    refusal: Refusal | None = None


class Work(ABC):
    """One registration as it was read, with the adapter of its key manager."""

    def __init__(self, row: Registration, adapter: KeyManagerAdapter) -> None:
        self.row = row
        self.adapter = adapter

    @abstractmethod
    def plan(self) -> Operation | Settled:
        """The next call, or where the registration settles without one."""

    @abstractmethod
    def run(self, operation: Operation) -> Answer:
        """Make the call. No transaction is open."""

    @abstractmethod
    def keep(self, row: Registration, operation: Operation, answer: Answer) -> None:
        """Put what the answer said on ``row``, which is locked and saved by the caller, and on what belongs to it."""

    def removed(self, row: Registration) -> None:
        """It does not exist any more and shall not; ``row`` is locked and saved by the caller."""
        self.forget(row)

    def forget(self, row: Registration) -> None:
        """Nothing is known at the key manager any more."""
        row.applied, row.applied_version, row.remote_id, row.observed = None, 0, "", None

    def lock(self) -> None:
        """Lock what ``keep`` and ``removed`` write, before the registration itself is locked."""
        return
