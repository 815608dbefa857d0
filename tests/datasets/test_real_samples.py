"""Real answers of the API, where they lie beside the project: every field is stored as it was sent, or the row rejected.

They are other people's dumps and not part of the project, so these tests are skipped elsewhere.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stockpipe.datasets import DATASETS, Column, Dataset, Part, Partition
from stockpipe.load.staging import Staging

DATA = Path(__file__).parents[3] / "shared" / "data"
SAMPLES = {
    "stocks-v1-splits-AAPL.json": "splits",
    "stocks-v1-dividends-AAPL.json": "dividends",
    "stocks-v1-short-interest-rows.json": "short_interest",
    "stocks-v1-short-volume-rows.json": "short_volume",
    "stocks-vX-float-rows.json": "float",
    "vX-reference-ipos-rows.json": "ipos",
    "v1-marketstatus-upcoming.json": "market_holidays",
    "v1-marketstatus-upcoming-2026-02-15-some-rows.json": "market_holidays",
    "v2-grouped-daily-one-row.json": "daily_bars",
    "v2-snapshot-stocks.json": "market_snapshot",
    "v2-snapshot-stocks-AAPL.json": "market_snapshot",
    "v3-reference-exchanges.json": "exchanges",
    "v3-reference-types.json": "ticker_types",
    "v3-reference-tickers-2022-04-27-page1.json": "tickers",
    "v3-reference-tickers-2022-04-27-page2.json": "tickers",
}
TWO_DATASETS = "stocks-v1-oldest-split-and-dividend-rows.json"
# Endpoints that are not loaded: older generations, one security at a time, the state of the market.
OTHERS = {
    "v1-marketstatus-now-2026-02-15.json", "v1-marketstatus-now.json", "v2-ticker-types.json", "v2-tickers-page1-2021-01-03.json",
    "v3-reference-dividends.json", "v3-reference-splits.json", "v3-snapshot.json", "v3-ticker-details-AAPL.json", "vX-ticker-events-META.json",
}  # fmt: skip
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="there is no ../shared/data")


def sample(name: str) -> list[Any]:
    """The rows of a sample, with numbers that keep every digit."""
    found = json.loads((DATA / "api-samples" / name).read_text(encoding="utf-8"), parse_float=Decimal)
    if isinstance(found, dict):
        found = found.get("results") or found.get("tickers") or [found["ticker"]]
    assert found
    return list(found)


def stored(dataset: Dataset, rows: list[Any], ds: date) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows as they would be published, in their order, and the reasons of those that would not."""
    part = next(iter(dataset.parts()))
    with Staging(Partition(Part(dataset, part.choices), ds)) as staging:
        staging.add(0, [json.dumps(row, default=_number) for row in rows])
        staging.finish().counts.require_sum()
        paths = [str(path) for path in staging.write_parquet()]
        reasons = [row[4] for batch in staging.rejects("run") for row in batch]
        with duckdb.connect() as connection:
            found = connection.execute("SELECT * FROM read_parquet(?)", [paths])
            names = [name for name, *_ in found.description or ()]
            return [dict(zip(names, cells, strict=True)) for cells in found.fetchall()], reasons


def _number(value: Any) -> Any:
    """A number for the JSON of a test: a float, whose shortest text has the same digits."""
    assert Decimal(repr(float(value))) == value
    return float(value)


def fields(dataset: Dataset, row: dict[str, Any]) -> Iterator[tuple[Column, Any]]:
    """Each declared column with the value that was sent."""
    for column in dataset.fields:
        value: Any = row
        for name in str(column.field).split("."):
            value = value.get(name) if isinstance(value, dict) else None
        yield column, value


def as_sent(column: Column, cell: Any) -> Any:
    """A stored value in the form in which it was sent."""
    if cell is None or column.kind in ("text", "flag", "int"):
        return cell
    if column.kind == "json":
        return json.loads(cell)
    if column.kind == "date":
        return cell.isoformat()
    if column.kind == "float":
        return Decimal(repr(cell))
    return cell


def same(column: Column, cell: Any, sent: Any) -> bool:
    if cell is None or sent is None:
        return cell is sent
    if column.kind != "timestamp":
        return bool(as_sent(column, cell) == sent)
    moment = cell.replace(tzinfo=UTC)
    if column.type.sent == "text":
        return bool(abs(moment - datetime.fromisoformat(sent)) < timedelta(microseconds=1))
    unit = 1_000 if column.type.sent == "epoch_ms" else 1_000_000_000
    return bool(abs(Decimal(moment.timestamp()) - Decimal(sent) / unit) < Decimal("0.00001"))


def must_be_equal(name: str, rows: list[Any], ds: date = date(2026, 2, 6)) -> None:
    dataset = DATASETS[name]
    found, reasons = stored(dataset, rows, ds)
    assert reasons == []
    assert len(found) == len(rows)
    for row, sent in zip(found, rows, strict=True):
        for column, value in fields(dataset, sent):
            assert same(column, row[column.name], value), (name, column.name, row[column.name], value)


def test_every_sample_is_of_a_dataset_or_of_none() -> None:
    names = {path.name for path in (DATA / "api-samples").glob("*.json")}
    assert names == {*SAMPLES, TWO_DATASETS} | OTHERS


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_stored_field_by_field(name: str) -> None:
    rows = sample(name)
    must_be_equal(SAMPLES[name], rows, date.fromisoformat(str(rows[0].get("date", "2026-02-06"))))


def test_the_oldest_split_and_a_dividend_in_another_currency() -> None:
    split, dividend = sample(TWO_DATASETS)
    must_be_equal("splits", [split])
    must_be_equal("dividends", [dividend])


def test_a_day_of_bars_with_floats_in_scientific_notation() -> None:
    text = (DATA / "bars" / "grouped-daily-2019-02-01.json").read_text(encoding="utf-8")
    rows = json.loads(text, parse_float=Decimal)["results"]
    assert len(rows) == 8374
    assert "e+06" in text
    must_be_equal("daily_bars", rows, date(2019, 2, 1))


@pytest.mark.parametrize("day", ["2025-01-02", "2026-02-23", "2026-08-21"])
def test_bars_with_fractional_volume(day: str) -> None:
    with (DATA / "bars" / "dow30-daily-bars-2025-01-02_2026-08-21.csv").open(encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["date"] == day]
    rows = [
        {"T": line["T"], "t": int(line["t"]), "n": int(line["n"])} | {name: Decimal(line[name]) for name in ("o", "h", "l", "c", "v", "vw")}
        for line in lines
    ]  # fmt: skip
    assert rows
    must_be_equal("daily_bars", rows, date.fromisoformat(day))
