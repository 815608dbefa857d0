"""The walk of a query's pages, with its guards: no page twice, no cursor twice, no walk without end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import msgspec

from stockpipe.base.calendar import RULES, Sessions
from stockpipe.base.text import printable
from stockpipe.datasets import WHOLE, Bounds, Cut, Endpoint, Part
from stockpipe.errors import ApiError
from stockpipe.massive.answers import Page
from stockpipe.massive.client import Client

log = logging.getLogger(__name__)

EMPTY_PAGES = 3


class RangesUnusable(ApiError):
    """The API did not keep to the ranges that it was asked for; going page by page is the way."""


@dataclass(frozen=True)
class Query:
    """What is asked for: a part, and the dated records of `day` or, without it, the current list.

    `bounds` narrow it to one range of the cut's field; `sessions` are the trading days.
    """

    part: Part
    day: date | None = None
    bounds: Bounds = WHOLE
    sessions: Sessions = RULES

    @property
    def source(self) -> Endpoint:
        """The address that is asked."""
        return self.part.dataset.source

    @property
    def path(self) -> str:
        """The path of every page."""
        return self.source.path_of(self.day)

    @property
    def target(self) -> str:
        """Path and query of the first page."""
        return self.source.target(self.part.asked, self.day, self.bounds)

    @property
    def has_rows(self) -> bool | None:
        """Whether its first page must have rows: a session has some, a day without one has none; None for other lists."""
        if self.day is None or self.part.dataset.kind.calendar != "sessions":
            return None
        return self.sessions.is_session(self.day.toordinal())


@dataclass
class Guard:
    """Remembers what a walk has seen. One guard watches all chains of a walk; it is safe for many threads."""

    max_pages: int
    pages: int = 0
    wrong_counts: int = 0
    _seen: set[int] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def admit(self, page: Page) -> None:
        """Count a page in; ApiError when it is a repetition, or one too many."""
        wrong = page.promised is not None and page.promised != len(page.rows)
        with self._lock:
            self.pages += 1
            self.wrong_counts += wrong
        if self.pages > self.max_pages:
            raise ApiError(
                f"The list has not ended after {self.max_pages} pages.",
                hint="Nothing was published. If a list can be that long, raise STOCKPIPE_MAX_PAGES.",
            )
        if wrong:
            log.debug("a page says count=%d and has %d rows", page.promised, len(page.rows))
        if page.rows and not self._new(tuple(page.rows)):
            raise ApiError("The API sent the same page twice.", hint="Nothing was published. Run again later.")

    def count(self, other: Guard) -> None:
        """Count in the pages that another guard has seen."""
        with self._lock:
            self.pages += other.pages
            self.wrong_counts += other.wrong_counts

    def follow(self, target: str) -> None:
        """Note a cursor; ApiError when the walk has been there before."""
        if not self._new(target):
            raise ApiError(
                "The API's cursor leads back to an earlier page.",
                hint="Nothing was published. Run again later.",
            )

    def _new(self, seen: Hashable) -> bool:
        digest = hash(seen)  # of 64 bits: enough to tell some thousand pages apart
        with self._lock:
            known = digest in self._seen
            self._seen.add(digest)
        return not known


def walk(client: Client, query: Query, guard: Guard, cursor: str | None = None) -> Iterator[Page]:
    """The pages of one chain, first to last; with `cursor` (path and query of a page) it begins there.

    An empty page with a `next_url` is not the end, but only a few may follow. Raises what `Client.page` raises, ApiError
    from the guard, and RangesUnusable when a row is outside of the query's bounds.
    """
    target: str | None = cursor or query.target
    on_cursor, empty = cursor is not None, 0
    while target:
        guard.follow(target)
        page = client.page(target, query.source, on_cursor=on_cursor, has_rows=None if on_cursor else query.has_rows)
        if cursor is None and query.source.cut:
            _must_be_inside(page, query.source.cut, *query.bounds)
        guard.admit(page)
        empty = 0 if page.rows else empty + 1
        if empty > EMPTY_PAGES:
            raise ApiError(
                f"The API sent {empty} empty pages in a row.", hint="Nothing was published. Run again later."
            )
        yield page
        target = client.own_target(page.next_url, query.path) if page.next_url else None
        on_cursor = True


@cache
def _decoders(field: str) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    """Readers of one field: of all rows of a page, and of one row."""
    row = msgspec.defstruct("Row", [("value", str, msgspec.field(name=field))], gc=False)
    return msgspec.json.Decoder(list[row]), msgspec.json.Decoder(row)  # type: ignore[valid-type]


def values_of(rows: list[str], field: str) -> list[str | None]:
    """A field of each row; None where a row has no readable one (staging will reject that row)."""
    page, one = _decoders(field)
    try:
        return [row.value for row in page.decode(f"[{','.join(rows)}]")]
    except (msgspec.MsgspecError, RecursionError):
        return [_value_of(row, one) for row in rows]


def _value_of(row: str, decoder: msgspec.json.Decoder[Any]) -> str | None:
    try:
        return str(decoder.decode(row).value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def _must_be_inside(page: Page, cut: Cut, low: str | None, high: str | None) -> None:
    for value in values_of(page.rows, cut.field) if low or high else ():
        if value is not None and not _inside(value, low, high):
            raise RangesUnusable(
                f"The API sent {printable(value)[:40]!r}, asked for {cut.field} from {low or 'the first'} to before {high or 'the end'}."
            )


def _inside(value: str, low: str | None, high: str | None) -> bool:
    """Whether a value is in a range, in one of the two usual orders: by code point, or capitals and small alike."""
    return _between(low, value, high) or _between(low and low.upper(), value.upper(), high and high.upper())


def _between(low: str | None, value: str, high: str | None) -> bool:
    return (low is None or low <= value) and (high is None or value < high)
