"""The one error taxonomy of Archway.

Every error that a person or a program can meet is one of these classes. Each is mapped once:
to pages, to RFC 9457 problem documents (``common.problem``), to RFC 6749 section 5.2 answers at
``/token``, to gateway answers, and to "retry or not" in the registration engine.
"""

from collections.abc import Mapping
from typing import ClassVar


class ArchwayError(Exception):
    """Base of every expected error.

    ``message``: one sentence for people, never containing a secret.
    ``fields``: field name (dotted path) to messages, where the error belongs to input.
    ``code``: stable machine-readable name, listed in ``docs/reference/errors.md``.
    ``status``: HTTP status at our boundaries. ``retryable``: trying again later can help.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        self.fields: dict[str, list[str]] = dict(fields or {})


class InputError(ArchwayError):
    """The request itself is wrong; ``fields`` names where."""

    code = "invalid_input"
    status = 400
    title = "The input is not valid"

    @classmethod
    def of(cls, field: str, message: str) -> "InputError":
        """An error that belongs to one field."""
        return cls(f"{field}: {message}", fields={field: [message]})


class RuleError(ArchwayError):
    """The request is well-formed, but the present state does not allow it.

    ``unmet``: the checks that fail, each a sentence.
    """

    code = "rule_violated"
    status = 409
    title = "The present state does not allow this"

    def __init__(
        self,
        message: str = "",
        *,
        fields: Mapping[str, list[str]] | None = None,
        unmet: list[str] | None = None,
    ) -> None:
        super().__init__(message, fields=fields)
        self.unmet = list(unmet or [])


class NotAllowed(ArchwayError):
    """The person is known, sees the object, and lacks the right."""

    code = "not_allowed"
    status = 403
    title = "You do not have the right to do this"


class NotFound(ArchwayError):
    """Unknown, or not yours: both answer alike."""

    code = "not_found"
    status = 404
    title = "There is nothing here that you can see"


class NotSupported(ArchwayError):
    """The key manager's adapter does not have this capability."""

    code = "not_supported"
    status = 422
    title = "The key manager cannot do this"


class DatabaseUnavailable(ArchwayError):
    """Our own database does not answer, or is locked for too long. Whether a write was done is not known."""

    code = "database_unavailable"
    status = 503
    title = "The portal's database does not answer right now"
    retryable = True


class KeyManagerError(ArchwayError):
    """Base of everything that went wrong between us and a key manager."""

    code = "key_manager_error"
    status = 502
    title = "The key manager failed"


class KeyManagerRejected(KeyManagerError):
    """The key manager understood and said no; trying the same again cannot help.

    ``remote_code``: its own error code (RFC 6749 5.2 / RFC 7591 3.2.2), when it gave one.
    ``remote_status``: its HTTP status. ``remote_description``: its own words, redacted.
    """

    code = "key_manager_rejected"
    status = 400
    title = "The key manager refused"

    def __init__(
        self,
        message: str = "",
        *,
        remote_code: str = "",
        remote_status: int = 0,
        remote_description: str = "",
        fields: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message, fields=fields)
        self.remote_code = remote_code
        self.remote_status = remote_status
        self.remote_description = remote_description


class KeyManagerUnavailable(KeyManagerError):
    """Nothing was done: refused connection, 429, 503, open circuit. Retry after ``retry_after`` seconds."""

    code = "key_manager_unavailable"
    status = 503
    title = "The key manager does not answer right now"
    retryable = True

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFinished(KeyManagerUnavailable):
    """It accepted the request (HTTP 202) and has not finished: ask again after ``retry_after`` seconds.

    The key manager is well, so this never counts as a failure to reach it.
    """

    code = "not_finished"
    title = "The key manager is still carrying this out"


class KeyManagerProtocolError(KeyManagerError):
    """It answered something that the protocol does not know (HTML, no JSON, a missing member)."""

    code = "key_manager_protocol_error"
    status = 502
    title = "The key manager answered something that is not the protocol"


class OutcomeUnknown(KeyManagerError):
    """The request was sent and no usable answer came: it may or may not have been carried out."""

    code = "outcome_unknown"
    status = 504
    title = "It is not known whether the key manager carried this out"


class ConfigurationError(Exception):
    """A setting is wrong. Raised at start-up or in a connection test.

    It stands outside ``ArchwayError`` so that no handler of expected errors can swallow it.
    """

    code: ClassVar[str] = "configuration_error"
