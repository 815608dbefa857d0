"""How long the connector tries to reach the service: another limit than that of a statement, which may wait for hours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

_LOST = 250_003  # the connector's own number for a request that did not get through
_LONGEST_WAIT = 16.0


def give_up_after(seconds: float) -> Callable[[], Iterator[float]]:
    """A `backoff_policy` for connectors 3 and 4, which ask it for a fresh iterator with each request.

    Their `network_timeout` would also cancel a statement that runs, or waits for a lock, for that long. The iterator
    gives the waits between two attempts and raises the connector's OperationalError `seconds` after the first failure.
    """

    def waits() -> Iterator[float]:
        wait = 1.0
        yield wait  # asked for before the first attempt
        first = time.monotonic()
        while time.monotonic() - first < seconds:
            wait = min(2 * wait, _LONGEST_WAIT)
            yield wait
        raise _lost(seconds)

    return waits


def _lost(seconds: float) -> Exception:
    from snowflake.connector.errors import OperationalError

    return OperationalError(msg=f"No answer from Snowflake for {seconds:.0f} s.", errno=_LOST)
