"""Where the time comes from. Everything that reads it is given a clock, so that tests can move it."""

import time


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()
