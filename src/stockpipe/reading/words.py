"""What a reader writes, judged before it goes into SQL, and the words in which a reader is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from stockpipe.base.calls import python_words
from stockpipe.base.text import day_literal, quoted
from stockpipe.datasets import Dataset, Part
from stockpipe.errors import UsageError
from stockpipe.load.loads import known_dataset, parts_of, words_for

# Signs of tickers, pairs (X:BTCUSD) and indices (I:SPX). None of them means anything within quotes, in either warehouse.
_TICKER = re.compile(r"[A-Za-z0-9.:/_+=^*& -]{1,40}")


def ticker_literal(ticker: Any) -> str:
    """A ticker as SQL text; UsageError for what can be none. Case matters: ABRpD is not ABRPD."""
    if isinstance(ticker, str) and _TICKER.fullmatch(ticker):
        return f"'{ticker}'"
    shown = quoted(ticker, 40) if isinstance(ticker, str) else repr(ticker)
    raise UsageError(f"{shown} is not a ticker.", hint="Write it as the API does, such as AAPL, BRK.A or X:BTCUSD.")


def holds_on(day: date, kind: Literal["VALID", "KNOWN"], table: str = "") -> str:
    """The condition for the row that holds on a day: "VALID_FROM" <= DATE '...' AND ("VALID_TO" > DATE '...' OR "VALID_TO" IS NULL).

    `table` is a table's name in the statement, with its dot.
    """
    begins, ends, on = f'{table}"{kind}_FROM"', f'{table}"{kind}_TO"', day_literal(day)
    return f"{begins} <= {on} AND ({ends} > {on} OR {ends} IS NULL)"


def chosen_parts(dataset: str, market: str | None, active: str | None) -> list[Part]:
    """The parts of a dataset; UsageError for a word that it does not know. What is None is the usual part."""
    declared: Dataset = known_dataset(dataset)
    return parts_of(declared, {"market": market, "active": active})


def load_command(parts: Sequence[Part]) -> str:
    """What loads some parts of one dataset: `stockpipe run --market otc --active both`."""
    return " ".join(("stockpipe run", *words_for(parts)))


def words(message: str, named: Mapping[str, str] | None = None) -> str:
    """A reader's message about commands as one about calls; `named` as for `python_words`."""
    ours = {
        "stockpipe runs": "days()",
        "--duckdb-path": "path",
        'stockpipe query "SHOW TABLES"': 'query("SHOW TABLES")',
    }
    return python_words(message, ours | dict(named or {}))
