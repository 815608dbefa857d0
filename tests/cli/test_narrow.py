"""The answers that people ask for most, on a terminal of 80 columns: what they ask about is in sight."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stockpipe
from conftest import PROGRAM, command, flags, many, stock, write_listing
from stockpipe.sandbox import Sandbox
from support.prices import Prices
from support.terminals import Seen, seen

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")]

FIRST, BEFORE, DAY = "2026-02-03", "2026-02-05", "2026-02-06"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three days of the sandbox's market with a gap, and the security master; the settings to read them."""
    path = str(tmp_path_factory.mktemp("narrow") / "n.duckdb")
    with Sandbox() as sandbox:
        settings = flags(sandbox, STOCKPIPE_DUCKDB_PATH=path)
        for day in (FIRST, BEFORE, DAY):
            stockpipe.load(on=day, settings=settings)
    assert command("master", "build", "--duckdb-path", path).returncode == 0
    return {"STOCKPIPE_DUCKDB_PATH": path}


def shown(*words: str, env: dict[str, str] | None = None) -> Seen:
    found = seen(*words, env=env)
    assert (found.code, found.widest <= 80) == (0, True), found.text
    return found


def cells(found: Seen) -> list[dict[str, str]]:
    """The rows of a table by the names of their columns, cut where the columns are."""
    rule = next(number for number, line in enumerate(found.lines) if set(line) == {"-", " "})
    places = [(0, 0)]
    for dashes in found.lines[rule].split():
        begin = found.lines[rule].index(dashes, places[-1][1])
        places.append((begin, begin + len(dashes)))
    rows = [[line[begin:end].strip() for begin, end in places[1:]] for line in found.lines[rule - 1 :]]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def test_prices_keep_the_close_and_round_it() -> None:
    prices = Prices()
    prices.closes("X", "2024-01-02", 100.35, 33.4567891, 34)
    prices.splits(("X", "2024-01-03", 1, 3))
    exact = list(
        csv.DictReader(io.StringIO(command("prices", "X", "--duckdb-path", "prices.duckdb", "--format", "csv").stdout))
    )
    assert [row["CLOSE"] for row in exact] == ["33.449999999999996", "33.456789", "34.0"]
    found = shown("prices", "X", "--duckdb-path", "prices.duckdb")
    rows = cells(found)
    assert [(row["TICKER"], row["DS"], row["CLOSE"], row["VOLUME"]) for row in rows[:3]] == [
        ("X", "2024-01-02", "33.45", "3000.0"),
        ("X", "2024-01-03", "33.456789", "1000.0"),
        ("X", "2024-01-04", "34.0", "1000.0"),
    ]
    assert {"OPEN", "HIGH", "LOW"} <= rows[0].keys()
    assert "shown, numbers are rounded; --json shows all)" in found.lines[-1]


def test_lookup_keeps_the_days_from_and_to(loaded: dict[str, str]) -> None:
    ticker = json.loads(command("universe", "--json", env=loaded).stdout)[0]["ticker"]
    found = shown("lookup", ticker, env=loaded)
    [row] = [row for row in cells(found) if row.get("SECURITY_ID", "").startswith(ticker)]
    assert list(row)[:6] == ["SECURITY_ID", "NAME", "VALID_FROM", "VALID_TO", "STATUS", "TICKER_NOW"]
    assert (row["VALID_FROM"], row["VALID_TO"], row["STATUS"], row["TICKER_NOW"]) == (FIRST, "", "listed", ticker)
    assert found.lines[0].startswith(f"Each row: TICKER {ticker}, TYPE ")


def test_changes_keep_the_name(loaded: dict[str, str]) -> None:
    exact = json.loads(command("changes", "--json", env=loaded).stdout)
    found = shown("changes", env=loaded)
    assert found.lines[0] == f"Each row: DS {DAY}, PREVIOUS_DS {BEFORE}"
    rows = cells(found)[: len(exact)]
    assert [(row["CHANGE"], row["TICKER"]) for row in rows] == [(row["change"], row["ticker"]) for row in exact]
    assert all(
        name["NAME"].rstrip("…") and row["name"].startswith(name["NAME"].rstrip("…"))
        for name, row in zip(rows, exact, strict=True)
    )
    assert min(len(row["NAME"].rstrip("…")) for row in rows) >= 10


