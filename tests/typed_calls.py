"""Calls as a user's script has them, for `make types` alone: mypy must take the right ones and refuse the wrong ones.

An ignore that is not needed is an error of `mypy --strict`, so each one below proves a refusal.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import stockpipe
from stockpipe import Answer, Reader, RunRecord, RunResult, errors


def right() -> int:
    """What the docs show."""
    result: RunResult = stockpipe.load(date="2026-02-06", active=True, env_file="prod.env")
    again = stockpipe.load("tickers", on=date(2026, 2, 6), active="both", duckdb_path=Path("x.duckdb"), deadline=60)
    record: RunRecord = again.records[0]
    document: dict[str, object] = record.as_dict() | result.as_dict()
    try:
        stockpipe.load(dry_run=True, force=True, require_fresh=True, sample_data=False)
    except errors.DataCheckError as error:
        return error.exit_code
    return len(document)


def reading() -> int:
    """A reader, and what it answers."""
    desk: Reader
    with stockpipe.open("days.duckdb") as desk:
        universe: Answer = desk.universe(date(2026, 2, 6), market="stocks", active="both")
        desk.prices(["AAPL", "MSFT"], "2020-08-01", adjust="total", known_on=date(2026, 2, 6))
        desk.prices("AAPL", adjust="all")  # type: ignore[arg-type]
        changes = desk.changes("2026-02-06", since="2026-02-01")
        desk.runs(status="failed", date="2026-02-06", limit=5)
    with stockpipe.open(warehouse="snowflake", connection="prod") as account:
        found: list[dict[str, object]] = account.query("SELECT 1 AS ONE").rows()
    return len(universe) + len(changes) + len(found)


def wrong() -> None:
    """What strict mypy must not take."""
    stockpipe.load(dry_run="yes")  # type: ignore[arg-type]
    stockpipe.load(forse=True)  # type: ignore[call-arg]
    stockpipe.load(date=20260206)  # type: ignore[arg-type]
    stockpipe.load(market=["stocks"])  # type: ignore[arg-type]
    stockpipe.load(env_file=True)  # type: ignore[arg-type]
    stockpipe.load(settings={"STOCKPIPE_MAX_LOSS": 5})  # type: ignore[dict-item]
    desk = stockpipe.open(5)  # type: ignore[arg-type]
    desk.universe(20260206)  # type: ignore[arg-type]
    desk.runs(status="ok")  # type: ignore[arg-type]
    desk.universe(dya="2026-02-06")  # type: ignore[call-arg]
    stockpipe.load("tickers", "2026-02-06")  # type: ignore[call-arg]
