"""The ping and the webhook, against a receiver on this machine."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from stockpipe import __version__
from stockpipe.datasets import TICKERS
from stockpipe.errors import ConfigError, DataCheckError, Interrupted, WarehouseError
from stockpipe.models import views
from stockpipe.observe.alerts import Alerts
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import had_failed
from stockpipe.warehouse.runs import RunRecord, RunStatus
from support.loads import STOCKS
from support.receivers import TOKEN, Receiver

KEY = "sk-never-to-be-shown"
DAY = date(2026, 2, 7)
RUN_ID = "20260207T093000000Z-00000001"
ABOUT = RunRecord(RUN_ID, "tickers", "stocks", True, DAY, datetime(2026, 2, 7, 9, 30, tzinfo=UTC))


def alerts_to(receiver: Receiver, **flags: str) -> Alerts:
    """Alerts as a user sets them up, with a receiver on this machine."""
    urls = {
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
    }
    return Alerts.from_settings(load_settings({"POLYGON_API_KEY": KEY} | urls | flags, env={}))


def record(status: RunStatus = "published", *, run_id: str = RUN_ID, **changes: Any) -> RunRecord:
    """The record of an invented run."""
    numbers: dict[str, Any] = {"rows_fetched": 12, "rows_published": 12, "build_date": DAY} | changes
    started = datetime(2026, 2, 7, 9, 30, tzinfo=UTC)
    return RunRecord(run_id, "tickers", "stocks", True, DAY, started, status, **numbers)


def test_a_good_run_pings_start_and_success_and_leaves_the_webhook_alone(receiver: Receiver) -> None:
    alerts = alerts_to(receiver)
    with alerts.watching(ABOUT):
        pass
    alerts.succeeded([record()])
    assert receiver.calls == [
        (f"/ping/{TOKEN}/start", "tickers stocks 2026-02-07"),
        (f"/ping/{TOKEN}", "12 rows, run 20260207T093000000Z-00000001"),
    ]


def test_a_failed_run_tells_both_the_reason(receiver: Receiver) -> None:
    with pytest.raises(WarehouseError), alerts_to(receiver).watching(ABOUT):
        raise WarehouseError("The table is gone.", hint="Make it again.")
    assert receiver.pings == [("/start", "tickers stocks 2026-02-07"), ("/fail", "The table is gone. Make it again.")]
    assert receiver.documents == [
        {
            "text": "stockpipe: tickers stocks 2026-02-07 failed: The table is gone. Make it again.",
            "event": "failed",
            "status": "failed",
            "run_id": "20260207T093000000Z-00000001",
            "dataset": "tickers",
            "market": "stocks",
            "ds": "2026-02-07",
            "rows": 0,
            "message": "The table is gone. Make it again.",
            "exit_code": 6,
            "version": __version__,
        }
    ]
    assert receiver.kinds == ["text/plain; charset=utf-8", "text/plain; charset=utf-8", "application/json"]


@pytest.mark.parametrize(
    ("error", "event", "status", "exit_code", "message"),
    [
        (DataCheckError("A loss of 9 %."), "refused", "refused", 7, "A loss of 9 %."),
        (Interrupted("Stopped.", exit_code=143), "failed", "interrupted", 143, "Stopped."),
        (ZeroDivisionError("oh"), "failed", "failed", 1, "Unexpected ZeroDivisionError: oh"),
    ],
)
def test_each_kind_of_end_has_its_event(
    receiver: Receiver, error: Exception, event: str, status: str, exit_code: int, message: str
) -> None:
    alerts_to(receiver).failed(error, ABOUT)
    (document,) = receiver.documents
    assert (document["event"], document["status"], document["exit_code"]) == (event, status, exit_code)
    assert (document["message"], receiver.pings) == (message, [("/fail", message)])


def test_ctrl_c_is_told_as_an_interruption(receiver: Receiver) -> None:
    with pytest.raises(KeyboardInterrupt), alerts_to(receiver).watching(ABOUT):
        raise KeyboardInterrupt
    assert [(document["status"], document["exit_code"]) for document in receiver.documents] == [("interrupted", 130)]


def test_a_stale_list_is_an_alarm_although_it_was_published(receiver: Receiver) -> None:
    alerts_to(receiver).succeeded([record(build_date=date(2026, 2, 5))], recovered=True)
    reason = "The vendor's list for 2026-02-07 was built on 2026-02-05 and misses at least one trading session."
    assert receiver.pings == [("/fail", reason)]
    (document,) = receiver.documents
    assert (document["event"], document["status"], document["rows"]) == ("stale", "published", 12)
    assert (document["message"], document["exit_code"]) == (reason, 0)


def test_a_weekend_without_a_new_list_is_no_alarm(receiver: Receiver) -> None:
    alerts_to(receiver).succeeded([replace(record(build_date=date(2026, 2, 7)), ds=date(2026, 2, 8))])
    assert (receiver.pings, receiver.documents) == ([("", "12 rows, run 20260207T093000000Z-00000001")], [])


def test_the_first_good_run_after_failures_is_told(receiver: Receiver) -> None:
    alerts_to(receiver).succeeded([record(), record(rows_published=3)], recovered=True)
    (document,) = receiver.documents
    assert document["text"] == "stockpipe: tickers stocks 2026-02-07 recovered: The run before this one had failed."
    assert (document["event"], document["rows"], document["exit_code"]) == ("recovered", 15, 0)
    assert receiver.pings == [("", "15 rows, run 20260207T093000000Z-00000001")]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (("failed",), True),
        (("refused",), True),
        (("interrupted",), True),
        (("failed", "published"), False),
        ((), False),
    ],
)
def test_the_run_records_tell_whether_a_run_is_a_recovery(before: tuple[RunStatus, ...], expected: bool) -> None:
    warehouse = open_warehouse(load_settings({"STOCKPIPE_WAREHOUSE": "duckdb"}, env={}))
    warehouse.prepare(TICKERS, views)
    warehouse.write_records([record(status, run_id=f"2026020{day}-x") for day, status in enumerate(before, start=1)])
    warehouse.write_records([record("failed", run_id="20260209-later")])
    assert had_failed(warehouse, record(run_id="20260208-this"), STOCKS) is expected


def test_a_warehouse_that_cannot_be_asked_is_no_recovery() -> None:
    warehouse = open_warehouse(load_settings({"STOCKPIPE_WAREHOUSE": "duckdb"}, env={}))
    assert not had_failed(warehouse, record(), STOCKS)


def test_no_secret_is_in_an_alert(receiver: Receiver) -> None:
    error = WarehouseError(f"{KEY} was refused by {receiver.url}/hook/{TOKEN}\x1b[31m")
    alerts_to(receiver).failed(error, ABOUT)
    sent = "".join(body for _, body in receiver.calls)
    assert KEY not in sent
    assert TOKEN not in sent
    assert receiver.documents[0]["message"] == "*** was refused by ***\\x1b[31m"


def test_outside_words_cannot_call_people_in_slack_and_are_bounded(receiver: Receiver) -> None:
    alerts_to(receiver).failed(WarehouseError("<!channel> & " + "x" * 5000), ABOUT)
    (document,) = receiver.documents
    assert document["text"].startswith("stockpipe: tickers stocks 2026-02-07 failed: &lt;!channel&gt; &amp; xxx")
    assert len(document["message"]) == 2000


def test_a_query_in_the_ping_url_stays_at_its_end(receiver: Receiver) -> None:
    alerts_to(receiver, STOCKPIPE_PING_URL=f"{receiver.url}/ping/{TOKEN}/?create=1").started(ABOUT)
    assert receiver.pings == [("/start?create=1", "tickers stocks 2026-02-07")]


@pytest.mark.parametrize(
    ("statuses", "calls", "warning"),
    [
        ([500], 2, None),
        ([429], 2, None),
        ([503, 503], 2, "HTTP 503"),
        ([404], 1, "HTTP 404"),
        ([302], 1, "HTTP 302"),
    ],
)
def test_an_unwilling_receiver_is_asked_twice_at_most(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, statuses: list[int], calls: int, warning: str | None
) -> None:
    receiver.statuses, receiver.location = statuses, f"{receiver.url}/elsewhere"
    alerts_to(receiver).started(ABOUT)
    assert [path for path, _ in receiver.pings] == ["/start"] * calls
    assert all(path != "/elsewhere" for path, _ in receiver.calls)
    expected = [f"The ping alert could not be sent ({warning}). The run goes on."] if warning else []
    assert [entry.message for entry in caplog.records if entry.levelno >= logging.WARNING] == expected


def test_a_receiver_that_is_down_costs_one_warning_without_its_url(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    urls = dict.fromkeys(("STOCKPIPE_PING_URL", "STOCKPIPE_WEBHOOK_URL"), f"http://127.0.0.1:1/{TOKEN}")
    alerts = alerts_to(receiver, **urls)
    with pytest.raises(WarehouseError), alerts.watching(ABOUT):
        raise WarehouseError("The table is gone.")
    assert [entry.message for entry in caplog.records] == [
        "The ping alert could not be sent (Connection refused). The run goes on.",
        "The webhook alert could not be sent (Connection refused). The run goes on.",
    ]


def test_a_receiver_that_says_nothing_is_left_after_the_time_out(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.silent = threading.Event()
    alerts = alerts_to(receiver)
    assert alerts.seconds == 10.0
    alerts.seconds = 0.05
    alerts.started(ABOUT)
    assert [entry.message for entry in caplog.records] == [
        "The ping alert could not be sent (no answer within 0.05 s). The run goes on."
    ]


def test_an_interruption_during_an_alert_is_obeyed(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpcore2

    def stopped(*_: object, **__: object) -> None:
        raise Interrupted("Stopped.")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", stopped)
    with pytest.raises(Interrupted):
        alerts_to(receiver).started(ABOUT)


@pytest.mark.parametrize(
    "url",
    [
        f"http://example.com/{TOKEN}",
        f"ftp://example.com/{TOKEN}",
        f"https://user@example.com/{TOKEN}",
        f"https://example.com:port/{TOKEN}",
        f"https:///{TOKEN}",
        f"https://example.com/{TOKEN} x",
    ],
)
@pytest.mark.parametrize("name", ["STOCKPIPE_PING_URL", "STOCKPIPE_WEBHOOK_URL"])
def test_an_unsafe_url_is_refused_without_showing_it(name: str, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Alerts.from_settings(load_settings({name: url}, env={}))
    assert caught.value.message == (
        f"{name} (from the command line): it must be a URL that begins with https:// "
        "(http:// only for this machine itself)."
    )


def test_without_receivers_nothing_is_sent_and_nothing_is_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from datetime import date\n"
        "from stockpipe.observe.alerts import Alerts; from stockpipe.settings import load_settings\n"
        "alerts = Alerts.from_settings(load_settings({}, env={}))\n"
        "from stockpipe.warehouse.runs import RunRecord\n"
        "with alerts.watching(RunRecord('r', 'tickers', 'stocks', True, date(2026, 2, 7), None)): pass\n"
        "assert 'httpcore2' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_urls_are_secrets(receiver: Receiver) -> None:
    alerts = alerts_to(receiver)
    assert TOKEN not in f"{alerts!r}"
    settings = load_settings({"STOCKPIPE_WEBHOOK_URL": f"https://example.com/{TOKEN}"}, env={})
    assert settings.secrets == {f"https://example.com/{TOKEN}"}

    assert TOKEN not in repr(settings.refused("STOCKPIPE_WEBHOOK_URL", "x"))
