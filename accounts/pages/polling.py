"""How a page watches something that is under way: often at first, then less, and not at all once it is settled."""

from typing import Final

from django.http import HttpRequest

# Seconds until a part of a page asks again, by how often it has asked already.
_DELAYS: Final = (2, 2, 2, 3, 5, 8, 15)
# The status with which htmx stops asking.
STOP_POLLING: Final = 286


def turn_of(request: HttpRequest) -> int:
    """How often the part has asked already (``?round=``)."""
    turn = request.GET.get("round", "0")
    return int(turn) if turn.isascii() and turn.isdigit() else 0


def delay_after(turn: int) -> int:
    """Seconds until it shall ask again."""
    return _DELAYS[min(turn, len(_DELAYS) - 1)]
