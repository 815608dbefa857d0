"""What the tests share: invented listings, a sandbox that serves them, a clean place to run in."""

from __future__ import annotations

import csv
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from stockpipe.base.stopping import stopping
from stockpipe.sandbox import SANDBOX_KEY, Sandbox

pytest_plugins = ["support.disks", "support.gates", "support.receivers", "support.tls"]

_LONGEST = ("test_readers.py", "test_kills.py", "test_backfill_kills.py")
"""Tests of minutes come first, so that no worker has one of them left when the others are done."""

FIELDS = [
    "ticker", "name", "market", "locale", "primary_exchange", "type", "active", "currency_name", "cik", "composite_figi",
    "share_class_figi", "last_updated_utc",
]  # fmt: skip


def stock(ticker: str, /, **changes: str) -> dict[str, str]:
    """An invented active stock, as a line of a listing file."""
    row = {
        "ticker": ticker, "name": f"{ticker} Incorporated Common Stock", "market": "stocks", "locale": "us",
        "primary_exchange": "XNAS", "type": "CS", "active": "True", "currency_name": "usd", "cik": "0000001234",
        "composite_figi": f"BBG{ticker:0>9}"[:12], "share_class_figi": f"BBH{ticker:0>9}"[:12],
        "last_updated_utc": "2026-02-07T07:05:42.81804786Z",
    }  # fmt: skip
    return row | changes


def write_listing(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """A listing file in the form of the real dumps."""
    fields = FIELDS + [name for row in rows for name in row if name not in FIELDS]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(fields)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def many(count: int, prefix: str = "T") -> list[dict[str, str]]:
    """`count` stocks in the order of their tickers."""
    return [stock(f"{prefix}{number:05}") for number in range(count)]


def spread(count: int) -> list[dict[str, str]]:
    """`count` stocks in the order of their tickers, as many with one first letter as with another."""
    share = -(-count // 26)
    return [stock(f"{chr(65 + number // share)}{number % share:04}") for number in range(count)]


SIDE_BY_SIDE = {"STOCKPIPE_PARALLEL_CALLS": "8"}
"""For `flags`: pages are fetched at the same time, from different ranges of the list."""


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """A command that was run in this process ignores signals at its end, and programs that are started later would inherit that."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in an empty folder, without any setting of the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in os.environ:
        if name.startswith(
            ("POLYGON_", "MASSIVE_", "STOCKPIPE_", "SNOWFLAKE_", "RATE_LIMIT_", "PRIVATE_KEY_", "OTEL_", "SSL_CERT_")
        ) or name.lower().endswith(("_proxy", "_ca_bundle", "_ca_certs")):
            monkeypatch.delenv(name)
    # The tests themselves may be run by `uv run`.
    monkeypatch.delenv("UV", raising=False)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """What a test sets up for the log ends with it; what an earlier one published is none of its business."""
    log = logging.getLogger("stockpipe")
    before = (log.handlers[:], log.level, log.propagate)
    stopping.forget_commits()
    yield
    log.handlers[:], log.level, log.propagate = before


Serve = Callable[..., Sandbox]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a sandbox over listing rows; it ends with the test."""
    started: list[Sandbox] = []

    def start(rows: Sequence[dict[str, str]], **options: object) -> Sandbox:
        data = write_listing(tmp_path / f"listing-{len(started)}.csv", rows)
        sandbox = Sandbox(data=data, **options)  # type: ignore[arg-type]
        started.append(sandbox)
        sandbox.start()
        return sandbox

    yield start
    for sandbox in started:
        sandbox.stop()


def flags(sandbox: Sandbox, **changes: str) -> dict[str, str]:
    """Settings that load from a sandbox, as fast as it can."""
    return {
        "POLYGON_API_KEY": SANDBOX_KEY, "MASSIVE_BASE_URL": sandbox.url, "MASSIVE_PLAN": "paid", "STOCKPIPE_TORN_PAUSE": "0",
        "RATE_LIMIT_DELAY": "0", "STOCKPIPE_PARALLEL_CALLS": "1",
    } | changes  # fmt: skip


PROGRAM = f"{sys.executable} -m stockpipe"
"""How `command` calls stockpipe, and how a command that it proposes begins."""


def command(
    *arguments: str, env: dict[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `stockpipe` as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stockpipe", *arguments],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | (env or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
    )


def table(sql: str, path: str = "stockpipe.duckdb") -> list[tuple[object, ...]]:
    """What a DuckDB file answers."""
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; all others keep their places."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)
