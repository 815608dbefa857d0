"""The moment of publishing: one transaction, whoever else is there, whatever breaks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import stockpipe
from conftest import Serve, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.errors import WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import Delivery
from stockpipe.warehouse.snowflake.signin import SignIn
from support.threads import at_once

pytestmark = pytest.mark.slow


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[SnowflakeGate]:
    """A stand-in whose connector gives a lost connection up soon."""
    from stockpipe.warehouse.snowflake import connection, session

    plan = session.session_plan

    def quick(settings: Settings, run_id: str = "", *, reads: bool = False) -> SignIn:
        made = plan(settings, run_id, reads=reads)
        made.arguments.update(network_timeout=1, statement_timeout=20, login_timeout=5)
        return made

    monkeypatch.setattr(connection, "session_plan", quick)
    with SnowflakeGate(lock_timeout=20.0) as gate:
        yield gate


def both(settings: dict[str, str]) -> list[object]:
    """Two runs of one day at once: what each returned or raised."""
    return at_once(2, lambda: stockpipe.load(settings=settings).rows)


@pytest.mark.parametrize("new_day", [True, False])
def test_two_runs_at_once_never_double_a_day_in_snowflake(serve: Serve, gate: SnowflakeGate, new_day: bool) -> None:
    settings = flags(serve(many(300))) | gate.env()
    stockpipe.load(on="2026-02-05" if new_day else None, settings=settings)
    for _ in range(5):
        ends = both(settings)
        assert 300 in ends
        assert all(end == 300 or isinstance(end, WarehouseError) for end in ends)
        day = "WHERE ds > '2026-02-05'"
        assert gate.rows(f"SELECT count(*), count(DISTINCT ticker) FROM tickers {day}") == [(300, 300)]


def test_two_runs_at_once_never_double_a_day_in_duckdb(serve: Serve) -> None:
    settings = flags(serve(many(300)))
    for _ in range(3):
        ends = both(settings)
        assert 300 in ends
        assert all(end == 300 or isinstance(end, WarehouseError) for end in ends)
        assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(300, 300)]


def test_a_second_transaction_of_this_process_begins_when_the_first_has_ended(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would find no row to delete. The first one is slow: its records are made while the second one is waiting."""
    settings = flags(serve(many(300)))
    stockpipe.load(on="2026-02-05", settings=settings)
    ended, seen = Delivery.ended, []

    def slow(self: Delivery, *more: object) -> object:
        seen.append(1)
        if len(seen) == 1:
            threading.Event().wait(1.0)
        return ended(self, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Delivery, "ended", slow)
    ends = both(settings)
    assert [end for end in ends if end == 300] == ends
    assert table("SELECT DS, count(*) FROM TICKERS GROUP BY 1 ORDER BY 1")[1][1] == 300


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_commit_is_found_out_before_anything_is_said(serve: Serve, gate: SnowflakeGate, when: str) -> None:
    settings = flags(serve(many(30))) | gate.env()
    stockpipe.load(settings=settings)
    gate.fault("^COMMIT", when="after" if when == "after" else "before", action="drop", times=None)
    settings |= flags(serve(many(30, prefix="U")))
    if when == "after":
        result = stockpipe.load(settings=settings)
        published = [row[0] for row in gate.rows("SELECT run_id FROM stockpipe_runs WHERE status = 'published'")]
        assert result.run_id in published
    else:
        with pytest.raises(WarehouseError):
            stockpipe.load(settings=settings)
        assert gate.rows("SELECT count(*) FROM stockpipe_runs WHERE status = 'published'") == [(1,)]
    new = 30 if when == "after" else 0
    assert gate.rows("SELECT count(*), count(DISTINCT ticker), count_if(ticker LIKE 'U%') FROM tickers") == [
        (30, 30, new)
    ]


def test_two_processes_at_once_never_double_a_day_in_duckdb(serve: Serve) -> None:
    """The second one waits for the file, so both end well."""
    env = os.environ | flags(serve(many(300)))
    for _ in range(3):
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "stockpipe", "run", "-q"], env=env, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        said = [run.communicate()[1] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], said
        assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(300, 300)]
    assert table("SELECT count(*) FROM STOCKPIPE_RUNS WHERE STATUS IN ('published', 'unchanged')") == [(6,)]
