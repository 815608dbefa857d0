"""A list fetched side by side: ranges, each with its own chain of cursors, all through one pacer.

Cursors are a chain, so going page by page waits once for every page. Where a dataset declares a cut, two parameters
(such as `ticker.gte` and `ticker.lt`) give a range of its list, and ranges can be fetched at the same time. A range
begins at a value of plain capitals and digits, so that it does not matter how the API orders other characters.

Together the ranges are the list, and they have to show it. Every row is compared with its range. A range with far fewer
rows than on the last published day is asked for again. Where no count is known, a range without a row, or one that ends
where a page ends, is compared with the list itself: asked for from the last row before the gap, it must go on with the
first row behind it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import re
import string
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from stockpipe.base.runlog import in_this_run
from stockpipe.base.text import printable
from stockpipe.datasets import Bounds
from stockpipe.massive.answers import Page
from stockpipe.massive.client import Client
from stockpipe.massive.pages import Guard, Query, RangesUnusable, values_of, walk

log = logging.getLogger(__name__)

PlacedPage = tuple[int, Page]
"""A page with its place: places grow along the list, whatever the order in which pages arrive."""

# More than a chain can have pages, so that no two pages of a list share a place.
_PLACES = 1_000_000
_PLAIN = re.compile(r"[A-Z0-9]+")
FEW_ROWS = 2


class RangeShort(RangesUnusable):
    """A range had far fewer rows than on the last published day, each time that it was asked for."""


class RangesGap(RangesUnusable):
    """All ranges were fetched, and leave rows out that the list itself has."""


def fewest(rows: int) -> int:
    """How many rows a range that had so many must have at least to be believed at once.

    It may lose the square root of them, and 2 rows in any case: 31 of 970. A whole list of 12,000 stocks loses 14 in a
    session at most, and the most that one range lost in the builds of 2025 is 23, within six days.
    """
    return max(0, rows - max(FEW_ROWS, math.isqrt(rows)))


def shortfall(bounds: Bounds, rows: int, before: int) -> str:
    """The sentence for a range that is short."""
    low, high = bounds
    between = f"from {low or 'its start'} to {f'before {high}' if high else 'its end'}"
    return f"The list has {rows:,} rows {between}, and had {before:,} on the last published day."


@dataclass(frozen=True)
class CutPlan:
    """How a list is cut: at most so many calls at once, and where its ranges begin.

    `starts` are values of the last published day, rising, none when no day is known; then the declared `letters` serve.
    `counts` are the rows that lay before the first start, and from each start on; none when they are not known.
    `prefix` is what all values begin with, such as `I:`.
    """

    calls: int = 1
    starts: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    letters: tuple[str, ...] = ()
    prefix: str = ""

    def beyond(self, value: str) -> tuple[str, ...]:
        """Where ranges may begin after a value. The first is the next letter, which no collation can dispute."""
        name = value.removeprefix(self.prefix)
        if not value.startswith(self.prefix) or not _PLAIN.match(name):
            return ()
        letter = next((letter for letter in string.ascii_uppercase if letter > name[0]), None)
        if letter is None:
            return ()
        later = self.starts or [self.prefix + letters for letters in self.letters]
        return (self.prefix + letter, *(start for start in later if start > self.prefix + letter))

    def shortfalls(self, counts: Sequence[int]) -> list[str]:
        """What a list that has so many rows in the ranges lacks, a sentence each; none where no counts are known."""
        if not self.counts:
            return []
        bounds = zip((None, *self.starts), (*self.starts, None), strict=True)
        ranges = zip(bounds, counts, self.counts, strict=True)
        return [shortfall(pair, rows, before) for pair, rows, before in ranges if rows < fewest(before)]


@dataclass
class _Chain:
    """A part of the list with a chain of its own, and what it was seen to hold.

    With a `cursor` it goes on from there; such a chain knows no upper bound, so it is cut at it here. `before` is how
    many rows it had on the last published day, None when that is not known. `first` and `last` are the values of its
    first and last readable rows. `has_end` tells whether its end was seen: a last page with room for more rows, or a row behind it.
    """

    query: Query
    place: int
    cursor: str | None = None
    before: int | None = None
    first: str | None = field(default=None, init=False)
    last: str | None = field(default=None, init=False)
    has_end: bool = field(default=False, init=False)

    def pages(self, client: Client, guard: Guard) -> Iterator[PlacedPage]:
        """The pages of the chain. Those of a range that is short are kept back, and it is asked for once more.

        RangesUnusable when a row is none of it, RangeShort when it is short again.
        """
        least = fewest(self.before or 0)
        held, rows = [], 0
        for placed in self._walk(client, guard):
            rows += len(placed[1].rows)
            held.append(placed)
            if rows >= least:
                yield from held
                held.clear()
        if rows < least:
            log.warning("%s: %s Asking for these once more.", self.query.part.label, self._shortfall(rows))
            yield from self._once_more(client, guard, least)

    def _walk(self, client: Client, guard: Guard) -> Iterator[PlacedPage]:
        for number, page in enumerate(walk(client, self.query, guard, self.cursor)):
            rows = page.rows if self.cursor is None else _rows_before(page, self.query)
            crossed = len(rows) < len(page.rows)
            self._see(rows, has_end=crossed or (self.cursor is None and _is_part(page, self.query)))
            yield self.place + number, replace(page, rows=rows)
            if crossed:
                return

    def _once_more(self, client: Client, guard: Guard, least: int) -> list[PlacedPage]:
        """Its pages, from the first one. They may be the same as before, so a guard of their own watches them."""
        own, self.first = Guard(guard.max_pages), None
        found = list(self._walk(client, own))
        guard.count(own)
        if (rows := sum(len(page.rows) for _, page in found)) < least:
            raise RangeShort(self._shortfall(rows))
        return found

    def _shortfall(self, rows: int) -> str:
        return shortfall(self.query.bounds, rows, self.before or 0)

    def _see(self, rows: list[str], *, has_end: bool) -> None:
        self.has_end = has_end
        if values := _values(rows, self.query):
            self.first, self.last = self.first or values[0], values[-1]


def pages(client: Client, query: Query, guard: Guard, plan: CutPlan) -> Generator[PlacedPage, None, None]:
    """All pages of a query, side by side as soon as the key's plan is known to allow it, else one after the other.

    Raises what `walk` raises, RangesUnusable among it.
    """
    if plan.calls > 1 and plan.starts and client.pacer.hurries:
        chains = _ranges(query, (None, *plan.starts), 0, plan.counts)
        yield from _side_by_side(client, chains, guard, plan.calls)
        _must_join(client, query, chains, None)
        return
    for place, page in enumerate(walk(client, query, guard)):
        yield place, page
        last = (_values(page.rows[-1:], query) or [""])[0]
        starts = plan.beyond(last) if page.next_url else ()
        if starts and plan.calls > 1 and client.pacer.hurries:
            cursor = client.own_target(str(page.next_url), query.path)
            rest = _Chain(replace(query, bounds=(None, starts[0])), place + 1, cursor)
            chains = [rest, *_ranges(query, starts, place + 1 + _PLACES)]
            yield from _side_by_side(client, chains, guard, plan.calls)
            _must_join(client, query, chains, last)
            return


def _ranges(query: Query, starts: Sequence[str | None], place: int, counts: Sequence[int] = ()) -> list[_Chain]:
    """A range from each start to the next one; the last is open above."""
    ends = (*starts[1:], None)
    known: Sequence[int | None] = counts or [None] * len(starts)
    return [
        _Chain(replace(query, bounds=bounds), place + number * _PLACES, before=before)
        for number, (bounds, before) in enumerate(zip(zip(starts, ends, strict=True), known, strict=True))
    ]


def _must_join(client: Client, query: Query, chains: Sequence[_Chain], before: str | None) -> None:
    """Compare the ends that are in doubt with the list itself, one call for each; RangesGap when rows are missing.

    `before` is the last value before all chains. A chain without a row whose count is not known is in doubt too.
    """
    doubt = False
    for chain in chains:
        if chain.first is None:
            doubt = doubt or (chain.before is None and not chain.has_end)
            continue
        if doubt:
            _must_follow(client, query, before, chain.first)
        before, doubt = chain.last, not chain.has_end
    if doubt:
        _must_follow(client, query, before, None)


def _must_follow(client: Client, query: Query, before: str | None, after: str | None) -> None:
    """RangesGap unless the list goes on with the value `after` behind `before`, or ends there (None)."""
    page = client.page(replace(query, bounds=(before, None)).target, query.source)
    values = _values(page.rows, query)
    behind = next((value for value in values if value != before), None)
    if behind != after or (before is not None and before not in values):
        gap = f"between {printable(before or 'its start')[:40]} and {printable(after or 'its end')[:40]}"
        raise RangesGap(f"The ranges of the API's list leave rows out {gap}.")


def _side_by_side(client: Client, chains: list[_Chain], guard: Guard, calls: int) -> Iterator[PlacedPage]:
    """The pages of all chains as they come. When one fails for good, all stop and its error is raised."""
    log.debug("fetching %d ranges, %d pages at once", len(chains), calls)
    todo: queue.SimpleQueue[_Chain] = queue.SimpleQueue()
    for chain in chains:
        todo.put(chain)
    ready: queue.Queue[PlacedPage | BaseException | None] = queue.Queue(maxsize=2)
    crew = [
        threading.Thread(
            target=in_this_run(_work), args=(client, guard, todo, ready), name=f"fetch-{number}", daemon=True
        )
        for number in range(min(calls, len(chains)))
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
    todo: queue.SimpleQueue[_Chain],
    ready: queue.Queue[PlacedPage | BaseException | None],
) -> None:
    """Walk chains until none is left. Runs in a thread: whatever goes wrong is handed over, not raised."""
    try:
        with contextlib.suppress(queue.Empty):
            while True:
                for placed in todo.get_nowait().pages(client, guard):
                    ready.put(placed)
        ready.put(None)
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
        ready.put(error)


def _next(ready: queue.Queue[PlacedPage | BaseException | None]) -> PlacedPage | BaseException | None:
    """The next thing handed over. On Windows only a wait with an end can be interrupted by Ctrl+C."""
    while True:
        with contextlib.suppress(queue.Empty):
            return ready.get(timeout=0.5)


def _dismiss(
    client: Client, crew: list[threading.Thread], ready: queue.Queue[PlacedPage | BaseException | None]
) -> None:
    """Let the threads end: no further call starts, waits are cut short, and what is handed over goes nowhere."""
    stop = client.pacer.patience.own_stop
    was_set = stop.is_set()
    stop.set()
    for worker in crew:
        while worker.is_alive():
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.01)
    if not was_set:
        stop.clear()


def _values(rows: list[str], query: Query) -> list[str]:
    """The readable values of the cut's field; none where the list cannot be cut."""
    cut = query.source.cut
    return [value for value in values_of(rows, cut.field) if value] if cut and rows else []


def _is_part(page: Page, query: Query) -> bool:
    """Whether a page has some rows, and could have had more."""
    return 0 < len(page.rows) < (query.source.page or 0)


def _rows_before(page: Page, query: Query) -> list[str]:
    """The rows of a page up to the upper bound, a letter (behind a prefix) where a chain with a cursor ends.

    RangesUnusable when the list is not in the order of its first letters: then rows of both sides are mixed, or what
    comes from the bound on does not begin (behind the prefix) with a plain character, and might belong before it.
    """
    cut, high = query.source.cut, query.bounds[1]
    if cut is None or high is None:
        return page.rows
    values = values_of(page.rows, cut.field)
    before = [value is None or value < high for value in values]
    own = before.index(False) if False in before else len(before)
    prefix = len(high) - 1
    if any(before[own:]) or not all(_PLAIN.match(value, prefix) for value in values[own:] if value):
        raise RangesUnusable(f"The API's list is not in the order of {cut.field}.")
    return page.rows[:own]
