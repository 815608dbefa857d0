"""What the API may do to us on the wire: the day arrives whole, or the run stops and says why."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

import stockpipe
from conftest import SIDE_BY_SIDE, flags, many, spread, table, write_listing
from stockpipe.errors import AccessError, ApiError, StockpipeError
from stockpipe.sandbox import Answer, Request, Sandbox
from support import loads
from support.faults import JSON, TRANSIENT, body

Respond = Callable[[Request], Answer]


@dataclass
class Spoil:
    """Puts other answers in place of the sandbox's: `answers[n]` for the n-th call (from 1), or `always` from a call on."""

    answers: dict[int, Answer]
    always: tuple[int, Answer] | None = None
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, respond: Respond) -> Respond:
        def spoiled(request: Request) -> Answer:
            with self.lock:
                self.calls += 1
                call = self.calls
            if self.always and call >= self.always[0]:
                return self.always[1]
            return self.answers.get(call) or respond(request)

        return spoiled


WALKS: dict[str, Any] = {"page by page": {}, "side by side": SIDE_BY_SIDE}
walks = pytest.mark.parametrize("walk", WALKS)


def load(spoil: Callable[[Respond], Respond], rows: int = 2500, **settings: str) -> stockpipe.LoadResult:
    data = write_listing(Path("listing.csv"), spread(rows))
    with Sandbox(data=data, wrap=spoil) as sandbox:
        return loads.load(flags(sandbox, **settings))


@walks
@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_passing_fault_costs_a_try_and_no_row(fault: str, call: int, walk: str) -> None:
    result = load(Spoil({call: TRANSIENT[fault]}), **WALKS[walk])
    assert (result.rows, result.records[0].retries) == (2500, 1)
    assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(2500, 2500)]


def test_a_sandbox_that_does_not_run_is_tried_six_times_and_named(caplog: pytest.LogCaptureFixture) -> None:
    settings = {"POLYGON_API_KEY": "a-key", "MASSIVE_BASE_URL": "http://127.0.0.1:9", "STOCKPIPE_WAREHOUSE": "duckdb"}
    with (
        caplog.at_level("INFO"),
        pytest.raises(
            ApiError, match=r"in 6 tries; the last one: http://127\.0\.0\.1:9 could not be read: Connection refused\."
        ) as told,
    ):
        loads.load(settings)
    assert "Nothing listens there. Is `stockpipe sandbox` running?" in told.value.hint
    # From the moment on at which somebody would wonder, each wait is told, with the same question.
    waits = [message for message in caplog.messages if "before try" in message]
    assert waits[-1].endswith("before try 6 of 6.")
    assert all("Is `stockpipe sandbox` running?" in message for message in waits)


@walks
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_lasting_fault_stops_the_run_and_publishes_nothing(fault: str, walk: str) -> None:
    spoil = Spoil({}, always=(2, TRANSIENT[fault]))
    with pytest.raises(ApiError, match=r"in \d tries"):
        load(spoil, **WALKS[walk])
    # Side by side, eight pages are tried at once, six times each.
    assert spoil.calls == 7 if walk == "page by page" else 7 <= spoil.calls <= 1 + 8 * 6
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]
    assert table("SELECT STATUS, ERROR, ROWS_PUBLISHED FROM STOCKPIPE_RUNS") == [("failed", "ApiError", 0)]


@walks
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401, body(status="ERROR", error="Unknown API Key"), JSON), AccessError),
        (Answer(403, body(status="NOT_AUTHORIZED", message="not entitled"), JSON), AccessError),
        (Answer(404, b"404 page not found"), ApiError),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), ApiError),
    ],
)
def test_a_refusal_is_not_tried_again(answer: Answer, error: type[StockpipeError], walk: str) -> None:
    spoil = Spoil({2: answer})
    with pytest.raises(error):
        load(spoil, **WALKS[walk])
    assert spoil.calls == 2 if walk == "page by page" else spoil.calls < 26
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]


def test_a_refused_cursor_restarts_the_walk_once() -> None:
    refusal = Answer(400, body(status="ERROR", error="Failed to parse query parameters from URL"), JSON)
    spoil = Spoil({2: refusal})
    assert load(spoil).rows == 2500
    assert spoil.calls == 5
    with pytest.raises(ApiError, match="refused its own cursor"):
        load(Spoil({2: refusal, 4: refusal}))


