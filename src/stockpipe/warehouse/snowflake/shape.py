"""Tables of a Snowflake schema that were there before us: can they take our rows?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from stockpipe.errors import WarehouseError
from stockpipe.warehouse import sql

log = logging.getLogger(__name__)

_NAME, _TYPE, _KIND, _NULL, _DEFAULT = range(5)


def must_take_rows(table: sql.Table, described: Sequence[tuple[Any, ...]]) -> None:
    """Raise WarehouseError for a column that our rows leave empty and that must have a value. Coarse times are told of.

    `described` are the rows of DESCRIBE TABLE. Snowflake itself holds to no other constraint of a table.
    """
    declared = sql.misspelled_columns(table, [row[_NAME] for row in described])
    names = {row[_NAME]: declared.get(row[_NAME], row[_NAME]) for row in described}
    needed = [names[row[_NAME]] for row in described if row[_NULL] == "N" and row[_DEFAULT] is None]
    for obstacle, remedy in sql.unfilled_columns(table, needed):
        raise WarehouseError(obstacle, hint=f"Nothing was changed. {remedy}")
    for name, kind in sql.coarse_columns(table, {names[row[_NAME]]: row[_TYPE] for row in described}).items():
        log.warning("%s.%s is %s, which does not keep nanoseconds: times are cut there.", table.name, name, kind)
