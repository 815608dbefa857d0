"""A list fetched side by side: ranges, each with its own chain of cursors, all through one pacer.

Cursors are a chain, so going page by page waits once for every page. Where a dataset declares a cut, two parameters
(such as `ticker.gte` and `ticker.lt`) give a range of its list, and ranges can be fetched at the same time. A range
begins at a value of plain capitals and digits, so that it does not matter how the API orders other characters. Every
row is compared with its range: together the ranges are the list.
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
from stockpipe.massive.pages import Guard, Query, RangesUnusable, values_of, walk

log = logging.getLogger(__name__)

PlacedPage = tuple[int, Page]
"""A page with its place: places grow along the list, whatever the order in which pages arrive."""

# More than a chain can have pages, so that no two pages of a list share a place.
_PLACES = 1_000_000
_PLAIN = re.compile(r"[A-Z0-9]+")


@dataclass(frozen=True)
class CutPlan:
    """How a list is cut: at most so many calls at once, and where its ranges begin.

    `starts` are values of the last published day, rising, none when no day is known; then the declared `letters` serve.
    `prefix` is what all values begin with, such as `I:`.
    """

    calls: int = 1
    starts: tuple[str, ...] = ()
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


@dataclass(frozen=True)
class _Chain:
    """A part of the list with a chain of its own.

    With a `cursor` it goes on from there; such a chain knows no upper bound, so it is cut at it here.
    """

    query: Query
    place: int
    cursor: str | None = None

    def pages(self, client: Client, guard: Guard) -> Iterator[PlacedPage]:
        """The pages of the chain; RangesUnusable when a row is none of it."""
        for number, page in enumerate(walk(client, self.query, guard, self.cursor)):
            rows = page.rows if self.cursor is None else _rows_before(page, self.query)
            yield self.place + number, replace(page, rows=rows)
            if len(rows) < len(page.rows):
                return


def pages(client: Client, query: Query, guard: Guard, plan: CutPlan) -> Generator[PlacedPage, None, None]:
    """All pages of a query, side by side as soon as the key's plan is known to allow it, else one after the other.

    Raises what `walk` raises, RangesUnusable among it.
    """
    if plan.calls > 1 and plan.starts and client.pacer.hurries:
        yield from _side_by_side(client, _ranges(query, (None, *plan.starts), 0), guard, plan.calls)
        return
    for place, page in enumerate(walk(client, query, guard)):
        yield place, page
        starts = plan.beyond(_last_value(page, query)) if page.next_url else ()
        if starts and plan.calls > 1 and client.pacer.hurries:
            cursor = client.own_target(str(page.next_url), query.path)
            rest = _Chain(replace(query, bounds=(None, starts[0])), place + 1, cursor)
            later = _ranges(query, starts, place + 1 + _PLACES)
            yield from _side_by_side(client, [rest, *later], guard, plan.calls)
            return


def _ranges(query: Query, starts: Sequence[str | None], place: int) -> list[_Chain]:
    """A range from each start to the next one; the last is open above."""
    ends = (*starts[1:], None)
    return [
        _Chain(replace(query, bounds=bounds), place + number * _PLACES)
        for number, bounds in enumerate(zip(starts, ends, strict=True))
    ]


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
    stop = client.pacer.patience.stop
    stop.set()
    for worker in crew:
        while worker.is_alive():
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.01)
    stop.clear()


def _last_value(page: Page, query: Query) -> str:
    """The last row's value of the cut's field; "" where it has none, or where the list cannot be cut."""
    cut = query.source.cut
    return (values_of(page.rows[-1:], cut.field)[0] or "") if cut and page.rows else ""


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
