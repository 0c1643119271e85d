"""What comes of asking "is this token good, and whose is it"."""

from dataclasses import dataclass

from keymanager.adapters.contract import TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.facts import Id, UserFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodToken:
    """An access token that its key manager vouches for. ``until``: epoch seconds at which it expires.

    ``user``: who is behind it; ``None`` for a machine, and where the key manager's users are not the portal's.
    """

    key_manager_id: Id
    facts: TokenFacts
    until: float
    user: UserFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadToken:
    """The token is not good. ``reason``: for people, without the token. ``asked``: the key managers that were tried."""

    code: Code
    reason: str
    asked: frozenset[Id] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nobody knows: a key manager that had to be asked did not answer. Never cached. ``retry_after``: seconds."""

    reason: str
    retry_after: int = 5


Resolved = GoodToken | BadToken | NoAnswer
