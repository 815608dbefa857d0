"""Many full pages from a small server: the sandbox's rows over and over, each time under other tickers.

A market of two million rows would cost the sandbox gigabytes and minutes. Here a page is put together from the ready
JSON of the sandbox's own rows, packed once, and kept packed.
"""

from __future__ import annotations

import gzip
import threading
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from stockpipe.sandbox import Answer, Request
from stockpipe.sandbox.app import TICKERS_PATH
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.server import Respond

PAGE = 1000
_TEMPLATES = 12_400
_LETTERS = 26
_LENGTH = 5


class LightPages:
    """`pages` times 1,000 stocks, in order, evenly over the alphabet. Knows ranges of tickers, limits and cursors."""

    def __init__(self, pages: int) -> None:
        self._total = pages * PAGE
        self._step = _LETTERS**_LENGTH // self._total
        rows = Market(rows=_TEMPLATES).rows("stocks", True, None, datetime.now(UTC))
        self._rests = [_without_ticker(dict(row)) for row in rows]
        self._answers: dict[tuple[int, int, int], Answer] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """The page that is asked for."""
        place = self._place(request)
        with self._lock:  # one page is made at a time: two threads would only fight over the interpreter
            if place not in self._answers:
                self._answers[place] = self._page(*place, f"http://{request.headers['host']}")
            return self._answers[place]

    def _place(self, request: Request) -> tuple[int, int, int]:
        """First row, end of the range, rows a page."""
        query = request.query
        if cursor := query.get("cursor"):
            first, end, limit = map(int, cursor.split("-"))
            return first, end, limit
        low, high = query.get("ticker.gte"), query.get("ticker.lt")
        first = self._number(low) if low else 0
        end = self._number(high) if high else self._total
        return first, end, int(query.get("limit", "100"))

    def _number(self, ticker: str) -> int:
        return bisect_left(range(self._total), ticker, key=self._ticker)

    def _ticker(self, number: int) -> str:
        place, letters = number * self._step, ""
        for _ in range(_LENGTH):
            place, letter = divmod(place, _LETTERS)
            letters = chr(ord("A") + letter) + letters
        return letters

    def _page(self, first: int, end: int, limit: int, base_url: str) -> Answer:
        stop = min(first + limit, end)
        rows = [
            b'{"ticker":"%s",%s' % (self._ticker(n).encode(), self._rests[n % _TEMPLATES]) for n in range(first, stop)
        ]
        tail = {"status": "OK", "request_id": f"{first:032x}", "count": len(rows)}
        if stop < end:
            tail["next_url"] = f"{base_url}{TICKERS_PATH}?cursor={stop}-{end}-{limit}"
        body = b'{"results":[' + b",".join(rows) + b"]," + msgspec.json.encode(tail)[1:]
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "X-Sandbox": "light pages",
        }
        return Answer(200, gzip.compress(body, 5), headers, raw=True)


def light_pages(pages: int) -> Callable[[Respond], Respond]:
    """For the sandbox's `wrap`: tickers come from LightPages, all else from the sandbox."""
    light = LightPages(pages)

    def around(respond: Respond) -> Respond:
        return lambda request: light.answer(request) if request.path == TICKERS_PATH else respond(request)

    return around


def _without_ticker(row: dict[str, object]) -> bytes:
    del row["ticker"]
    return msgspec.json.encode(row)[1:]
