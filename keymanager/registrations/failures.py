"""What an error of a call means for its registration; pure, the random number is given."""

from dataclasses import dataclass
from typing import Final

from common.errors import (
    ArchwayError,
    ConfigurationError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    NotFinished,
    OutcomeUnknown,
)
from common.redact import redact_text
from keymanager.registrations.backoff import backoff_seconds
from keymanager.registrations.plan import Operation
from keymanager.registrations.states import RegistrationState

S = RegistrationState
# After a lost answer the key manager gets a moment to finish what it was doing.
_SETTLING_SECONDS: Final = 2.0
# A client that was just created may not be everywhere yet.
_SPREADING_TRIES: Final = 4
_NOT_THERE: Final = 404
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``state``: where the registration goes. ``delay``: seconds until the next try, ``None`` when there is none.

    ``in_doubt``: whether it is unknown now if the call was carried out; ``None`` when that is as it was before the
    call. ``unreachable``: it counts towards opening the key manager's circuit.
    """

    state: RegistrationState
    code: str
    message: str
    delay: float | None = None
    in_doubt: bool | None = None
    unreachable: bool = False


def judge(
    error: ArchwayError | ConfigurationError,
    operation: Operation,
    *,
    attempts: int,
    most: int,
    jitter: float,
    can_find: bool = False,
) -> Failure:
    """The failure behind ``error`` of try number ``attempts`` of at most ``most``.

    ``can_find``: a client can be found there by our marker, so that a conflict may turn out to be our own client.
    """
    failure = _judge(error, operation, attempts=attempts, jitter=jitter, can_find=can_find)
    if failure.delay is None or attempts < most:
        return failure
    return Failure(
        state=S.REFUSED,
        code=failure.code,
        message=f"Given up after {attempts} tries: {failure.message}",
        in_doubt=failure.in_doubt,
        unreachable=failure.unreachable,
    )


def _judge(
    error: ArchwayError | ConfigurationError, operation: Operation, *, attempts: int, jitter: float, can_find: bool
) -> Failure:
    text = redact_text(str(error))
    wait = backoff_seconds(attempts, jitter=jitter)
    if operation == Operation.VERIFY and isinstance(error, OutcomeUnknown | KeyManagerProtocolError):
        # It changes nothing there, so nothing can be in doubt.
        unreachable = isinstance(error, OutcomeUnknown)
        return Failure(state=S.WAITING, code=error.code, message=text, delay=wait, unreachable=unreachable)
    if isinstance(error, OutcomeUnknown):
        return _unknown(error.code, text, unreachable=True, delay=max(wait, _SETTLING_SECONDS))
    if isinstance(error, KeyManagerUnavailable):
        delay = backoff_seconds(attempts, jitter=jitter, retry_after=error.retry_after)
        unreachable = not isinstance(error, NotFinished)
        return Failure(state=S.WAITING, code=error.code, message=text, delay=delay, unreachable=unreachable)
    if isinstance(error, KeyManagerProtocolError):
        # A creation whose answer cannot be read may well have been carried out.
        if operation == Operation.CREATE:
            return _unknown(error.code, text, unreachable=False, delay=max(wait, _SETTLING_SECONDS))
        return Failure(state=S.WAITING, code=error.code, message=text, delay=wait)
    if isinstance(error, KeyManagerRejected):
        return _rejected(error, text, operation, attempts=attempts, delay=wait, can_find=can_find)
    return Failure(state=S.REFUSED, code=error.code, message=text)


def _rejected(
    error: KeyManagerRejected, text: str, operation: Operation, *, attempts: int, delay: float, can_find: bool
) -> Failure:
    code = error.remote_code or error.code
    spreading = operation in (Operation.UPDATE, Operation.ROTATE) and error.remote_status == _NOT_THERE
    if spreading and attempts < _SPREADING_TRIES:
        return Failure(state=S.WAITING, code=code, message=text, delay=delay)
    if can_find and operation == Operation.CREATE and error.remote_status == _CONFLICT:
        return _unknown(code, text, unreachable=False, delay=delay)
    return Failure(state=S.REFUSED, code=code, message=text)


def _unknown(code: str, text: str, *, unreachable: bool, delay: float) -> Failure:
    return Failure(state=S.UNKNOWN, code=code, message=text, delay=delay, in_doubt=True, unreachable=unreachable)
