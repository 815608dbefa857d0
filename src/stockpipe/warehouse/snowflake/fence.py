"""The fence: a table with one row, which every publish updates first. A second publish waits there for the first one's end.

Without it two runs of a day that did not exist before would both delete nothing, lock nothing, and double it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stockpipe.errors import WarehouseError
from stockpipe.warehouse.dialect import FENCE_TABLE, TableOptions, snowflake_fence

log = logging.getLogger(__name__)

_SAY_AFTER = 1.0


class Fence:
    """The fence of one schema; `prefix` is its quoted name with the dot behind it."""

    def __init__(self, prefix: str, options: TableOptions) -> None:
        self.name = f'{prefix}"{FENCE_TABLE}"'
        self.update = f'UPDATE {self.name} SET "RUN_ID" = %s'
        self.create, self.fill = snowflake_fence(prefix, options)

    def must_hold(self, updated: Sequence[tuple[Any, ...]]) -> None:
        """WarehouseError unless the answer to `update` says that a row was changed: without a row nobody waits."""
        if not updated or not int(updated[0][0] or 0):
            raise WarehouseError(
                f"The table {self.name} has no row, so that two publishes at once could double a day.",
                hint=f"Nothing was published. Give it its row, then run again: {self.fill};",
            )


@contextmanager
def told_if_slow(most: float, say_after: float = _SAY_AFTER) -> Iterator[None]:
    """Say on the log for what a publish waits, and how many seconds at most, when it does not pass at once."""
    timer = threading.Timer(say_after, _say, (most,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(most: float) -> None:
    log.info(
        "Waiting for another run that publishes right now. If it was killed, Snowflake ends its transaction after 5 minutes. "
        "This run waits at most %.0f s (STOCKPIPE_DEADLINE).",
        most,
    )
