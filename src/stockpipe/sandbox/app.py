"""Questions to answers, as the Massive API gives them: parameters, envelopes, error bodies, plan limits.

No sockets here: `App.answer` takes a Request and returns an Answer. The forms are those observed in recorded answers
of the real API (absent keys instead of nulls, `count` of the page's rows, the two error shapes).
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
import socket
import threading
import time
from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import pairwise
from typing import Protocol

import msgspec

from stockpipe.sandbox import cursor
from stockpipe.sandbox.answers import Respond, answer_of
from stockpipe.sandbox.asked import REACH, Asked, Plan, is_out_of_reach, read_day, read_flag, read_limit
from stockpipe.sandbox.market import Market
from stockpipe.sandbox.reference import EXCHANGES, MARKETS, SORT_FIELDS, TYPES
from stockpipe.sandbox.refusals import NO_TIMEFRAME, TOO_MANY, Refused

TICKERS_PATH = "/v3/reference/tickers"
FIRST_DAY = date(2003, 9, 10)
FREE_CALLS = 5
_CACHED_PAGES = 2000
_CACHED_ORDERS = 8
_LONG = 500_000
_DEFAULTS = {"active": "true", "limit": "100", "order": "asc", "sort": "ticker"}
Row = Mapping[str, object]


class Source(Protocol):
    """Where rows come from: the synthetic market or a file."""

    @property
    def label(self) -> str:
        """What the data is: `synthetic seed=7`, or `file NAME`."""

    def rows(self, market: str, active: bool, on: date | None, now: datetime) -> Sequence[Row]:
        """The rows of a market and state, by ticker: of the nightly build, or the dated records of `on`."""

    def build_key(self, on: date | None, now: datetime) -> Hashable:
        """A key that changes when the list does."""


@dataclass(frozen=True)
class Request:
    """One request; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """One answer. `packed` is the gzipped body where it is ready; `raw` forbids gzip; `wire` takes over the socket."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    packed: bytes | None = None
    raw: bool = False
    wire: Callable[[socket.socket], None] | None = None


class App:
    """A local Massive API over a source of rows."""

    def __init__(
        self,
        source: Source,
        key: str,
        *,
        plan: Plan = "paid",
        minute: float = 60.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source, self.key, self.plan, self.minute = source, key, plan, minute
        self.base_url = ""
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._starts: deque[float] = deque(maxlen=FREE_CALLS)
        self._pages: OrderedDict[Hashable, Answer] = OrderedDict()
        self._orders: OrderedDict[int, tuple[Sequence[Row], bool]] = OrderedDict()

    def answer(self, request: Request) -> Answer:
        """The answer to any request; never raises for what a client can send."""
        try:
            plan = self._admit(request)
            if request.path == TICKERS_PATH:
                return self._tickers(request.query, plan)
            if request.path == f"{TICKERS_PATH}/types":
                return self._whole(_matching(TYPES, request.query, "asset_class", "locale"))
            if request.path == "/v3/reference/exchanges":
                return self._whole(_matching(EXCHANGES, request.query, "asset_class", "locale"))
            if (respond := answer_of(request.path)) and isinstance(self.source, Market):
                return self._of_market(respond, self.source, request, plan)
        except Refused as refused:
            return self._json(refused.body, status=refused.status)
        except cursor.BadCursor as error:
            return self._json(Refused(400, "ERROR", error=str(error)).body, status=400)
        return Answer(404, b"404 page not found", {"Content-Type": "text/plain", "X-Sandbox": self._label()})

    def _admit(self, request: Request) -> Plan:
        """The plan of the key that was sent: the server's own, or that in the name of a further key (`...-starter`)."""
        sent = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or request.query.get(
            "apiKey", ""
        )
        if not sent:
            raise Refused(401, "ERROR", error="API Key was not provided")
        keys: dict[str, Plan] = {self.key: self.plan} | {f"{self.key}-{plan}": plan for plan in REACH}
        plan = next((plan for key, plan in keys.items() if secrets.compare_digest(sent.encode(), key.encode())), None)
        if plan is None:
            raise Refused(401, "ERROR", error="Unknown API Key")
        if plan == "free":
            self._count_call()
        return plan

    def _count_call(self) -> None:
        with self._lock:
            now = self._monotonic()
            if len(self._starts) == FREE_CALLS and now - self._starts[0] < self.minute:
                raise Refused(429, "ERROR", error=TOO_MANY)
            self._starts.append(now)

    def _tickers(self, query: Mapping[str, str], plan: Plan) -> Answer:
        params = {name: text for name, text in query.items() if name not in ("apiKey", "cursor")}
        place = "0"
        if "cursor" in query:
            params, place = cursor.decode(query["cursor"])
        on, now = self._day(params, plan), self._now()
        future = on is not None and on > now.date()  # a day's empty answer ends when the day begins
        key = (self.source.build_key(on, now), tuple(sorted(params.items())), place, future, self.base_url)
        with self._lock:
            known = self._pages.get(key)
        if known is None:
            known = self._page(params, place, on, now)
            with self._lock:
                self._pages[key] = known
                if len(self._pages) > _CACHED_PAGES:
                    self._pages.popitem(last=False)
        return known

    def _page(self, params: dict[str, str], place: str, on: date | None, now: datetime) -> Answer:
        limit = read_limit(params, 100, 1000)
        rows = self._select(params, on, now)
        first = 0 if place == "0" else cursor.start(place, rows, keyset=on is not None)
        page = rows[first : first + limit]
        body: dict[str, object] = {"results": page, "status": "OK"}
        body["request_id"] = hashlib.md5(f"{sorted(params.items())}{place}".encode(), usedforsecurity=False).hexdigest()
        if page:
            body["count"] = len(page)
        if first + limit < len(rows):
            token = cursor.encode(_DEFAULTS | params, rows, first + limit)
            body["next_url"] = f"{self.base_url}{TICKERS_PATH}?cursor={token}"
        return self._json(body, items=len(page))

    def _select(self, params: Mapping[str, str], on: date | None, now: datetime) -> Sequence[Row]:
        """The rows of a query in its order; the source's own list where nothing is filtered."""
        active = read_flag(params.get("active", "true"))
        market = params.get("market")
        if market is not None and market not in MARKETS:
            raise Refused(400, "ERROR", error=f"'{market}' is not a valid market")
        if on is not None and not FIRST_DAY <= on <= now.date():
            return []
        rows: Sequence[Row] = (
            self.source.rows(market, active, on, now)
            if market
            else [row for each in MARKETS for row in self.source.rows(each, active, on, now)]
        )
        rows = _filtered(self._cut(rows, params), params)
        sort = params.get("sort", "ticker")
        if sort not in SORT_FIELDS:
            raise Refused(400, "ERROR", error=f"'{sort}' is not a valid sort")
        if (order := params.get("order", "asc")) not in ("asc", "desc"):
            raise Refused(400, "ERROR", error=f"'{order}' is not a valid order")
        if sort != "ticker" or market is None:
            rows = sorted(rows, key=lambda row: str(row.get(sort, "")))
        return rows[::-1] if order == "desc" else rows

    def _cut(self, rows: Sequence[Row], params: Mapping[str, str]) -> Sequence[Row]:
        """The part of a list between ticker.gte and ticker.lt; a list that is in order is not read through for that."""
        low, high = params.get("ticker.gte"), params.get("ticker.lt")
        if not (low or high) or not self._in_order(rows):
            return rows
        first = bisect_left(rows, low, key=_ticker) if low else 0
        return rows[first : bisect_left(rows, high, key=_ticker) if high else len(rows)]

    def _in_order(self, rows: Sequence[Row]) -> bool:
        with self._lock:
            known = self._orders.get(id(rows))
        if known is None or known[0] is not rows:
            known = (rows, all(_ticker(a) <= _ticker(b) for a, b in pairwise(rows)))
            with self._lock:
                self._orders[id(rows)] = known
                if len(self._orders) > _CACHED_ORDERS:
                    self._orders.popitem(last=False)
        return known[1]

    def _day(self, params: Mapping[str, str], plan: Plan) -> date | None:
        if "date" not in params:
            return None
        day = read_day(params["date"])
        if is_out_of_reach(plan, day, self._now().date()):
            raise Refused(403, "NOT_AUTHORIZED", message=NO_TIMEFRAME)
        return day

    def _of_market(self, respond: Respond, market: Market, request: Request, plan: Plan) -> Answer:
        """What one of the answers over the synthetic market says."""
        params = {name: text for name, text in request.query.items() if name != "apiKey"}
        reply = respond(Asked(request.path, params, market, plan, self._now(), self.base_url))
        return self._sent(reply.text, secrets.token_hex(16), items=reply.items)

    def _whole(self, rows: Sequence[Row]) -> Answer:
        body = {"results": rows, "status": "OK", "request_id": secrets.token_hex(16), "count": len(rows)}
        return self._json(body, items=len(rows))

    def _json(self, body: Mapping[str, object], *, status: int = 200, items: int | None = None) -> Answer:
        return self._sent(msgspec.json.encode(body), str(body["request_id"]), status=status, items=items)

    def _sent(self, text: bytes, request_id: str, *, status: int = 200, items: int | None = None) -> Answer:
        headers = {"Content-Type": "application/json", "X-Request-Id": request_id, "X-Sandbox": self._label()}
        if items is not None:
            headers["X-Item-Count"] = str(items)
        return Answer(
            status, text, headers, packed=gzip.compress(text, 5 if len(text) < _LONG else 1) if items else None
        )

    def _label(self) -> str:
        """The source's label as a header can carry it."""
        return "".join(char if " " <= char <= "~" else "?" for char in self.source.label)


