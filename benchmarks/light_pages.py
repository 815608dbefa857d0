"""Many full pages from a small server: the sandbox's rows over and over, each time under other tickers.

A market of two million rows would cost the sandbox gigabytes and minutes. Here a page is put together from the ready
JSON of the sandbox's own rows, packed once, and kept packed. The bars of one day stand for those of every other.
"""

from __future__ import annotations

import gzip
import re
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from stockpipe.sandbox import Answer, Request
from stockpipe.sandbox.app import TICKERS_PATH
from stockpipe.sandbox.bars import GROUPED
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.server import Respond

PAGE = 1000
_TEMPLATES = 12_400
_LETTERS = 26
_LENGTH = 5
_BARS_OF = "2024-06-03"
_STAMP = re.compile(rb'"t":\d+')


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
        return _packed(body, 5)


class LightBars:
    """The sandbox's bars of one day, for each day that is asked for, with the stamp of that day."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._bars = b""
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """The bars of the day that is asked for."""
        with self._lock:
            if not self._bars:
                found = self._respond(replace(request, path=GROUPED + _BARS_OF))
                self._bars = found.body or gzip.decompress(found.packed or b"")
        day = date.fromisoformat(request.path.removeprefix(GROUPED))
        close = datetime.combine(day, time(16), ZoneInfo("America/New_York"))
        body = _STAMP.sub(b'"t":%d' % (close.timestamp() * 1000), self._bars)
        return _packed(body, 1)


def light_pages(pages: int) -> Callable[[Respond], Respond]:
    """For the sandbox's `wrap`: tickers come from LightPages, bars from LightBars, all else from the sandbox."""
    light = LightPages(pages)

    def around(respond: Respond) -> Respond:
        bars = LightBars(respond)

        def answer(request: Request) -> Answer:
            if request.path == TICKERS_PATH:
                return light.answer(request)
            return bars.answer(request) if request.path.startswith(GROUPED) else respond(request)

        return answer

    return around


def _packed(body: bytes, level: int) -> Answer:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "X-Sandbox": "light pages"}
    return Answer(200, gzip.compress(body, level), headers, raw=True)


def _without_ticker(row: dict[str, object]) -> bytes:
    del row["ticker"]
    return msgspec.json.encode(row)[1:]