def next_urls(change: Callable[[dict[str, object]], None]) -> Callable[[Respond], Respond]:
    """Change the envelope of every page."""

    def wrap(respond: Respond) -> Respond:
        def changed(request: Request) -> Answer:
            envelope = json.loads(respond(request).body)
            change(envelope)
            return Answer(200, body(**envelope), JSON)

        return changed

    return wrap


@walks
def test_another_host_in_next_url_is_never_called(walk: str) -> None:
    def elsewhere(envelope: dict[str, object]) -> None:
        if "next_url" in envelope:
            envelope["next_url"] = (
                "https://evil.invalid:444/v3/reference/tickers?" + str(envelope["next_url"]).partition("?")[2]
            )

    assert load(next_urls(elsewhere), **WALKS[walk]).rows == 2500


@pytest.mark.parametrize(
    "url",
    [
        "https://u:p@api.massive.com/v3/reference/tickers?cursor=x",
        "/other?cursor=x",
        "http://[broken",
        "/v3/reference/tickers",
    ],
)
def test_a_next_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ApiError, match="next_url"):
        load(next_urls(lambda envelope: envelope.update(next_url=url)))


@dataclass
class Turning:
    """An API whose list never ends: page n has the rows `rows(n)` and leads to the cursor `cursor(n)`, n from 1."""

    rows: Callable[[int], list[dict[str, str]]]
    cursor: Callable[[int], str]
    calls: int = 0

    def __call__(self, _: Respond) -> Respond:
        def answer(_: Request) -> Answer:
            self.calls += 1
            next_url = f"/v3/reference/tickers?cursor={self.cursor(self.calls)}"
            return Answer(200, body(status="OK", results=self.rows(self.calls), next_url=next_url), JSON)

        return answer


def test_a_cursor_that_comes_again_ends_the_walk_though_the_rows_are_new() -> None:
    turning = Turning(lambda page: [{"ticker": f"T{page}"}], lambda page: "one" if page < 3 else "two")
    with pytest.raises(ApiError, match="cursor leads back to an earlier page"):
        load(turning, 1)
    assert turning.calls == 2


def test_a_cursor_that_leads_to_the_first_page_again_is_noticed_after_a_round() -> None:
    turning = Turning(lambda page: [{"ticker": f"T{page}"}], lambda page: str(page % 3))
    with pytest.raises(ApiError, match="cursor leads back to an earlier page"):
        load(turning, 1)
    assert turning.calls == 4


def test_rows_that_come_again_under_new_cursors_end_the_walk() -> None:
    turning = Turning(lambda page: [{"ticker": "A" if page < 4 else "B"}], str)
    with pytest.raises(ApiError, match="same page twice"):
        load(turning, 1)
    assert turning.calls == 2


def test_rows_of_an_earlier_page_count_too_and_other_rows_do_not() -> None:
    turning = Turning(lambda page: [{"ticker": f"T{page % 4}"}], str)
    with pytest.raises(ApiError, match="same page twice"):
        load(turning, 1)
    assert turning.calls == 5


@pytest.mark.parametrize(("empty", "ends"), [(3, False), (4, True)])
def test_three_empty_pages_in_a_row_are_let_pass_and_the_fourth_is_not(empty: int, ends: bool) -> None:
    """Twice, with a page of rows between: only pages in a row count."""
    turning = Turning(lambda page: [{"ticker": f"T{page}"}] if page % (empty + 1) == 0 else [], str)
    with pytest.raises(ApiError, match="4 empty pages in a row" if ends else "not ended after 9 pages"):
        load(turning, 1, STOCKPIPE_MAX_PAGES="9")
    assert turning.calls == (4 if ends else 10)


@walks
def test_empty_pages_are_not_the_end_but_bounded(walk: str) -> None:
    pages = iter(range(10_000))

    def empty(envelope: dict[str, object]) -> None:
        envelope.update(status="OK", results=[], next_url=f"/v3/reference/tickers?cursor=YXA9M&n={next(pages)}")

    with pytest.raises(ApiError, match="empty pages"):
        load(next_urls(empty), **WALKS[walk])


