"""The views of prices: each is made by a run once the tables that it needs are there, BARS by that of DAILY_BARS alone."""

from __future__ import annotations

from dataclasses import replace

from stockpipe.datasets import DATASETS
from stockpipe.datasets.column import DATE, FLAG, FLOAT, INTEGER, Column, text
from stockpipe.models.prices import Sources, adjusted_sql, adjustments_sql, bars_sql, factors_sql, issues_sql
from stockpipe.warehouse.model import Kept, Model
from stockpipe.warehouse.securities import SECURITY_HISTORY, placed
from stockpipe.warehouse.sql import Table

PRICED = tuple(DATASETS[name] for name in ("daily_bars", "splits", "dividends"))
"""The datasets that the views read."""
_SERIES = Column(
    "SERIES",
    text(),
    "What goes on over days: the security (before the first list that of its ticker then; one that comes back to the lists also "
    "while it is away), or the ticker where no list has it.",
)
_SECURITY = Column("SECURITY_ID", text(), "The security; null for a ticker that no list of the day has.")
_TICKER = Column("TICKER", text(20), "Symbol on the day; case matters.")
_DS = Column("DS", DATE, "The trading day.")
_EX_DATE = Column("EX_DATE", DATE, "First day at the new price, as the vendor tells it.")
_BARS = tuple(
    column for column in DATASETS["daily_bars"].columns
    if column.name in ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "VWAP", "TRANSACTIONS", "OTC")
)  # fmt: skip
_ADJUSTMENTS = (
    _SERIES,
    _EX_DATE,
    Column("PREV_DS", DATE, "The last bar before it."),
    Column("FIRST_BAR", DATE, "The first bar on it or after it."),
    Column("PREV_CLOSE", FLOAT, "Close of the last bar before it."),
    Column("FIRST_CLOSE", FLOAT, "Close of the first bar."),
    Column("SPLIT_FACTOR", FLOAT, "Old shares per new share; 1 without a split."),
    Column("DIVIDEND", FLOAT, "Sum of the dividends of the day per old share; 0 without one.", unit="USD"),
    Column("DIVIDEND_FACTOR", FLOAT, "1 - DIVIDEND / PREV_CLOSE."),
    Column("CRSP_FACTOR", FLOAT, "The same from the close after it; chains to the product of daily returns."),
)
_ISSUES = (
    _SERIES,
    _EX_DATE,
    Column("EVENT", text(), "split, dividend, or price for a jump that no event explains."),
    Column("ISSUE", text(), "What is doubtful, in words."),
    Column("USED", FLAG, "Whether the event counts all the same."),
    Column("VALUE", FLOAT, "New shares per old share, the amount, or the move of the price."),
    Column("LIKELY_DATE", DATE, "Of a split on a wrong date: the day on which the price moved so."),
)
_PRICES = ("OPEN", "HIGH", "LOW", "CLOSE", "VWAP")
_ADJUSTED = (
    _SERIES,
    _SECURITY,
    _TICKER,
    _DS,
    *(Column(name, FLOAT, "Adjusted for splits: on the shares of the last bar.", unit="USD") for name in _PRICES),
    Column("VOLUME", FLOAT, "Adjusted for splits.", unit="shares"),
    *(Column(f"TR_{name}", FLOAT, "With dividends reinvested too (total return).", unit="USD") for name in _PRICES[:4]),
    Column(
        "FORWARD_CLOSE", FLOAT, "Total return from the first bar on; later events change no earlier value.", unit="USD"
    ),
    Column("RAW_CLOSE", DATASETS["daily_bars"].column("CLOSE").type, "As traded.", unit="USD"),
    Column("SPLIT_FACTOR", FLOAT, "Product of the splits after the day."),
    Column("DIVIDEND_FACTOR", FLOAT, "Product of the dividend factors after the day."),
)

FACTORS = Table(
    '"ADJUSTMENT_FACTORS"',
    (
        _SERIES,
        Column("YEAR", INTEGER, "The year that the days lie in."),
        Column("FROM_BAR", DATE, "The first day of the stretch; null from the first bar on."),
        Column("UNTIL_BAR", DATE, "The first day behind it: the first bar of the next event."),
        Column("SPLIT_FACTOR", FLOAT, "Product of the splits after these days."),
        Column("DIVIDEND_FACTOR", FLOAT, "Product of the dividend factors after these days."),
    ),
    "The factors that ADJUSTED_BARS reads, worked out behind each load that they rest on.",
)
"""In a DuckDB file with many bars."""
_WORTH_KEEPING = 1_000_000
"""Bars of some hundred days: with fewer, ADJUSTED_BARS works the factors out in a third of a second."""


def price_views(prefix: str = "") -> tuple[Model, ...]:
    """BARS, ADJUSTMENTS, ADJUSTMENT_ISSUES and ADJUSTED_BARS; `prefix` is a quoted database and schema with a dot behind."""
    bars, splits, dividends = (f'{prefix}"{name}"' for name in ("DAILY_BARS", "SPLITS_CURRENT", "DIVIDENDS_CURRENT"))
    history = placed(SECURITY_HISTORY, prefix)
    sources = Sources(bars, splits, dividends, history.name, f'{prefix}"BARS"', f'{prefix}"ADJUSTMENTS"')
    models = (
        ("BARS", (_SERIES, _SECURITY, _TICKER, _DS, *_BARS), "Raw daily bars with the id of their security.", bars_sql),
        ("ADJUSTMENTS", _ADJUSTMENTS, "The splits and dividends that count, with their factors.", adjustments_sql),
        ("ADJUSTMENT_ISSUES", _ISSUES, "Splits, dividends and jumps that are doubtful.", issues_sql),
        ("ADJUSTED_BARS", _ADJUSTED, "Daily bars, split-adjusted and with dividends reinvested.", adjusted_sql),
    )
    return tuple(
        Model(
            f'{prefix}"{name}"',
            columns,
            comment,
            select(sources),
            needs=(history,) if name == "BARS" else (),
            joins=True,
            kept=_factors(sources, prefix) if name == "ADJUSTED_BARS" else None,
        )
        for name, columns, comment, select in models
    )


def _factors(sources: Sources, prefix: str) -> Kept:
    """What is kept of ADJUSTED_BARS: in the order of its series, as questions ask for few of them."""
    table = placed(FACTORS, prefix)
    ordered = f'{factors_sql(sources)}\nORDER BY "SERIES", "UNTIL_BAR", "YEAR"'
    return Kept(table, ordered, adjusted_sql(replace(sources, factors=table.name)), sources.daily_bars, _WORTH_KEEPING)
