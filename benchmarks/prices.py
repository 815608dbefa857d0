"""The part `prices` of make bench: adjusted prices of 20 years, over bars that are generated in the DuckDB file itself.

    python benchmarks/prices.py --bars 3000000

5,040 trading days, and as many securities as make the number of bars; 60 million are 12,000 of them. Every other one splits
once, all pay a dividend each quarter, and one in twenty is renamed after ten years. Printed are the milliseconds of one
security (as `stockpipe prices` asks, and by the view), those of a day of all of them (the newest, and one in the middle), the
same where the factors are not kept, the seconds to work them out, and those of the whole panel to Parquet and of the same by hand (pandas_prices.py), whose closes must be ours within 1e-9.

The panel's rows a second a core are by CPU time, as others may be on the machine. Its limit is the same rows out of a plain table
with the same columns: what DuckDB's reading and its Parquet writer take without any view.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from measure import milliseconds, own_peak
from stockpipe import Reader
from stockpipe.base.engine import Config
from stockpipe.models import all_views, keep_factors
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.scripts import tables_script, views_script

DAYS = 5040
_BATCH = 20
_MOST_BY_HAND = 10_000_000  # pandas takes a kilobyte of memory a bar
_LIMITS: Config = {"memory_limit": "2GB", "threads": 2}
_FIRST = "DATE '2006-01-02'"
_DAY = f"({_FIRST} + CAST(d * 7 // 5 AS INTEGER))"
"""The day of a number: five of each seven."""
_TICKER = "'T' || upper(printf('%05x', i)) || CASE WHEN i % 20 = 0 AND d >= 2520 THEN 'Q' ELSE '' END"
_ID = "'T' || upper(printf('%05x', i)) || '.20060102'"
_SPLIT = "CAST(hash(i) % 4000 + 500 AS INTEGER)"
_BARS = """
INSERT INTO DAILY_BARS (TICKER, DS, OPEN, HIGH, LOW, CLOSE, VOLUME, VWAP, TRANSACTIONS)
SELECT {ticker}, {day}, c * 0.99, c * 1.01, c * 0.98, c, 1000 + i, c, 100 FROM (
    SELECT i, d, (50 + 10 * sin(d / 50.0 + i)) * CASE WHEN i % 2 = 0 AND d < {split} THEN 2 ELSE 1 END AS c
    FROM range({first}, {last}) AS days(d), range({securities}) AS s(i))
