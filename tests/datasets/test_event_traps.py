"""Splits, dividends and short volume with all that is awkward about the vendor's: each arrives as it was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conftest import flags, table
from stockpipe.sandbox import Answer, Request, Sandbox
from support.clocks import FakeClock
from support.loads import load

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)


class Vendor:
    """Answers with rows as JSON text, so that a number stands there as the vendor wrote it."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.now = NOW
        self.sandbox = Sandbox(rows=10, now=lambda: self.now, wrap=self._wrap)

    def _wrap(self, _: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(_: Request) -> Answer:
            body = '{"status":"OK","request_id":"1","results":[' + ",".join(self.rows) + "]}"
            return Answer(200, body.encode(), {"Content-Type": "application/json", "X-Sandbox": "synthetic seed=7"})

        return answer

    def load(self, dataset: str, **how: Any) -> Any:
        env = flags(self.sandbox, STOCKPIPE_WAREHOUSE="duckdb")
        return load(env, FakeClock(moment=self.now), dataset=dataset, **how)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    with vendor.sandbox:
        yield vendor


def split(ticker: str, word: str = "forward_split", new: str = "2", factor: str = ', "historical_adjustment_factor": 0.5', **more: str) -> str:  # fmt: skip
    event = {"day": "2026-03-02", "old": "1", "id": f"E{ticker}"} | more
    return (
        f'{{"id": "{event["id"]}", "ticker": "{ticker}", "execution_date": "{event["day"]}", "split_from": {event["old"]}, '
        f'"split_to": {new}, "adjustment_type": "{word}"{factor}}}'
    )


def test_splits_without_a_factor_and_a_pair_told_twice_are_kept_as_they_came(vendor: Vendor) -> None:
    announced = split("NA", day="2026-12-01", factor=', "historical_adjustment_factor": null')
    wrong = [split("NAN", factor=', "historical_adjustment_factor": 0'), split("TRUE", factor=', "historical_adjustment_factor": -0.1')]  # fmt: skip
    pair = [split("PAIR", new="1.4e+00"), split("PAIR", word="stock_dividend", new="1.4", id="P2")]
    vendor.rows = [announced, *wrong, *pair, split("na", old="1.0", new="21.0", factor="")]
    loaded = vendor.load("splits").records[0]
    assert (loaded.rows_published, loaded.rows_rejected, loaded.rows_repeated) == (6, 0, 0)
    rows = "SELECT ticker, adjustment_type, split_from, split_to, historical_adjustment_factor FROM splits ORDER BY ticker, 2"
    assert table(rows) == [
        ("NA", "forward_split", 1.0, 2.0, None), ("NAN", "forward_split", 1.0, 2.0, 0.0), ("PAIR", "forward_split", 1.0, 1.4, 0.5),
        ("PAIR", "stock_dividend", 1.0, 1.4, 0.5), ("TRUE", "forward_split", 1.0, 2.0, -0.1), ("na", "forward_split", 1.0, 21.0, None),
    ]  # fmt: skip
    # The next day every id is new, and the announced split has got its factor: no version is made by that.
    vendor.now = NOW + timedelta(days=1)
    vendor.rows = [row.replace('"id": "', '"id": "new-').replace("null", "0.5") for row in vendor.rows]
    vendor.load("splits")
    assert table("SELECT count(*), count(known_to), min(known_from), max(known_from) FROM splits") == [
        (6, 0, TODAY, TODAY)
    ]
    assert table("SELECT historical_adjustment_factor, vendor_id FROM splits WHERE ticker = 'NA'") == [(0.5, "new-ENA")]


def dividend(ticker: str, amount: str, kind: str = "recurring", **more: str) -> str:
    said = {"currency": "USD", "factor": "", "id": f"E{ticker}{kind}"} | more
    return (
        f'{{"id": "{said["id"]}", "ticker": "{ticker}", "ex_dividend_date": "2026-08-07", "cash_amount": {amount}, '
        f'"currency": "{said["currency"]}", "distribution_type": "{kind}", "frequency": 4{said["factor"]}}}'
    )


def test_two_dividends_on_one_day_other_currencies_and_unknown_factors_are_kept(vendor: Vendor) -> None:
    vendor.rows = [
        dividend("A", "0.26", factor=', "historical_adjustment_factor": 0.998'),
        dividend("A", "3.0e+00", "special", factor=', "historical_adjustment_factor": null'),
        dividend("TRUE", "0.26", currency="CNY"),
        # More than the price, and the same amount told twice by ids alone.
        dividend("Z", "125", "irregular"), dividend("Z", "125.0", "irregular", id="P9"),
    ]  # fmt: skip
    loaded = vendor.load("dividends").records[0]
    assert (loaded.rows_published, loaded.rows_rejected) == (5, 0)
    rows = "SELECT ticker, cash_amount, currency, distribution_type, occurrence, historical_adjustment_factor FROM dividends ORDER BY ALL"
    assert table(rows) == [
        ("A", 0.26, "USD", "recurring", 1, 0.998), ("A", 3.0, "USD", "special", 1, None), ("TRUE", 0.26, "CNY", "recurring", 1, None),
        ("Z", 125.0, "USD", "irregular", 1, None), ("Z", 125.0, "USD", "irregular", 2, None),
    ]  # fmt: skip


def test_short_volume_is_exact_whether_it_is_written_whole_or_not(vendor: Vendor) -> None:
    numbers = [("NA", "16264662.0"), ("NAN", "16264662"), ("TRUE", "1.6264662e+07"), ("X", "11.5")]
    vendor.rows = [f'{{"ticker": "{name}", "date": "2026-11-19", "total_volume": {number}, "short_volume_ratio": 34.95}}' for name, number in numbers]  # fmt: skip
    assert vendor.load("short_volume").rows == 4
    rows = "SELECT ticker, CAST(total_volume AS DOUBLE), short_volume_ratio FROM short_volume ORDER BY 1"
    assert [(name, volume) for name, volume, _ in table(rows)] == [
        ("NA", 16264662.0), ("NAN", 16264662.0), ("TRUE", 16264662.0), ("X", 11.5),
    ]  # fmt: skip
