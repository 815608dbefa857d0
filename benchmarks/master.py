"""The part `master` of make bench: how long a build of the security master takes, over days that are generated in the DuckDB file itself.

    python benchmarks/master.py --days 250 --rows 12000

Each day ten securities come and ten go, two are renamed, and one in a thousand rows flickers. Printed are the seconds of a
whole build, of a nightly one and of a question to the universe, the peak memory, and the size of the history.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from measure import milliseconds, own_peak
from stockpipe.base import engines
from stockpipe.base.clock import Clock
from stockpipe.master.build import Built, Wish, build_master
from stockpipe.reading.securities import securities_sql
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.scripts import tables_script

_ASKED = date(2006, 3, 1)
_COLUMNS = "DS, MARKET, ACTIVE, LOCALE, CURRENCY_NAME, TICKER, NAME, TYPE, PRIMARY_EXCHANGE, CIK, COMPOSITE_FIGI"
_DAY = """
INSERT INTO TICKERS ({columns})
SELECT DATE '2006-01-02' + CAST({day} AS INTEGER), 'stocks', true, 'us', 'usd',
    'T' || upper(printf('%05x', i)) || CASE WHEN i % 6000 * 3 < {day} AND i % 6000 < 2000 THEN 'Q' ELSE '' END,
    'Company ' || i || ' Inc. Common Stock', CASE WHEN i % 3 = 0 THEN 'ETF' ELSE 'CS' END, 'XNAS',
    CASE WHEN hash(i, {day}) % 1000 = 0 THEN NULL ELSE printf('%010d', i) END,
    CASE WHEN i % 6 > 0 THEN 'BBG' || printf('%09d', i) END
FROM range({day} * 10, {rows} + {day} * 10) AS t(i)
"""


def main() -> None:
    """Generate, build, add a day, build again, ask."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--folder", type=Path, help="where the DuckDB file goes; a temporary folder by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measure(Path(folder) / "bench.duckdb", options.days, options.rows), indent=2))


def measure(file: Path, days: int, rows: int) -> dict[str, float]:
    """The figures of one size."""
    settings = load_settings({"STOCKPIPE_WAREHOUSE": "duckdb", "STOCKPIPE_DUCKDB_PATH": str(file)}, env={})
    with duckdb.connect(str(file)) as connection:
        connection.execute(tables_script(settings))
    generate(file, range(days), rows)
    before = round(own_peak(), 1)
    whole, built = build(settings)
    generate(file, range(days, days + 1), rows)
    nightly, _ = build(settings)
    with duckdb.connect(str(file), read_only=True) as connection:
        history = connection.execute("SELECT count(*) FROM SECURITY_HISTORY").fetchall()[0][0]
        universe = milliseconds(lambda: connection.execute(securities_sql("", _ASKED)).fetchall())
    return {
        "days": days, "rows": days * rows, "securities": int(built.figures["SECURITIES"]), "whole_build_seconds": round(whole, 2),
        "nightly_build_seconds": round(nightly, 2), "universe_milliseconds": universe,
        "history_rows_per_cent_of_snapshot_rows": round(100 * history / ((days + 1) * rows), 3),
        "read_rows_per_cent_of_snapshot_rows": round(100 * built.read / (days * rows), 3),
        "peak_memory_mb_before_the_build": before, "peak_memory_mb": round(own_peak(), 1),
    }  # fmt: skip


def generate(file: Path, days: range, rows: int) -> None:
    """Put generated days into the table."""
    with duckdb.connect(str(file), config={"memory_limit": "500MB"}) as connection:
        for day in days:
            connection.execute(_DAY.format(columns=_COLUMNS, day=day, rows=rows))


def build(settings: Settings) -> tuple[float, Built]:
    """The seconds of a build, and what it did. Engines are used again within it, as in a command."""
    began = time.perf_counter()
    with engines.kept(), closing(open_warehouse(settings)) as warehouse:
        built = build_master(warehouse, settings, Clock(), Wish(force=True))
    return time.perf_counter() - began, built


if __name__ == "__main__":
    main()
