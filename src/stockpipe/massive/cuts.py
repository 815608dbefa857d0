"""A list fetched side by side: ticker ranges, each walked by its own chain of cursors, all through one pacer.

Cursors are a chain, so a plain walk waits once for every page. `ticker.gte` and `ticker.lt` cut a list into ranges
that can be walked at the same time. A range begins at a ticker of plain capitals and digits, so that it does not
matter how the API orders other characters. Every row is held against its range: together the ranges are the list.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import string
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from stockpipe.base.runlog import in_this_run
from stockpipe.massive.answers import Page
from stockpipe.massive.client import Client
from stockpipe.massive.pages import Guard, Query, RangesUnusable, ticker_of, walk

log = logging.getLogger(__name__)

Placed = tuple[int, Page]
"""A page with its place: places grow along the list, whatever the order in which pages arrive."""

# More than a chain can have pages, so that no two pages of a list share a place.
_PLACES = 1_000_000
_PLAIN = re.compile(r"[A-Z0-9]+")
# Cut here, a list of some 12,000 US stocks falls into ranges of a little under one page each (as listed in 2026).
_LETTERS = ("AV", "BV", "CT", "EM", "FS", "HL", "JE", "MB", "NO", "PK", "RO", "SP", "TS", "WM")


@dataclass(frozen=True)
class Split:
    """How a list may be cut: into how many pages at once, and where its ranges begin.

    `starts` are tickers of the last published day in rising order, none when no day is known; then a fixed
    table of letters serves.
    `prefix` is what all tickers of the market begin with, such as `I:`.
    """

    calls: int = 1
    starts: tuple[str, ...] = ()
    prefix: str = ""

    def beyond(self, ticker: str) -> tuple[str, ...]:
        """Where ranges may begin after a ticker. The first is the next letter, which no collation can dispute."""
        name = ticker.removeprefix(self.prefix)
        if not ticker.startswith(self.prefix) or not _PLAIN.match(name):
            return ()
        letter = next((letter for letter in string.ascii_uppercase if letter > name[0]), None)
        if letter is None:
            return ()
        later = self.starts or [self.prefix + letters for letters in _LETTERS]
        return (self.prefix + letter, *(start for start in later if start > self.prefix + letter))


@dataclass(frozen=True)
class _Stretch:
    """A part of the list with a chain of its own.

    With a `cursor` it goes on from there; such a chain knows no upper bound, so it is cut at it here.
    """

    query: Query
    place: int
    cursor: str | None = None

    def pages(self, client: Client, guard: Guard) -> Iterator[Placed]:
        """The pages of the stretch; RangesUnusable when a row is none of it."""
        for number, page in enumerate(walk(client, self.query, guard, self.cursor)):
            rows = page.rows if self.cursor is None else _rows_before(page, self.query.bounds[1])
            yield self.place + number, replace(page, rows=rows)
            if len(rows) < len(page.rows):
                return


def fetch(client: Client, query: Query, guard: Guard, split: Split) -> Generator[Placed, None, None]:
    """All pages of a query, side by side as soon as the key's plan is known to allow it, else one after the other.

    Raises what `walk` raises, RangesUnusable among it.
    """
    if split.calls > 1 and split.starts and client.pacer.hurries:
        yield from _side_by_side(client, _ranges(query, (None, *split.starts), 0), guard, split.calls)
        return
    for place, page in enumerate(walk(client, query, guard)):
        yield place, page
        starts = split.beyond(_last_ticker(page)) if page.next_url else ()
        if starts and split.calls > 1 and client.pacer.hurries:
            cursor = client.own_target(str(page.next_url), query.dataset.path)
            rest = _Stretch(replace(query, bounds=(None, starts[0])), place + 1, cursor)
            later = _ranges(query, starts, place + 1 + _PLACES)
            yield from _side_by_side(client, [rest, *later], guard, split.calls)
            return


def _ranges(query: Query, starts: Sequence[str | None], place: int) -> list[_Stretch]:
    """A range from each start to the next one; the last is open above."""
    ends = (*starts[1:], None)
    return [
        _Stretch(replace(query, bounds=bounds), place + number * _PLACES)
        for number, bounds in enumerate(zip(starts, ends, strict=True))
    ]


def _side_by_side(client: Client, stretches: list[_Stretch], guard: Guard, calls: int) -> Iterator[Placed]:
    """The pages of all stretches as they come. When one fails for good, all stop and its error is raised."""
    log.debug("fetching %d ranges, %d pages at once", len(stretches), calls)
    todo: queue.SimpleQueue[_Stretch] = queue.SimpleQueue()
    for stretch in stretches:
        todo.put(stretch)
    ready: queue.Queue[Placed | BaseException | None] = queue.Queue(maxsize=2)
    crew = [
        threading.Thread(
            target=in_this_run(_work), args=(client, guard, todo, ready), name=f"fetch-{number}", daemon=True
        )
        for number in range(min(calls, len(stretches)))
    ]
    for worker in crew:
        worker.start()
    try:
        at_work = len(crew)
        while at_work:
            done = _next(ready)
            if isinstance(done, BaseException):
                raise done
            if done is None:
                at_work -= 1
            else:
                yield done
    finally:
        _dismiss(client, crew, ready)


def _work(
    client: Client,
    guard: Guard,
    todo: queue.SimpleQueue[_Stretch],
    ready: queue.Queue[Placed | BaseException | None],
) -> None:
    """Walk stretches until none is left. Runs in a thread: whatever goes wrong is handed over, not raised."""
    try:
        with contextlib.suppress(queue.Empty):
            while True:
                for placed in todo.get_nowait().pages(client, guard):
                    ready.put(placed)
        ready.put(None)
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
        ready.put(error)


def _next(ready: queue.Queue[Placed | BaseException | None]) -> Placed | BaseException | None:
    """The next thing handed over. On Windows only a wait with an end can be interrupted by Ctrl+C."""
    while True:
        with contextlib.suppress(queue.Empty):
            return ready.get(timeout=0.5)


def _dismiss(client: Client, crew: list[threading.Thread], ready: queue.Queue[Placed | BaseException | None]) -> None:
    """Let the threads end: no further call starts, waits are cut short, and what is handed over goes nowhere."""
    stop = client.pacer.patience.stop
    stop.set()
    for worker in crew:
        while worker.is_alive():
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.01)
    stop.clear()


def _last_ticker(page: Page) -> str:
    return (ticker_of(page.rows[-1]) if page.rows else None) or ""


def _rows_before(page: Page, high: str | None) -> list[str]:
    """The rows of a page up to a letter; RangesUnusable when the list is not in the order of its first letters."""
    tickers = [ticker_of(row) for row in page.rows]
    before = [high is None or ticker is None or ticker < high for ticker in tickers]
    own = before.index(False) if False in before else len(before)
    place = len(high or "") - 1
    if any(before[own:]) or not all(_PLAIN.match(ticker, place) for ticker in tickers[own:] if ticker):
        raise RangesUnusable("The API's list is not in the order of its tickers.")
    return page.rows[:own]
