"""The last net: what is in the table is counted before COMMIT, and a wrong number undoes the whole transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock
from stockpipe.datasets import TICKERS
from stockpipe.errors import WarehouseError
from stockpipe.load.desk import Desk
from stockpipe.load.staging import Staging
from stockpipe.settings import load_settings
from stockpipe.warehouse import Delivery, Publication
from stockpipe.warehouse.runs import RunRecord
from support.loads import partition

DAY = partition("2026-02-06")


@pytest.fixture(params=["duckdb", "snowflake copy", "snowflake insert"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A warehouse with its tables, in which two rows of the day are published."""
    kind, _, method = request.param.partition(" ")
    if kind == "duckdb":
        with Desk(load_settings({"STOCKPIPE_WAREHOUSE": "duckdb"}, env={}), Clock()) as desk:
            yield ready(desk)
        return
    with SnowflakeGate() as gate:
        settings = gate.env() | {"STOCKPIPE_LOAD_METHOD": method}
        with Desk(load_settings(settings, env={}), Clock()) as desk:
            yield ready(desk)


def ready(desk: Desk) -> Desk:
    desk.prepare(TICKERS)
    publish(desk, "run-1", ["A", "B"], said=2)
    return desk


def publish(desk: Desk, run_id: str, tickers: list[str], said: int) -> None:
    """Publish some rows with a record that says how many they are."""
    usual = {"name": "A company", "market": "stocks", "locale": "us", "active": True}
    with Staging(DAY) as staging:
        staging.add(1, [json.dumps(usual | {"ticker": ticker}) for ticker in tickers])
        staging.finish()
        begun = RunRecord.begin(run_id, DAY, datetime(2026, 2, 7, 9, 30, tzinfo=UTC))
        record = begun.finished("published", datetime(2026, 2, 7, 9, 31, tzinfo=UTC), rows_published=said)
        desk.warehouse.begin(run_id)
        rejects: Iterator[list[tuple[Any, ...]]] = staging.rejects(run_id)
        desk.warehouse.publish(
            Delivery(TICKERS, [Publication(DAY, record)], staging.write_parquet(), rejects, desk.clock)
        )


def there(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.warehouse.query('SELECT "TICKER" FROM "TICKERS" ORDER BY 1').rows


@pytest.mark.parametrize(("tickers", "said"), [(["C"], 2), (["C", "D", "E"], 2), (["C"], 0)])
def test_another_number_of_rows_than_was_said_leaves_the_day_as_it_was(
    desk: Desk, tickers: list[str], said: int
) -> None:
    with pytest.raises(WarehouseError) as caught:
        publish(desk, "run-2", tickers, said)
    assert caught.value.message == (
        f"After the load, {len(tickers)} rows of stocks, 2026-02-06 are in the table where {said} were sent."
    )
    assert caught.value.hint == "The transaction was rolled back: the table is as it was."
    assert there(desk) == [("A",), ("B",)]
    assert desk.warehouse.query('SELECT "RUN_ID" FROM "STOCKPIPE_RUNS"').rows == [("run-1",)]


def test_the_right_number_replaces_the_day(desk: Desk) -> None:
    publish(desk, "run-2", ["C", "D", "E"], 3)
    assert there(desk) == [("C",), ("D",), ("E",)]
    assert desk.warehouse.count(DAY) == 3