def _filtered(rows: Sequence[Row], params: Mapping[str, str]) -> Sequence[Row]:
    tests: list[Callable[[Row], bool]] = []
    for name, compare in _RANGES.items():
        if bound := params.get(name):
            tests.append(partial(_compares, compare, bound))
    for name, wanted_field in (("type", "type"), ("exchange", "primary_exchange"), ("cik", "cik")):
        if wanted := params.get(name):
            tests.append(partial(_equals, wanted_field, wanted))
    if words := params.get("search", "").lower():
        tests.append(
            lambda row: words in str(row.get("ticker", "")).lower() or words in str(row.get("name", "")).lower()
        )
    return [row for row in rows if all(test(row) for test in tests)] if tests else rows


def _ticker(row: Row) -> str:
    return str(row.get("ticker", ""))


def _compares(compare: Callable[[str, str], bool], bound: str, row: Row) -> bool:
    return compare(_ticker(row), bound)


def _equals(name: str, wanted: str, row: Row) -> bool:
    return row.get(name) == wanted


_RANGES: dict[str, Callable[[str, str], bool]] = {
    "ticker": lambda ticker, bound: ticker == bound,
    "ticker.gt": lambda ticker, bound: ticker > bound,
    "ticker.gte": lambda ticker, bound: ticker >= bound,
    "ticker.lt": lambda ticker, bound: ticker < bound,
    "ticker.lte": lambda ticker, bound: ticker <= bound,
}


def _matching(rows: Sequence[Row], query: Mapping[str, str], *names: str) -> list[Row]:
    return [row for row in rows if all(query.get(name) in (None, row.get(name)) for name in names)]
