"""Real loads from the sandbox, with a receiver and a metrics file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Serve, flags, many, stock, table
from stockpipe.base.stopping import stopping
from stockpipe.errors import AccessError, ApiError, ConfigError, DataCheckError, StockpipeError
from stockpipe.sandbox import Answer, Request
from support.clocks import FakeClock, Morning
from support.loads import load_day
from support.metrics import STOCKS, values
from support.receivers import TOKEN, Receiver

PHASES = ("prepare", "fetch", "check", "publish")


def load(clock: Morning, env: dict[str, str], receiver: Receiver, **how: Any) -> float:
    """Load a day, or fail to; the exit status in the metrics file."""
    urls = {
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
    }
    clock.runs += 1
    load_day(clock, env | urls, metrics_file=Path("out.prom"), **how)
    return values(Path("out.prom").read_text(), STOCKS)["exit_status"]


class SlowPublish(Morning):
    """A morning on which a hundred seconds pass once a publish has begun."""

    published = False

    def now(self) -> datetime:
        self.published = self.published or stopping.publishing.is_set()
        return super().now() + timedelta(seconds=100 if self.published else 0)


def test_a_run_s_seconds_have_its_publish_in_them(serve: Serve, receiver: Receiver) -> None:
    clock = SlowPublish()
    load(clock, flags(serve(many(3))), receiver)
    metrics = values(Path("out.prom").read_text(), STOCKS)
    assert (metrics["duration_seconds"], metrics["last_success_timestamp_seconds"]) == (100, 1770456760)
    ends = table("SELECT SECONDS, FINISHED_UTC::VARCHAR FROM STOCKPIPE_RUNS")
    assert ends == [(100.0, "2026-02-07 09:32:40")]


def test_a_week_of_good_and_bad_runs_is_told_as_it_was(serve: Serve, receiver: Receiver) -> None:
    clock, good, empty = Morning(), flags(serve(many(300))), flags(serve(many(3)))
    load(clock, good, receiver)
    with pytest.raises(DataCheckError):
        load(clock, empty, receiver)
    with pytest.raises(AccessError):
        load(clock, good | {"POLYGON_API_KEY": "wrong-key"}, receiver)
    metrics = values(Path("out.prom").read_text(), STOCKS)
    assert (metrics["exit_status"], metrics["last_success_timestamp_seconds"]) == (4, 1770456660)
    assert load(clock, good, receiver) == 0
    assert load(clock, good, receiver) == 0
    assert [suffix for suffix, _ in receiver.pings] == [
        "/start",
        "",
        "/start",
        "/fail",
        "/start",
        "/fail",
        "/start",
        "",
        "/start",
        "",
    ]
    told = [(document["event"], document["exit_code"], document["rows"]) for document in receiver.documents]
    assert told == [("refused", 7, 0), ("failed", 4, 0), ("recovered", 0, 300)]
    assert values(Path("out.prom").read_text(), STOCKS)["last_success_timestamp_seconds"] == 1770456900


def test_a_stale_list_is_told_whether_it_is_published_or_refused(serve: Serve, receiver: Receiver) -> None:
    old = [stock(f"T{n}", last_updated_utc="2026-02-05T07:05:42Z") for n in range(9)]
    clock, env = Morning(), flags(serve(old))
    assert load(clock, env, receiver) == 0
    with pytest.raises(DataCheckError):
        load(clock, env, receiver, require_fresh=True)
    assert [(document["event"], document["status"]) for document in receiver.documents] == [
        ("stale", "published"),
        ("refused", "refused"),
    ]
    lacking, old_build = [body for suffix, body in receiver.pings if suffix == "/fail"]
    assert (
        lacking == "The vendor's list for 2026-02-07 was built on 2026-02-05 and misses at least one trading session."
    )
    assert old_build.startswith("The vendor's list is the build of 2026-02-05, older than the day loaded (2026-02-07).")
    assert values(Path("out.prom").read_text(), STOCKS)["exit_status"] == 7


def test_a_run_that_ends_before_it_begins_is_told_too(serve: Serve, receiver: Receiver) -> None:
    env = flags(serve(many(1)))
    with pytest.raises(ConfigError):
        load(Morning(), {name: text for name, text in env.items() if name != "POLYGON_API_KEY"}, receiver)
    assert [(document["event"], document["exit_code"]) for document in receiver.documents] == [("failed", 3)]
    # The clock is at 09:31, and the rest of the id is a random number.
    assert receiver.documents[0]["run_id"].startswith("20260207T093100000Z-")
    assert values(Path("out.prom").read_text(), STOCKS)["exit_status"] == 3


def test_receivers_that_are_down_change_nothing(serve: Serve, receiver: Receiver) -> None:
    receiver.url = "http://127.0.0.1:1"
    clock, env = Morning(), flags(serve(many(5)))
    assert load(clock, env, receiver) == 0
    with pytest.raises(StockpipeError, match="key"):
        load(clock, env | {"POLYGON_API_KEY": "wrong-key"}, receiver)


def test_the_metrics_of_a_run_hold_its_seconds_by_phase(serve: Serve, receiver: Receiver) -> None:
    load(Morning(), flags(serve(many(1500))), receiver)
    text = Path("out.prom").read_text()
    spent = {phase: values(text, STOCKS | {"phase": phase})["phase_seconds"] for phase in PHASES}
    assert all(0 < seconds < 60 for seconds in spent.values())


def broken(_: object) -> Callable[[Request], Answer]:
    """An API that is down."""
    return lambda _: Answer(503)


def test_a_failed_run_tells_its_calls_retries_and_waits(serve: Serve) -> None:
    clock = FakeClock(moment=datetime(2026, 2, 7, 9, 30, tzinfo=UTC))
    with pytest.raises(ApiError):
        load_day(clock, flags(serve(many(3), wrap=broken)), metrics_file=Path("out.prom"))
    text = Path("out.prom").read_text()
    found = values(text, STOCKS)
    assert (found["exit_status"], found["calls"], found["retries"]) == (5, 6, 6)
    # Half a second, 1, 2, 4 and 8, each times 0.5 to 1.
    assert 7.75 <= found["waited_seconds"] <= 15.5
    assert table("SELECT STATUS, CALLS, RETRIES FROM STOCKPIPE_RUNS") == [("failed", 6, 6)]
    assert values(text, STOCKS | {"phase": "fetch"})["phase_seconds"] >= 7.75
    assert {"publish", "check"} & {phase for phase in PHASES if values(text, STOCKS | {"phase": phase})} == set()


def test_a_dry_run_tells_nobody(serve: Serve, receiver: Receiver) -> None:
    settings = flags(serve(many(5))) | {"STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}"}
    load_day(Morning(), settings, metrics_file=Path("out.prom"), dry_run=True)
    assert (receiver.calls, Path("out.prom").exists()) == ([], False)
