"""A load as the commands start it, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from stockpipe import LoadResult
from stockpipe.base.clock import Clock
from stockpipe.datasets import TICKERS, Part, Partition
from stockpipe.load.desk import Desk
from stockpipe.load.loads import make_loads
from stockpipe.observe.metrics import MetricsFile
from stockpipe.observe.watch import load_watched
from stockpipe.settings import load_settings
from support.clocks import QuickClock

STOCKS, DELISTED = TICKERS.parts({"market": "stocks", "active": "both"})


def part(market: str = "stocks", active: str = "true") -> Part:
    """A part of the tickers."""
    return TICKERS.parts({"market": market, "active": active})[0]


def partition(day: str = "2026-02-06", market: str = "stocks", active: str = "true") -> Partition:
    """A part of the tickers on a day."""
    return Partition(part(market, active), date.fromisoformat(day))


def load_day(
    clock: Clock,
    env: Mapping[str, str | None],
    words: Mapping[str, str | None] | None = None,
    *,
    metrics_file: Path | None = None,
    dataset: str = "tickers",
    **how: Any,
) -> LoadResult:
    """Load a day with these settings and no others."""
    with Desk(load_settings(env, env={}), clock) as desk:
        metrics = MetricsFile(metrics_file) if metrics_file else None
        return load_watched(desk, make_loads(clock, dataset, words, **how), metrics=metrics)


def load(
    settings: Mapping[str, str | None],
    clock: Clock | None = None,
    words: Mapping[str, str | None] | None = None,
    **how: Any,
) -> LoadResult:
    """What `stockpipe.load` does, on a clock whose waits take a thousandth of their time."""
    return load_day(clock or QuickClock(), settings, words, **how)
