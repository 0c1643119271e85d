"""What ``ClientHandle.remote_id`` holds for this adapter: the application's object id and its secret's id."""

from dataclasses import dataclass
from typing import Self

from keymanager.adapters.contract import ClientHandle


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """``key_id``: the id of the secret that was handed out last, "" when it is not known."""

    object_id: str = ""
    key_id: str = ""

    @classmethod
    def of(cls, handle: ClientHandle) -> Self:
        """Read from what was stored; of a client that was made elsewhere nothing is."""
        object_id, _, key_id = handle.remote_id.partition("/")
        return cls(object_id=object_id, key_id=key_id)

    @property
    def remote_id(self) -> str:
        """As it is stored."""
        return f"{self.object_id}/{self.key_id}" if self.key_id else self.object_id
