"""The sandbox serves what `stockpipe export` has written: the day that is loaded from it is the day that was exported."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import stockpipe
from conftest import Serve, command, flags, stock, table
from stockpipe.errors import ConfigError
from stockpipe.sandbox import Sandbox
from stockpipe.sandbox.dump import Dump
from stockpipe.sandbox.exported import as_sent

DAY = "2026-02-07"
CONTENT = f"SELECT * EXCLUDE (DS) FROM TICKERS WHERE DS = '{DAY}' ORDER BY TICKER, ACTIVE"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_day_goes_out_and_in_again(serve: Serve, form: str) -> None:
    rows = [
        stock("ABRpD", cik="0000001234"), stock("B", name="=1+1 Corp", share_class_figi=""), stock("C", new_field="kept"),
        stock("D", active="False", delisted_utc="2026-02-06T05:00:00Z"),
    ]  # fmt: skip
    stockpipe.load(on=date.fromisoformat(DAY), active="both", settings=flags(serve(rows)))
    before = table(CONTENT)
    assert len(before) == 4
    done = command("export", "--date", DAY, f"day.{form}")
    assert done.returncode == 0, done.stderr
    with Sandbox(data=Path(f"day.{form}")) as again:
        settings = flags(again, STOCKPIPE_DUCKDB_PATH="again.duckdb")
        stockpipe.load(on=date.fromisoformat(DAY), active="both", settings=settings)
    assert table(CONTENT, "again.duckdb") == before


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_of_several_days_each_has_its_list(serve: Serve, form: str) -> None:
    days = {"2026-02-05": [stock("A")], "2026-02-07": [stock("A"), stock("B"), stock("C", active="False")]}
    for day, rows in days.items():
        stockpipe.load(on=date.fromisoformat(day), active="both", settings=flags(serve(rows)), force=True)
    assert command("export", "--all", f"days.{form}").returncode == 0
    dump = Dump(Path(f"days.{form}"))
    now = datetime(2026, 11, 26, tzinfo=UTC)
    asked = {"": None, "before": "2026-01-01", "first": "2026-02-05", "between": "2026-02-06", "last": "2026-02-07", "behind": "2027-01-01"}  # fmt: skip
    found = {
        name: [
            "".join(
                str(row["ticker"]) for row in dump.rows("stocks", active, date.fromisoformat(on) if on else None, now)
            )
            for active in (True, False)
        ]
        for name, on in asked.items()
    }
    first, last = ["A", ""], ["AB", "C"]
    assert found == {"": last, "before": first, "first": first, "between": first, "last": last, "behind": last}
    assert dump.build_key(None, now) == dump.build_key(date(2026, 2, 8), now) != dump.build_key(date(2026, 2, 6), now)


def test_a_row_as_the_api_sends_it() -> None:
    row = {
        "TICKER": "A", "NAME": "'=A", "CIK": "", "ACTIVE": "true", "DELISTED_UTC": "2026-02-06 00:00:00.5", "DS": DAY,
        "EXTRA": '{"x": 1}',
    }  # fmt: skip
    assert as_sent(row, csv=True) == {
        "ticker": "A", "name": "=A", "active": "true", "delisted_utc": "2026-02-06T00:00:00.5Z", "x": 1,
    }  # fmt: skip
    # Only in CSV is a quote a guard, and only in front of a formula.
    assert as_sent({"TICKER": "A", "NAME": "'=A"})["name"] == "'=A"
    assert as_sent({"TICKER": "A", "NAME": "'s-Hertogenbosch"}, csv=True)["name"] == "'s-Hertogenbosch"


def test_lower_case_dumps_are_served_as_they_are() -> None:
    Path("a.jsonl").write_text(json.dumps({"ticker": "A", "DS": "x", "last_updated_utc": "2026-02-06 00:00:00"}))
    assert Dump(Path("a.jsonl")).rows("stocks", True, None, None) == [  # type: ignore[arg-type]
        {"ticker": "A", "DS": "x", "last_updated_utc": "2026-02-06 00:00:00"}
    ]


@pytest.mark.parametrize("name", ["none.parquet", "broken.parquet"])
def test_a_parquet_file_that_cannot_be_read_is_told(name: str) -> None:
    Path("broken.parquet").write_text("no parquet")
    with pytest.raises(ConfigError, match=f"{name} cannot be served"):
        Dump(Path(name))
