"""The fence: a table with one row, which every publish updates first. A second publish waits there for the first one's end.

Without it two runs of a day that did not exist before would both delete nothing, lock nothing, and double it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from stockpipe.base.waiting import told_if_slow
from stockpipe.errors import WarehouseError
from stockpipe.warehouse.dialect import FENCE_TABLE, TableOptions, snowflake_fence

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


def told_if_held(most: float) -> AbstractContextManager[None]:
    """Tell for what a publish waits, and how many seconds at most, when it does not pass at once."""
    return told_if_slow(
        "Waiting for another run that publishes right now. If it was killed, Snowflake ends its transaction after 5 minutes. "
        f"This run waits at most {most:.0f} s (STOCKPIPE_DEADLINE).",
        _SAY_AFTER,
    )
