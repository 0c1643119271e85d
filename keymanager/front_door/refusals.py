"""Refusals that only the front door makes; everything else is ``common.errors`` as it is."""

from common.errors import InputError, NotAllowed, NotFound


class ClientRefused(NotFound):
    """``invalid_client`` (RFC 6749 section 5.2): unknown, removed, or not authenticated; all answer alike."""

    title = "Client authentication failed"


class GrantNotAllowed(NotAllowed):
    """``unauthorized_client`` (RFC 6749 section 5.2)."""

    title = "The client may not use this grant type"


class WrongMethod(InputError):
    """405 with the methods that the endpoint has."""

    status = 405

    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(f"Use {' or '.join(methods)}.")
        self.methods = methods


class BearerRefused(NotAllowed):
    """A missing or unusable bearer token (RFC 6750 section 3.1).

    ``presented``: the request carried one; without one the challenge names no error.
    ``lacks_rights``: the token is good but may not do this (403 ``insufficient_scope``).
    """

    title = "A bearer token is needed"

    def __init__(self, message: str = "", *, presented: bool, lacks_rights: bool = False) -> None:
        super().__init__(message)
        self.presented = presented
        self.lacks_rights = lacks_rights


class MetadataRefused(InputError):
    """``invalid_client_metadata`` or ``invalid_redirect_uri`` (RFC 7591 section 3.2.2); ``member`` is at fault."""

    title = "The client metadata is not acceptable"

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"{member}: {reason}" if member else reason, fields={member: [reason]} if member else None)
        self.member = member

    @property
    def oauth_code(self) -> str:
        """The RFC's error code."""
        return "invalid_redirect_uri" if self.member == "redirect_uris" else "invalid_client_metadata"
