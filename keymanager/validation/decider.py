"""Runs the steps over a call until one refuses."""

import inspect
import logging
from collections.abc import Awaitable, Sequence
from typing import TypeGuard

from keymanager.validation.codes import Code
from keymanager.validation.step import Call, Outcome, ValidationStep, Verdict, VerdictEntry, failed, skipped

logger = logging.getLogger(__name__)


def _is_entry(value: object) -> TypeGuard[VerdictEntry]:
    """An extension's step is not checked by anybody's type checker."""
    return isinstance(value, VerdictEntry)


class Decider:
    """Steps in order. ``decide`` answers at once as long as no step has to wait."""

    def __init__(self, steps: Sequence[ValidationStep]) -> None:
        self._steps = tuple(steps)
        self._checks = tuple(step.check for step in self._steps)
        self._not_reached = tuple(skipped(step.name, "An earlier step refused.") for step in self._steps)

    def decide(self, call: Call) -> VerdictEntry | Awaitable[VerdictEntry | None] | None:
        """``None`` when the call is allowed, the refusing entry, or an awaitable of either."""
        return self._from(call, 0)

    def _from(self, call: Call, start: int) -> VerdictEntry | Awaitable[VerdictEntry | None] | None:
        entries = call.entries
        checks = self._checks
        for index in range(start, len(checks)):
            try:
                entry = checks[index](call)
            except Exception as exc:  # noqa: BLE001 - whatever an extension raises, the call is refused
                entry = self._broken(index, exc)
            # Nearly always an entry, and asking whether it can be awaited is the dearest question of the loop.
            if not _is_entry(entry):
                if inspect.isawaitable(entry):
                    return self._after(call, index, entry)
                entry = self._broken(index, TypeError("it returned no verdict entry"))
            entries.append(entry)
            if entry.outcome is Outcome.FAILED:
                return entry
        if call.route is None or call.operation is None:
            # Whatever the setting left out: a call of which no step said what it calls is not allowed.
            entries.append(failed("route", Code.VALIDATION_STEP_FAILED, "No step found the operation."))
            return entries[-1]
        return None

    async def _after(self, call: Call, index: int, waiting: Awaitable[VerdictEntry]) -> VerdictEntry | None:
        try:
            entry = await waiting
        except Exception as exc:  # noqa: BLE001 - whatever an extension raises, the call is refused
            entry = self._broken(index, exc)
        if not _is_entry(entry):
            entry = self._broken(index, TypeError("it returned no verdict entry"))
        call.entries.append(entry)
        if entry.outcome is Outcome.FAILED:
            return entry
        rest = self._from(call, index + 1)
        if rest is None or isinstance(rest, VerdictEntry):
            return rest
        return await rest

    def _broken(self, index: int, exc: Exception) -> VerdictEntry:
        """The caller learns that a step failed and no more; the log has the rest."""
        name = self._steps[index].name
        logger.error("Validation step %s failed", name, exc_info=exc)
        return failed(name, Code.VALIDATION_STEP_FAILED, "This step failed; the validator's log says why.")

    def verdict(self, call: Call) -> Verdict:
        """The whole judgement of a call that was decided."""
        entries = (*call.entries, *self._not_reached[len(call.entries) :])
        allowed = all(entry.outcome is not Outcome.FAILED for entry in entries)
        return Verdict(
            allowed=allowed,
            entries=entries,
            environment=call.environment if allowed else "",
            answer_headers=tuple(call.answer_headers or ()) if allowed else (),
        )
