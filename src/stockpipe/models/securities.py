"""The views beside the tables of the security master, the same SELECT in both warehouses."""

from __future__ import annotations

from stockpipe.datasets.column import DATE, Column, text
from stockpipe.warehouse.model import Model
from stockpipe.warehouse.securities import SECURITIES, SECURITY_HISTORY, SECURITY_LISTS, placed

_HISTORY = {column.name: column for column in SECURITY_HISTORY.columns}
_MEMBER = (
    "SECURITY_ID", "TICKER", "NAME", "TYPE", "PRIMARY_EXCHANGE", "CIK", "COMPOSITE_FIGI", "SHARE_CLASS_FIGI",
)  # fmt: skip


def security_views(prefix: str = "") -> tuple[Model, Model]:
    """UNIVERSE and TICKER_MAP; `prefix` is a quoted database and schema with a dot behind."""
    return _universe(prefix), _ticker_map(prefix)


def _universe(prefix: str) -> Model:
    """The members of each list's day, with their ids: SELECT ... FROM UNIVERSE WHERE DS = DATE '2026-02-06'."""
    tables = tuple(placed(table, prefix) for table in (SECURITY_LISTS, SECURITY_HISTORY, SECURITIES))
    lists, history, securities = (table.name for table in tables)
    members = ", ".join(f'h."{name}"' for name in _MEMBER)
    return Model(
        f'{prefix}"UNIVERSE"',
        (
            Column("DS", DATE, "The day of a list."),
            *(_HISTORY[name] for name in _MEMBER),
            Column("ISSUER_ID", text(60), "Groups what one company has listed."),
        ),
        "Who was listed on each loaded day, with permanent ids.",
        f"""SELECT l."DS", {members}, s."ISSUER_ID"
FROM {lists} AS l
JOIN {history} AS h ON h."VALID_FROM" <= l."DS" AND (h."VALID_TO" > l."DS" OR h."VALID_TO" IS NULL)
JOIN {securities} AS s ON s."SECURITY_ID" = h."SECURITY_ID\"""",
        needs=tables,
    )


def _ticker_map(prefix: str) -> Model:
    """Stretches of the history with the same ticker, as one row: those that follow each other without a day between."""
    history = placed(SECURITY_HISTORY, prefix)
    return Model(
        f'{prefix}"TICKER_MAP"',
        (
            Column("TICKER", text(20), "Symbol; case matters."),
            Column("VALID_FROM", DATE, "The first day on which the security had it."),
            Column("VALID_TO", DATE, "The first day behind; null while it has it."),
            Column("SECURITY_ID", text(60), "Whose it was."),
        ),
        "Whose a ticker was, from when to when.",
        f"""SELECT "TICKER", min("VALID_FROM") AS "VALID_FROM",
    CASE WHEN count(*) = count("VALID_TO") THEN max("VALID_TO") END AS "VALID_TO", "SECURITY_ID"
FROM (
    SELECT "TICKER", "SECURITY_ID", "VALID_FROM", "VALID_TO", sum(begins) OVER (
        PARTITION BY "TICKER", "SECURITY_ID" ORDER BY "VALID_FROM" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS stretch
    FROM (
        SELECT "TICKER", "SECURITY_ID", "VALID_FROM", "VALID_TO", CASE WHEN lag("VALID_TO") OVER (
            PARTITION BY "TICKER", "SECURITY_ID" ORDER BY "VALID_FROM"
        ) = "VALID_FROM" THEN 0 ELSE 1 END AS begins
        FROM {history.name}
    ) AS marked
) AS numbered
GROUP BY "TICKER", "SECURITY_ID", stretch""",
        needs=(history,),
    )