def test_rejects_give_their_room_to_the_reason(tmp_path: Path) -> None:
    env = {"STOCKPIPE_DUCKDB_PATH": str(tmp_path / "r.duckdb")}
    same = [stock("TWO", name="One"), stock("TWO", name="Two")]
    listing = write_listing(tmp_path / "listing.csv", [*many(400), *same, stock("NONE", name="")])
    with Sandbox(data=listing) as sandbox:
        stockpipe.load(on=DAY, settings=flags(sandbox, **env))
    plain = command("rejects", "-q", env=env).stdout.splitlines()
    assert (len(plain), plain[0].split()) == (4, ["RUN_ID", "DS", "TICKER", "REASON", "RAW"])
    run_id = plain[2].split()[0]
    found = shown("rejects", env=env)
    assert found.lines[0] == f"Each row: RUN_ID {run_id}, DS {DAY}"
    assert found.lines[1].split() == ["TICKER", "REASON", "RAW"]
    # Two rows, of which one has a reason of two lines; and what is told behind.
    assert (len(found.lines), found.lines[3].startswith("NONE    name is missing  ")) == (7, True), found.text


def test_what_can_be_loaded_is_told_in_few_lines() -> None:
    found = shown("datasets")
    assert (found.lines[0].split(), len(found.lines) <= 30) == (
        ["DATASET", "WHAT", "ROWS", "CALLS", "PLAN", "DAYS"],
        True,
    )
    assert found.lines[-1] == "7 columns (6 shown; --json shows all)"


def test_the_query_that_a_run_proposes_can_be_copied() -> None:
    told = seen("demo", "--market", "indices").lines
    first = next(number for number, line in enumerate(told) if line.startswith("  Next "))
    last = next(number for number, line in enumerate(told) if line.startswith("  Note "))
    lines = told[first:last]
    # What the tests are called by is a long path.
    assert [line for line in lines if len(line) > 80 and sys.executable not in line] == []
    assert len(lines) > 1
    copied = "\n".join(lines).removeprefix("  Next")
    done = subprocess.run(
        ["sh", "-c", f"{copied} --json"], capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"}
    )
    assert (done.returncode, {row["market"] for row in json.loads(done.stdout)}) == (0, {"indices"}), done.stderr


def test_the_command_for_a_gap_has_lines_of_its_own(loaded: dict[str, str]) -> None:
    found = seen("status", "--gaps", env=loaded)
    assert (found.code, found.lines[3]) == (7, "tickers: stocks: 2026-02-04 is missing:")
    command_of_it = "\n".join(found.lines[4:]).replace("\\\n", "").split()
    assert command_of_it[-4:] == ["--from", "2026-02-04", "--to", "2026-02-04"]
    assert found.widest <= 80 or sys.executable in found.lines[4]
    plain = command("status", "--gaps", env=loaded).stderr.splitlines()
    assert plain == [f"{found.lines[3][:-1]}; {PROGRAM} backfill --from 2026-02-04 --to 2026-02-04"]


def test_what_init_proposes_is_no_wider_than_the_terminal() -> None:
    given = (
        "--api-key",
        "abcdefghijklmnop",
        "--account",
        "myorg-me",
        "--user",
        "first.last@corp.com",
        "--generate-key",
        "k.p8",
    )
    found = seen("init", "--no-input", *given)
    assert found.code == 0, found.text
    steps = found.lines[found.lines.index("Next:") + 1 :]
    assert [line for line in steps if len(line) > 80 and sys.executable not in line] == []
    assert " ".join(steps[-1].split()) == "loads today's list", found.text
