"""Tell somebody: a ping URL in the manner of healthchecks services, and one webhook that Slack understands too.

The ping gets `/start`, then the plain URL or `/fail` with the reason. The webhook gets a JSON document when a run
fails, is refused, finds a stale list, or is the first good one after failures. An alert that cannot be sent is a
warning and nothing more: 2 tries of 10 seconds each, and the run goes on.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from stockpipe.base.calendar import missing_session
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import is_safe_url, printable, redacted
from stockpipe.base.version import __version__
from stockpipe.errors import DataCheckError, Interrupted, StockpipeError, exit_code_of
from stockpipe.settings import Settings
from stockpipe.warehouse.runs import RunRecord

log = logging.getLogger(__name__)

SECONDS = 10.0
TRIES = 2
MOST_TEXT = 2000


@dataclass
class Alerts:
    """Sends the alerts of a run to the receivers that are set; without any, every method does nothing.

    `seconds` is the longest time for one try. No method raises for what a receiver does.
    """

    ping_url: str | None = field(default=None, repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    secrets: Callable[[], frozenset[str]] = field(default=frozenset, repr=False)
    seconds: float = SECONDS
    _warned: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Alerts:
        """The alerts that the settings ask for; ConfigError for a URL that is neither https nor on this machine."""
        ping, webhook = (_checked(settings, name) for name in ("STOCKPIPE_PING_URL", "STOCKPIPE_WEBHOOK_URL"))
        return cls(ping, webhook, lambda: settings.secrets)

    @contextmanager
    def watching(self, record: RunRecord) -> Iterator[None]:
        """Announce a run, and tell how it failed if it does; the error goes on its way. Say `succeeded` yourself.

        `record` is that of the run's first part.
        """
        self.started(record)
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            self.failed(as_interrupt(error) or error, record)
            raise

    def started(self, record: RunRecord) -> None:
        """Announce a run, so that the ping's service can measure it and miss its end."""
        self._ping("/start", _about(record))

    @contextmanager
    def together(self, reasons: Callable[[], list[str]]) -> Iterator[Alerts]:
        """One ping for several runs: announced at once, and a failure where one of `reasons` says at the end that it is.

        Gives the alerts for each of the runs, which leave the ping alone.
        """
        self._ping("/start", "several lists")
        try:
            yield replace(self, ping_url=None)
        finally:
            said = reasons()
            self._ping("/fail" if said else "", "; ".join(said) or "all lists are loaded")

    def succeeded(self, records: list[RunRecord], *, recovered: bool = False) -> None:
        """Tell of a run that published. A list that lacks a session is an alarm; `recovered` makes it good news."""
        first = records[0]
        rows = sum(record.rows_published for record in records)
        if reason := stale_reason(records):
            self._ping("/fail", reason)
            self._post(first, "stale", first.status, reason, rows=rows)
            return
        self._ping("", f"{rows} rows, run {first.run_id}")
        if recovered:
            self._post(first, "recovered", first.status, "The run before this one had failed.", rows=rows)

    def failed(self, error: BaseException, record: RunRecord) -> None:
        """Tell of a run that ended in an error; nothing of it was published."""
        foreseen = isinstance(error, StockpipeError)
        reason = self._safe(str(error) if foreseen else f"Unexpected {type(error).__name__}: {error}")
        event = "refused" if isinstance(error, DataCheckError) else "failed"
        status = "interrupted" if isinstance(error, Interrupted) else event
        self._ping("/fail", reason)
        self._post(record, event, status, reason, exit_code=exit_code_of(error))

    def _safe(self, text: str) -> str:
        """The text without secrets and control characters, cut to a bounded length."""
        return printable(redacted(text, self.secrets()))[:MOST_TEXT]

    def _ping(self, suffix: str, reason: str) -> None:
        if self.ping_url:
            parts = urlsplit(self.ping_url)
            url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))
            self._send("ping", url, self._safe(reason).encode(), "text/plain; charset=utf-8")

    def _post(
        self, record: RunRecord, event: str, status: str, message: str, *, rows: int = 0, exit_code: int = 0
    ) -> None:
        if not self.webhook_url:
            return
        headline = f"stockpipe: {_about(record)} {event}: {message}"
        document: dict[str, Any] = {
            "text": _slack(headline),
            "event": event,
            "status": status,
            "run_id": record.run_id,
            "dataset": record.dataset,
            "market": record.market,
            "ds": record.ds.isoformat(),
            "rows": rows,
            "message": message,
            "exit_code": exit_code,
            "version": __version__,
        }
        self._send("webhook", self.webhook_url, json.dumps(document).encode(), "application/json")

    def _send(self, what: str, url: str, body: bytes, kind: str) -> None:
        """POST, at most TRIES times; a failure is warned about once, without the URL, which holds a token."""
        fault = ""
        for _ in range(TRIES):
            fault, lasting = _try(url, body, kind, self.seconds)
            if not fault or lasting:
                break
        if fault and what not in self._warned:
            self._warned.add(what)
            log.warning("The %s alert could not be sent (%s). The run goes on.", what, fault)


def stale_reason(records: list[RunRecord]) -> str:
    """What a published list lacks, as a sentence; "" for nothing."""
    return next(filter(None, (missing_session(record.build_date, record.ds) for record in records)), "")


def _about(record: RunRecord) -> str:
    return " ".join(filter(None, (record.dataset, record.market, record.ds.isoformat())))


def _checked(settings: Settings, name: str) -> str | None:
    url = settings.get(name)
    if url is None:
        return None
    if not is_safe_url(url) or set("@#") & set(url):
        raise settings.refused(name, "a URL that begins with https:// (http:// only for this machine itself)")
    return url


def _try(url: str, body: bytes, kind: str, seconds: float) -> tuple[str, bool]:
    """One POST: what went wrong ("" for nothing), and whether it would go wrong again. No redirect is followed."""
    # Imported here, so that a run without alerts does not pay for it.
    import httpcore2

    from stockpipe.base.http import Deadline, in_words, open_pool

    parts, headers = urlsplit(url), _headers(url, body, kind)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    # An event of its own: after a stop there is still something to tell.
    deadline = Deadline(threading.Event())
    deadline.start(seconds)
    try:
        with (
            open_pool(f"{parts.scheme}://{parts.netloc}", deadline, 1, "the alert's URL") as pool,
            pool.stream("POST", url, headers=headers, content=body, extensions={"timeout": timeouts}) as answer,
        ):
            status = answer.status
    except httpcore2.TimeoutException:
        return f"no answer within {seconds:g} s", False
    except Interrupted:
        raise
    except StockpipeError as error:  # a certificate, a proxy: the same again at the next try
        return str(error), True
    except httpcore2.ConnectError as error:
        return in_words(error), False
    except Exception as error:  # noqa: BLE001 - whatever breaks here, the run goes on
        return type(error).__name__, False
    if 200 <= status < 300:
        return "", False
    return f"HTTP {status}", status < 500 and status != 429


def _headers(url: str, body: bytes, kind: str) -> dict[bytes | str, bytes | str]:
    return {
        "Host": urlsplit(url).netloc,
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "User-Agent": f"stockpipe/{__version__}",
        "Connection": "close",
    }


def _slack(text: str) -> str:
    """Text for Slack, in which outside words can neither call people (<!channel>) nor make links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
