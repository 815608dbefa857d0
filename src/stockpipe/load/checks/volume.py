"""Are there as many rows as the day before lets expect, and does the list end where it should?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from stockpipe.base.text import printable
from stockpipe.datasets import Dataset
from stockpipe.load.checks.finding import Finding, Limits
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse.runs import RunRecord

UNUSUAL_MOVE = 0.01
"""The share, included, from which a move between two days is worth a warning."""
DAYS_A_MONTH = 30
FEW_ROWS = 2


def volume(ds: date, facts: StagedPart, last: RunRecord, limits: Limits) -> Iterator[Finding]:
    """A finding when the rows are many fewer, or many more, than those of the last published day. Limits are included."""
    now, before = facts.counts.published, last.rows_published
    if abs(now - before) <= _tolerance(min(before, now)):
        return
    days = abs((ds - last.ds).days)
    months = max(1.0, days / DAYS_A_MONTH)
    # Rounded, so that 3.7 % of 1,000 rows are 37 rows, which doubles alone do not say.
    shares = ((now - before) / before, limits.loss * months, limits.growth * months, UNUSUAL_MOVE * months)
    change, loss, growth, unusual = (round(share, 9) for share in shares)
    sentence = f"{now:,} rows against {before:,} on {last.ds} ({change:+.1%})"
    if change <= -loss:
        yield Finding("volume", "refuse", f"{sentence}: a loss of {_percent(loss)} or more.")
    elif change >= growth:
        yield Finding("volume", "refuse", f"{sentence}: a rise of {_percent(growth)} or more.")
    elif abs(change) >= unusual:
        yield Finding("volume", "warn", f"{sentence}: unusual for {f'{days} days' if days > 1 else 'one day'}.")


def _percent(share: float) -> str:
    """A limit as people write it: 5%, 7.5%."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _tolerance(rows: int) -> int:
    """How many rows a list of this length may move, whatever share that is.

    Listings come and go like independent events, so the count of a list of n rows wavers by about the square root of n
    over months. A quarter of that is allowed for one step: 2 rows up to 143, 5 at 400, 25 at 10,000 (0.25 %).
    """
    return max(FEW_ROWS, math.isqrt(rows) // 4)


def list_end(facts: StagedPart, last: RunRecord) -> Iterator[Finding]:
    """A list that the API cut ends far before yesterday's: its last key begins with an earlier letter."""
    ends, ended = facts.last_key or "", last.last_ticker or ""
    if not ends or not ended or ends[:1].upper() >= ended[:1].upper():
        return
    text = f"The list ends with {printable(ends)}; on {last.ds} it ended with {printable(ended)}: it may have been cut."
    yield Finding("cut", "warn", text)


def whole_pages(dataset: Dataset, facts: StagedPart, last: RunRecord | None) -> Iterator[Finding]:
    """A list of whole pages only may have been cut behind one of them: on a first day, and where rows are missing."""
    page, rows = dataset.source.page, facts.counts.fetched
    if not page or not facts.counts.published or rows % page or (last and last.rows_published <= rows):
        return
    known = f"on {last.ds} it had {last.rows_published:,}" if last else "there is no earlier day to compare with"
    text = f"The list has exactly {rows:,} rows, whole pages only: it may have been cut, and {known}."
    yield Finding("cut", "warn", text)


def band(before: int, days: int, limits: Limits) -> tuple[float, float]:
    """Between which numbers of rows a list is let pass, `days` after one of `before` rows; both ends are refused."""
    months = max(1.0, days / DAYS_A_MONTH)
    return before * max(0.0, 1 - limits.loss * months), before * (1 + limits.growth * months)
