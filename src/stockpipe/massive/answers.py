"""One answer, judged: a page of rows, or an error that says whether trying again can help.

An absent answer is an error, never an empty list. Whatever is not a complete, well-formed page ends in an exception
here, and nowhere else in the program is an answer looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import msgspec

from stockpipe.base.proxies import asks_for_password
from stockpipe.base.text import printable
from stockpipe.datasets import Endpoint
from stockpipe.errors import AccessError, ApiError, CursorRefused, NotYet, OutOfReach, StockpipeError
from stockpipe.massive.odd_rows import take_apart

_RETRIED_STATUS = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})
# What tells the 403 of a day that is not over from that of a day before the plan's history, and from all others.
_NOT_YET_WORDS, _REACH_WORDS = ("before end of day",), ("timeframe", "time frame")
_THROTTLE_WORDS = ("maximum requests", "rate limit", "too many requests")


class Transient(Exception):
    """An answer, or the lack of one, that the next try may put right; `remedy` says what to look at if it does not."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


class Throttled(Transient):
    """The API asks for patience; `retry_after` is its own wish in seconds, None when it names none that makes sense."""

    def __init__(self, reason: str, retry_after: float | None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Answer:
    """What came over the wire: the body inflated, the header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Page:
    """One good page: each row as the JSON text that was sent, and where the next page is (None on the last one)."""

    rows: list[str]
    next_url: str | None
    request_id: str
    delayed: bool = False
    promised: int | None = None


class _Envelope(msgspec.Struct):
    """What stands around the rows, whatever they are called; `_reader` adds them as `rows`."""

    status: Any = None
    next_url: str | None = None
    request_id: Any = None
    count: Any = None
    error: Any = None
    message: Any = None


_decoder = msgspec.json.Decoder(_Envelope)
_array = msgspec.json.Decoder(list[msgspec.Raw])


@cache
def _reader(name: str) -> msgspec.json.Decoder[Any]:
    """Reads an answer whose rows are in the list of this name."""
    rows = ("rows", list[msgspec.Raw] | None, msgspec.field(name=name, default=None))
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", [rows], bases=(_Envelope,)))


_BARE = _reader("rows").decode(b'{"rows": [], "status": "OK"}')
"""What stands around the rows of an answer that is nothing but a list."""


def read_page(
    answer: Answer, source: Endpoint, *, on_cursor: bool, now: datetime, has_rows: bool | None = None
) -> Page:
    """The page in an answer of `source`.

    Raises Transient or Throttled (try again), AccessError, CursorRefused or ApiError (do not). `on_cursor` says that the
    request was a `next_url` of the API's own; `now` is needed for a Retry-After date. `has_rows`: whether there must be
    rows (True), or may be none and then no list either (False); None where an empty list is an answer, and none is not.
    """
    if answer.status != 200:
        raise _refusal(answer, on_cursor=on_cursor, now=now)
    try:
        envelope, rows = _read(answer.body, source)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Transient(f"the answer is not the JSON it should be: {_glimpse(answer.body)}") from None
    if source.status and envelope.status not in ("OK", "DELAYED"):
        raise _bad_status(answer, envelope, now)
    if envelope.rows is None and has_rows is not False:
        raise Transient(f"the answer has no {source.rows}: {_glimpse(answer.body)}")
    if has_rows and not rows:
        raise Transient(f"the answer has no rows, and there must be some: {_glimpse(answer.body)}")
    return Page(
        rows,
        envelope.next_url or None,
        str(envelope.request_id or ""),
        delayed=envelope.status == "DELAYED",
        promised=envelope.count if isinstance(envelope.count, int) else None,
    )


def _read(body: bytes, source: Endpoint) -> tuple[Any, list[str]]:
    """The envelope and the rows. Raises MsgspecError, ValueError or RecursionError for what is no JSON."""
    try:
        envelope = _BARE if source.rows is None else _reader(source.rows).decode(body)
        found = _array.decode(body) if source.rows is None else envelope.rows
        return envelope, [str(row, "utf-8") for row in found or ()]
    except (msgspec.MsgspecError, RecursionError):
        bare, rows = take_apart(body.decode(), source.rows)
        return _BARE if source.rows is None else _reader(source.rows).decode(bare), rows


def _refusal(answer: Answer, *, on_cursor: bool, now: datetime) -> Exception:
    status, said = answer.status, _said(answer.body)
    if status == 429:
        return Throttled(f"HTTP 429: {said}", _retry_after(answer.headers.get("retry-after"), now))
    if status in _RETRIED_STATUS:
        return Transient(f"HTTP {status}: {said}")
    if status == 401:
        return AccessError(
            f"The API refused the key (HTTP 401: {said}).",
            hint="Check POLYGON_API_KEY against your account at massive.com; a revoked key looks the same.",
        )
    if status == 403:
        return _not_allowed(f"HTTP 403: {said}")
    if status == 407:
        return asks_for_password()
    if status == 400 and on_cursor:
        return CursorRefused(f"The API refused its own cursor (HTTP 400: {said}).")
    if 300 <= status < 400:
        return ApiError(
            f"The API answered with a redirect (HTTP {status}), which is never followed: it could lead the key astray.",
            hint="Check MASSIVE_BASE_URL.",
        )
    if 200 < status < 300:
        return Transient(f"HTTP {status} where 200 was expected")
    return ApiError(
        f"The API refused the request (HTTP {status}: {said}).",
        hint="Check MASSIVE_BASE_URL and the options.",
    )


def _not_allowed(said: str) -> StockpipeError:
    """What a 403 means goes by its words."""
    if any(word in said.lower() for word in _NOT_YET_WORDS):
        return NotYet(
            f"The API does not give this day to the key's plan yet ({said}).",
            hint="Nothing was published. Run again tomorrow; the schedule does that by itself.",
        )
    kind = OutOfReach if any(word in said.lower() for word in _REACH_WORDS) else AccessError
    return kind(
        f"The key's plan does not cover this request ({said}).",
        hint="Ask for a day within the plan's history (free: two years back), or upgrade the plan.",
    )


def _bad_status(answer: Answer, envelope: _Envelope, now: datetime) -> Exception:
    said = _said(answer.body)
    if envelope.status == "NOT_AUTHORIZED":
        return _not_allowed(said)
    if any(word in said.lower() for word in _THROTTLE_WORDS):
        return Throttled(said, _retry_after(answer.headers.get("retry-after"), now))
    return Transient(f"the answer's status is {printable(str(envelope.status))!r}: {said}")


def _said(body: bytes) -> str:
    """The human text of an error body: in `error` or in `message`, depending on the endpoint's family."""
    try:
        envelope = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _glimpse(body)
    text = envelope.error or envelope.message
    return printable(text)[:300] if isinstance(text, str) else _glimpse(body)


def _glimpse(body: bytes) -> str:
    return printable(body[:80].decode("utf-8", "replace")) or "an empty body"


def _retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, given as a number or as an HTTP date; None for junk."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return seconds if 0 < seconds < float("inf") else None