"""
_EVENTS = (
    """INSERT INTO SPLITS (TICKER, EXECUTION_DATE, SPLIT_FROM, SPLIT_TO, ADJUSTMENT_TYPE, OCCURRENCE, KNOWN_FROM)
    SELECT {ticker}, {day}, 1, 2, 'forward_split', 1, {first} FROM (
        SELECT i, {split} AS d FROM range({securities}) AS s(i) WHERE i % 2 = 0)""",
    """INSERT INTO DIVIDENDS (TICKER, EX_DIVIDEND_DATE, CASH_AMOUNT, DISTRIBUTION_TYPE, CURRENCY, OCCURRENCE, KNOWN_FROM)
    SELECT {ticker}, {day}, 0.25, 'recurring', 'USD', 1, {first} FROM (
        SELECT i, CAST(63 * q + i % 60 + 1 AS INTEGER) AS d FROM range({securities}) AS s(i), range({quarters}) AS t(q))""",
    """INSERT INTO SECURITY_HISTORY (SECURITY_ID, TICKER, VALID_FROM, VALID_TO)
    SELECT {id}, {ticker}, {day}, until FROM (
        SELECT i, 0 AS d, CASE WHEN i % 20 = 0 THEN {half} END AS until FROM range({securities}) AS s(i)
        UNION ALL SELECT i, 2520, NULL FROM range({securities}) AS s(i) WHERE i % 20 = 0)""",
)


def main() -> None:
    """Generate, ask, write the panel, and let pandas do the same."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--bars", type=int, default=3_000_000)
    parser.add_argument(
        "--folder", type=Path, help="where the files go (60 million bars: 5 GB); a temporary folder by default"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measure(Path(folder), max(40, options.bars // DAYS)), indent=2))


def generate(file: Path, securities: int) -> None:
    """The tables and views as a load makes them, with their rows in the order of the days."""
    settings = load_settings({"STOCKPIPE_WAREHOUSE": "duckdb", "STOCKPIPE_DUCKDB_PATH": str(file)}, env={})
    words: dict[str, Any] = {
        "ticker": _TICKER, "day": _DAY, "id": _ID, "split": _SPLIT, "securities": securities, "quarters": DAYS // 63,
        "half": f"{_FIRST} + CAST(2520 * 7 // 5 AS INTEGER)",
    }  # fmt: skip
    with duckdb.connect(str(file), config={"memory_limit": "1GB"}) as connection:
        connection.execute(tables_script(settings))
        connection.execute(views_script(settings, all_views))
        for first in range(0, DAYS, _BATCH):
            connection.execute(_BARS.format(**words, first=first, last=first + _BATCH))
        for statement in _EVENTS:
            connection.execute(statement.format(**words, first=_FIRST))


def measure(folder: Path, securities: int) -> dict[str, float]:
    """The figures of one size."""
    file = folder / "bench.duckdb"
    generate(file, securities)
    settings = load_settings({"STOCKPIPE_WAREHOUSE": "duckdb", "STOCKPIPE_DUCKDB_PATH": str(file)}, env={})
    desk = Reader(settings)
    one = f"SELECT * FROM ADJUSTED_BARS WHERE SECURITY_ID = 'T{securities // 40 * 20:05X}.20060102'"
    day = f"SELECT * FROM ADJUSTED_BARS WHERE DS = {_FIRST} + "
    found = {
        "bars": securities * DAYS, "securities": securities,
        "prices_ms": milliseconds(lambda: desk.prices(f"T{securities // 40 * 20:05X}Q", adjust="total")),
    }  # fmt: skip
    middle = f"{day}{DAYS // 2 * 7 // 5}"
    found |= timed(file, {"unkept_security_ms": one, "unkept_day_ms": middle})
    began = time.perf_counter()
    with closing(open_warehouse(settings)) as warehouse:
        keep_factors(warehouse)
    found["factors_seconds"] = round(time.perf_counter() - began, 2)
    found |= timed(file, {"security_ms": one, "newest_day_ms": f"{day}{(DAYS - 1) * 7 // 5}", "middle_day_ms": middle})
    with duckdb.connect(str(file), read_only=True, config=_LIMITS) as connection:
        before = round(own_peak(), 1)
        panel = folder / "panel.parquet"
        began = time.perf_counter()
        cpu = written(connection, "ADJUSTED_BARS", panel)
        found["panel_seconds"] = round(time.perf_counter() - began, 2)
        found["panel_rows_a_second_a_core"] = round(securities * DAYS / cpu)
        found["panel_megabytes"] = round(panel.stat().st_size / 1e6)
        found["peak_memory_mb_before_the_panel"], found["peak_memory_mb"] = before, round(own_peak(), 1)
        for table in ("DAILY_BARS", "SPLITS", "DIVIDENDS", "SECURITY_HISTORY"):
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    found |= from_copies(file, one, f"{day}{(DAYS - 1) * 7 // 5}")
    return found | (by_hand(folder) if securities * DAYS <= _MOST_BY_HAND else {})


def timed(file: Path, questions: Mapping[str, str]) -> dict[str, float]:
    """The milliseconds of questions, by their names."""
    with duckdb.connect(str(file), read_only=True, config=_LIMITS) as connection:
        return {name: milliseconds(partial(_rows, connection, question)) for name, question in questions.items()}


def from_copies(file: Path, one: str, day: str) -> dict[str, float]:
    """The same questions to copies of the panel in the order that suits each, as docs/reading.md makes them after a load."""
    found = {}
    with duckdb.connect(config=_LIMITS) as connection:
        connection.execute(f"SET temp_directory = '{file.parent}'; ATTACH '{file}' AS loaded (READ_ONLY)")
        connection.execute(f"ATTACH '{file.with_name('panel.duckdb')}' AS panel")
        for name, order, question in (
            ("copy_security_ms", "SECURITY_ID, DS", one),
            ("copy_day_ms", "DS, SECURITY_ID", day),
        ):
            connection.execute("USE loaded")
            connection.execute(
                f"CREATE OR REPLACE TABLE panel.main.ADJUSTED_BARS AS SELECT * FROM ADJUSTED_BARS ORDER BY {order}"
            )
            connection.execute("USE panel")
            found[name] = milliseconds(partial(_rows, connection, question))
        found["panel_limit_rows_a_second_a_core"] = round(
            _count(connection) / written(connection, "ADJUSTED_BARS", file.with_name("limit.parquet"))
        )
    return found


def written(connection: duckdb.DuckDBPyConnection, table: str, target: Path) -> float:
    """Write all of a table or view to a Parquet file, as docs/reading.md does; the seconds of CPU that it took."""
    began = time.process_time()
    connection.execute(f"COPY {table} TO '{target}' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1000)")
    return time.process_time() - began


def by_hand(folder: Path) -> dict[str, float]:
    """What pandas takes for the total-return closes from the same Parquet files, and how far they are from ours at most."""
    command: list[str | Path] = [sys.executable, Path(__file__).with_name("pandas_prices.py"), folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = _rows(connection, "SELECT count(*) FROM ADJUSTED_BARS")
    return int(count)


def _rows(connection: duckdb.DuckDBPyConnection, statement: str) -> list[Any]:
    return connection.execute(statement).fetchall()


if __name__ == "__main__":
    main()
