"""The walk of a query's pages, with its guards: no page twice, no cursor twice, no walk without end."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode

import msgspec

from stockpipe.base.text import printable
from stockpipe.datasets import Dataset
from stockpipe.errors import ApiError
from stockpipe.massive.answers import Page
from stockpipe.massive.client import Client

log = logging.getLogger(__name__)

EMPTY_PAGES = 3


class RangesUnusable(ApiError):
    """The API did not keep to the ticker ranges that it was asked for; a plain walk is the way."""


@dataclass(frozen=True)
class Query:
    """What is asked for: one market, one active state, and the dated records of `on` or, without it, the current list.

    `bounds` narrow it to tickers from the first (included) to the second (not included); None leaves a side open.
    """

    dataset: Dataset
    market: str
    active: bool
    on: date | None = None
    bounds: tuple[str | None, str | None] = (None, None)

    @property
    def target(self) -> str:
        """Path and query of the first page."""
        params = {"market": self.market, "active": str(self.active).lower(), **self.dataset.params}
        if self.on:
            params["date"] = self.on.isoformat()
        low, high = self.bounds
        params |= {"ticker.gte": low} if low else {}
        params |= {"ticker.lt": high} if high else {}
        return f"{self.dataset.path}?{urlencode(params)}"


@dataclass
class Guard:
    """Remembers what a walk has seen. One guard watches all chains of a walk; it is safe for many threads."""

    max_pages: int
    pages: int = 0
    wrong_counts: int = 0
    _seen: set[bytes] = field(default_factory=set, repr=False)
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
        if page.rows and not self._new("\n".join(page.rows)):
            raise ApiError("The API sent the same page twice.", hint="Nothing was published. Run again later.")

    def follow(self, target: str) -> None:
        """Note a cursor; ApiError when the walk has been there before."""
        if not self._new(target):
            raise ApiError(
                "The API's cursor leads back to an earlier page.",
                hint="Nothing was published. Run again later.",
            )

    def _new(self, text: str) -> bool:
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
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
        page = client.page(target, on_cursor=on_cursor)
        if cursor is None:
            _must_be_inside(page, *query.bounds)
        guard.admit(page)
        empty = 0 if page.rows else empty + 1
        if empty > EMPTY_PAGES:
            raise ApiError(
                f"The API sent {empty} empty pages in a row.", hint="Nothing was published. Run again later."
            )
        yield page
        target = client.own_target(page.next_url, query.dataset.path) if page.next_url else None
        on_cursor = True


class _Ticker(msgspec.Struct):
    ticker: str


_decoder = msgspec.json.Decoder(_Ticker)


def ticker_of(row: str) -> str | None:
    """The ticker of a row, None where it has no readable one (staging will reject that row)."""
    try:
        return _decoder.decode(row).ticker
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def _must_be_inside(page: Page, low: str | None, high: str | None) -> None:
    for row in page.rows if low or high else ():
        ticker = ticker_of(row)
        if ticker is not None and not _inside(ticker, low, high):
            raise RangesUnusable(
                f"The API sent {printable(ticker)[:40]!r}, asked for tickers from {low or 'the first'} to before {high or 'the end'}."
            )


def _inside(ticker: str, low: str | None, high: str | None) -> bool:
    """Whether a ticker is in a range, in one of the two usual orders: by code point, or capitals and small alike."""
    return _between(low, ticker, high) or _between(low and low.upper(), ticker.upper(), high and high.upper())


def _between(low: str | None, ticker: str, high: str | None) -> bool:
    return (low is None or low <= ticker) and (high is None or ticker < high)