@walks
def test_a_walk_without_end_is_ended(walk: str) -> None:
    with pytest.raises(ApiError, match="not ended after 2 pages"):
        load(Spoil({}), STOCKPIPE_MAX_PAGES="2", **WALKS[walk])


def test_a_bomb_of_zeros_is_cut_off() -> None:
    bomb = Answer(200, gzip.compress(b" " * 80_000_000), {"Content-Encoding": "gzip"}, raw=True)
    with pytest.raises(ApiError, match="more than 32 MiB"):
        load(Spoil({1: bomb}))


PAGE = gzip.compress(body(status="OK", results=[]))
TOO_MUCH = 33 * 2**20
NOTHING = b"\x00\x00\x00\xff\xff"
"""A block of deflate with no bytes in it: what is packed grows, what comes out does not."""


@pytest.mark.parametrize(
    "packed",
    [
        PAGE + bytes(TOO_MUCH),
        PAGE + b"x" * TOO_MUCH,
        PAGE + PAGE * (TOO_MUCH // len(PAGE)),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + NOTHING * (TOO_MUCH // 5),
        b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff" + b"n" * TOO_MUCH,  # a file name without end
    ],
    ids=["zeros after it", "letters after it", "pages after it", "empty blocks", "an endless name"],
)
def test_bytes_that_no_page_needs_are_counted_and_cut_off(packed: bytes) -> None:
    spoil = Spoil({}, always=(1, Answer(200, packed, {"Content-Encoding": "gzip"}, raw=True)))
    with pytest.raises(ApiError, match="more than 32 MiB"):
        load(spoil, 1)
    assert spoil.calls == 1


def test_a_few_bytes_after_a_packed_page_do_no_harm() -> None:
    packed = {"Content-Encoding": "gzip"}

    def padded(respond: Respond) -> Respond:
        return lambda request: Answer(200, gzip.compress(respond(request).body) + bytes(512), packed, raw=True)

    assert load(padded).rows == 2500


@walks
def test_a_server_that_drips_meets_the_deadline_of_the_answer(walk: str) -> None:
    def drip(connection: object) -> None:
        try:
            for _ in range(40):
                connection.sendall(b"H")  # type: ignore[attr-defined]
                time.sleep(0.02)
        except OSError:
            pass

    with pytest.raises(ApiError, match=r"no whole answer within 0\.15 s"):
        load(Spoil({}, always=(2, Answer(200, wire=drip))), STOCKPIPE_ANSWER_TIMEOUT="0.15", **WALKS[walk])


@walks
def test_delayed_data_and_a_wrong_count_are_fine(walk: str) -> None:
    delayed = next_urls(lambda envelope: envelope.update(status="DELAYED", count=7))
    assert load(delayed, **WALKS[walk]).rows == 2500


@walks
def test_a_torn_list_is_walked_again_and_published_when_it_is_whole(walk: str) -> None:
    days = chain(["2026-02-06"], repeat("2026-02-07"))

    def stamp(envelope: dict[str, object]) -> None:
        day = next(days)
        for row in envelope["results"]:  # type: ignore[attr-defined]
            row["last_updated_utc"] = f"{day}T07:05:42Z"

    assert load(next_urls(stamp), **WALKS[walk]).rows == 2500
    assert table("SELECT DISTINCT LAST_UPDATED_UTC::DATE::VARCHAR FROM TICKERS") == [("2026-02-07",)]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of one process is read from /proc")
def test_memory_stays_small_under_a_bomb() -> None:
    bomb = Answer(200, gzip.compress(b" " * 400_000_000, 1), {"Content-Encoding": "gzip"}, raw=True)
    code = (
        "import re, sys; from stockpipe.cli import main\n"
        "try: main(['run'])\nexcept SystemExit as end: print(end.code, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    data = write_listing(Path("listing.csv"), many(10))
    with Sandbox(data=data, wrap=Spoil({}, always=(1, bomb))) as sandbox:
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | flags(sandbox), capture_output=True, text=True
        )
    exit_code, kilobytes = map(int, done.stdout.split())
    assert (exit_code, kilobytes < 200_000) == (5, True), f"{kilobytes} kB"
