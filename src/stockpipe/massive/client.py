"""One request: it carries the key in a header, stays on the configured origin, and ends in a page or an error."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpcore2

from stockpipe.base.http import Deadline, NobodyListens, in_words, open_pool
from stockpipe.base.text import printable, redacted, without_secrets
from stockpipe.base.version import __version__
from stockpipe.datasets import Endpoint
from stockpipe.errors import ApiError, StockpipeError
from stockpipe.massive.answers import Answer, Page, Throttled, Transient, read_page
from stockpipe.massive.pacing import Pacer

log = logging.getLogger(__name__)

# A full page is about 0.3 MB. What is a hundred times that is no page.
MAX_BODY = 32 * 1024 * 1024
CONNECT_SECONDS = 10.0
_NO_SANDBOX = "Nothing listens there. Is `stockpipe sandbox` running? If you did not mean it, correct MASSIVE_BASE_URL."
_CHUNK = 256 * 1024
_CURSOR = re.compile(r"(cursor=[^&]{12})[^&]+")


@dataclass(frozen=True)
class Origin:
    """Where to call, with what key, and how long one whole answer may take (seconds)."""

    base_url: str
    key: str
    answer_seconds: float = 30.0
    connections: int = 1

    def __repr__(self) -> str:
        return f"Origin({self.base_url!r})"


class Client:
    """Asks the API for pages, patiently. Use it as a context manager; it is safe for many threads."""

    def __init__(self, origin: Origin, pacer: Pacer) -> None:
        self.origin = origin
        self.pacer = pacer
        self.sandbox: str | None = None
        self._deadline = Deadline(pacer.patience)
        self._pool = open_pool(origin.base_url, self._deadline, origin.connections, "MASSIVE_BASE_URL")
        self._headers: dict[bytes | str, bytes | str] = {
            "Authorization": f"Bearer {origin.key}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"stockpipe/{__version__}",
            "Host": urlsplit(origin.base_url).netloc,
        }

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def page(self, target: str, source: Endpoint, *, on_cursor: bool = False, has_rows: bool | None = None) -> Page:
        """The page of `source` at `target` (path and query), tried as often as the pacing allows.

        `has_rows`: see `read_page`. Raises AccessError, CursorRefused (only `on_cursor`), ApiError, Interrupted.
        """
        began = self.pacer.patience.clock.monotonic()
        failed: Exception | None = None
        for attempt in count(1):
            self.pacer.wait_for_turn(failed)
            try:
                answer = self.answer(target)
                now = self.pacer.patience.clock.now()
                page = judged(answer, source, self.origin.key, on_cursor=on_cursor, now=now, has_rows=has_rows)
            except Throttled as fault:
                failed = fault
                self.pacer.refused(fault.retry_after)
                self.pacer.before_retry(fault, attempt, throttled=True)
            except Transient as fault:
                failed = fault
                self.pacer.before_retry(fault, attempt, throttled=False, since=began)
            else:
                self.pacer.answered()
                log.debug("page of %d rows, request %s", len(page.rows), printable(page.request_id))
                return page
        raise AssertionError("unreachable: count() has no end")

    def answer(self, target: str) -> Answer:
        """What the API answers to one call, unjudged and unpaced; Transient when there is no whole answer."""
        clock = self.pacer.patience.clock
        started = clock.monotonic()
        try:
            answer = self._exchange(target)
        except Transient as fault:
            _hide(fault, self.origin.key)
            log.debug("GET %s failed after %.3f s: %s", _shown(target), clock.monotonic() - started, fault)
            raise
        took = clock.monotonic() - started
        log.debug("GET %s %d, %d bytes in %.3f s", _shown(target), answer.status, len(answer.body), took)
        return answer

    def _exchange(self, target: str) -> Answer:
        seconds = self.origin.answer_seconds
        self._deadline.start(seconds)
        timeouts = {
            "connect": min(CONNECT_SECONDS, seconds),
            "read": seconds,
            "write": seconds,
            "pool": seconds,
        }
        try:
            with self._pool.stream(
                "GET",
                self.origin.base_url + target,
                headers=self._headers,
                extensions={"timeout": timeouts},
            ) as response:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = b"".join(_inflated(response.iter_stream(), headers.get("content-encoding", "identity")))
        except httpcore2.TimeoutException:
            raise Transient(f"no whole answer within {seconds:g} s") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError) as error:
            text = f"{self.origin.base_url} could not be read: {in_words(error)}"
            remedy = _NO_SANDBOX if isinstance(error, NobodyListens) else getattr(error, "remedy", "")
            raise Transient(text, remedy) from None
        self.sandbox = headers.get("x-sandbox", self.sandbox)
        return Answer(response.status, headers, body)

    def own_target(self, next_url: str, path: str) -> str:
        """A `next_url` reduced to path and query on the configured origin, whatever host it names.

        ApiError when it carries user info or leads to another path: that is not the next page of this walk.
        """
        try:
            parts = urlsplit(next_url)
        except ValueError:
            parts = urlsplit("")
        query = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() != "apikey"]
        if "@" in parts.netloc or parts.path != path or not query:
            shown = printable(redacted(without_secrets(next_url), [self.origin.key]))[:120]
            raise ApiError(
                f"The API's next_url does not lead to the next page of {path}: {shown!r}.",
                hint="Nothing was published. Check MASSIVE_BASE_URL, then run again.",
            )
        if parts.netloc and parts.netloc != urlsplit(self.origin.base_url).netloc:
            log.debug("next_url names %s; the configured origin is asked instead", printable(parts.netloc))
        return f"{parts.path}?{urlencode(query)}"


def judged(
    answer: Answer, source: Endpoint, key: str, *, on_cursor: bool, now: datetime, has_rows: bool | None = None
) -> Page:
    """`read_page`, with errors that never quote the key: a server, or a proxy before it, may send back what it got."""
    try:
        return read_page(answer, source, on_cursor=on_cursor, now=now, has_rows=has_rows)
    except (Transient, StockpipeError):
        body = redacted(answer.body.decode("utf-8", "surrogateescape"), [key])
    # Once more without the key in the body: an error cuts what it quotes, and half a key is a secret too.
    try:
        hidden = replace(answer, body=body.encode("utf-8", "surrogateescape"))
        return read_page(hidden, source, on_cursor=on_cursor, now=now, has_rows=has_rows)
    except (Transient, StockpipeError) as error:
        _hide(error, key)
        raise


def _hide(error: Exception, key: str) -> None:
    if isinstance(error, StockpipeError):
        error.rewrite(lambda text: redacted(text, [key]))
    else:
        error.args = (redacted(str(error), [key]),)


def _shown(target: str) -> str:
    """A path and query for the log; a cursor, which is long and says nothing, is shortened."""
    return printable(_CURSOR.sub(r"\1...", target))


def _inflated(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The body's bytes, inflated as they come; Transient for broken gzip, ApiError for more than MAX_BODY bytes.

    Bytes are counted as they come and as they are inflated: those after the end of the gzip, and those that inflate to
    nothing, cost time too.
    """
    if encoding not in ("identity", "gzip", ""):
        raise Transient(f"the answer is packed as {printable(encoding)!r}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    came = size = 0
    for chunk in chunks:
        came += len(chunk)
        for piece in _pieces(unpack, chunk) if unpack else (chunk,):
            size += len(piece)
            _must_fit(size)
            yield piece
        _must_fit(came)
    if unpack and not unpack.eof:
        raise Transient("the answer's gzip ends too early")


def _pieces(unpack: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """What a chunk inflates to, in pieces of bounded size; nothing after the end of the gzip."""
    while chunk and not unpack.eof:
        try:
            yield unpack.decompress(chunk, _CHUNK)
        except zlib.error:
            raise Transient("the answer's gzip is broken") from None
        chunk = unpack.unconsumed_tail


def _must_fit(size: int) -> None:
    if size > MAX_BODY:
        raise ApiError(
            f"One answer has more than {MAX_BODY // 2**20} MiB, which no page has.",
            hint="Nothing was published. Check MASSIVE_BASE_URL: is it the API?",
        )
