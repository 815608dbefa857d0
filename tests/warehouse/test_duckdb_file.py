"""The DuckDB file as others left it: the machine's settings, other versions, tables that were there before us."""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from stockpipe.base.engine import open_file, open_local
from stockpipe.errors import WarehouseError
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse
from support.loads import partition

FILE = Path("stockpipe.duckdb")
DAY = "2026-02-06"
ZONES = ["America/New_York", "Asia/Tokyo"]
COLUMNS = [
    ("TICKER", "VARCHAR"), ("NAME", "VARCHAR"), ("MARKET", "VARCHAR"), ("LOCALE", "VARCHAR"), ("PRIMARY_EXCHANGE", "VARCHAR"),
    ("TYPE", "VARCHAR"), ("ACTIVE", "BOOLEAN"), ("CURRENCY_NAME", "VARCHAR"), ("CIK", "VARCHAR"), ("COMPOSITE_FIGI", "VARCHAR"),
    ("SHARE_CLASS_FIGI", "VARCHAR"), ("LAST_UPDATED_UTC", "TIMESTAMP"), ("DS", "DATE"),
]  # fmt: skip


def adopted(further: str = "", **changed: str) -> None:
    """A file with a TICKERS that is not ours: changed types, and what stands behind the columns."""
    columns = [f"{name} {changed.get(name, kind)}" for name, kind in COLUMNS]
    with duckdb.connect(str(FILE)) as connection:
        connection.execute(f"CREATE TABLE TICKERS ({', '.join(columns + [further] * bool(further))})")


@pytest.mark.parametrize("zone", ZONES)
def test_an_adopted_column_with_a_time_zone_keeps_the_instant(serve: Serve, zone: str) -> None:
    adopted(LAST_UPDATED_UTC="TIMESTAMP WITH TIME ZONE")
    done = command("run", env=flags(serve([stock("A")]), TZ=zone))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert table("SELECT epoch_us(LAST_UPDATED_UTC) FROM TICKERS") == [(1770447942818048,)]  # 07:05:42.81804786 UTC
    shown = command(
        "query",
        "SELECT LAST_UPDATED_UTC AS T, current_setting('TimeZone') AS Z FROM TICKERS",
        "--format",
        "csv",
        env={"TZ": zone},
    )
    assert shown.stdout == "T,Z\n2026-02-07 07:05:42.818048+00:00,UTC\n"
    command("export", "day.csv", env={"TZ": zone})
    assert "2026-02-07 07:05:42.818048+00" in Path("day.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_MS"])
def test_a_column_coarser_than_nanoseconds_is_told_of_once(
    serve: Serve, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    adopted(LAST_UPDATED_UTC=kind)
    with caplog.at_level(logging.WARNING, "stockpipe"):
        stockpipe.load(settings=flags(serve([stock("A")])))
    told = [text for text in caplog.messages if "nanoseconds" in text]
    assert told == [f'"TICKERS".LAST_UPDATED_UTC is {kind}, which does not keep nanoseconds: times are rounded there.']


def test_our_own_table_is_not_told_of(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    settings = flags(serve([stock("A")]))
    for _ in range(2):
        stockpipe.load(settings=settings)
    assert "nanoseconds" not in caplog.text


def refused(sandbox: Sandbox) -> WarehouseError:
    """What a load is refused with, before the API is called."""
    with pytest.raises(WarehouseError) as caught:
        stockpipe.load(settings=flags(sandbox))
    assert sandbox.calls == []
    return caught.value


def test_whole_seconds_cannot_take_our_times(serve: Serve) -> None:
    adopted(LAST_UPDATED_UTC="TIMESTAMP_S")
    assert "TIMESTAMP_S where" in refused(serve([stock("A")])).message


@pytest.mark.parametrize(
    ("further", "changed", "says", "way_out"),
    [
        ("REGION VARCHAR NOT NULL", {}, '"REGION" that is NOT NULL and has no default', 'ALTER COLUMN "REGION" DROP NOT NULL'),
        ("", {"CIK": "VARCHAR NOT NULL"}, '"CIK" as NOT NULL', 'ALTER COLUMN "CIK" DROP NOT NULL'),
        ("CHECK (length(TICKER) < 3)", {}, "CHECK((length(TICKER) < 3))", 'CREATE TABLE "TICKERS_NEW" AS FROM "TICKERS"'),
        ("PRIMARY KEY (TICKER)", {}, "PRIMARY KEY(TICKER)", 'CREATE TABLE "TICKERS_NEW" AS FROM "TICKERS"'),
        ("UNIQUE (TICKER, DS)", {}, "UNIQUE(TICKER, DS)", 'CREATE TABLE "TICKERS_NEW" AS FROM "TICKERS"'),
        ("FOREIGN KEY (TYPE) REFERENCES KINDS (TYPE)", {}, 'FOREIGN KEY ("TYPE") REFERENCES', 'CREATE TABLE "TICKERS_NEW" AS FROM "TICKERS"'),
    ],
)  # fmt: skip
def test_a_table_that_our_rows_may_not_fit_is_refused_before_the_first_call(
    serve: Serve, further: str, changed: dict[str, str], says: str, way_out: str
) -> None:
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("CREATE TABLE KINDS (TYPE VARCHAR PRIMARY KEY)")
    adopted(further, **changed)
    error = refused(serve([stock("A")]))
    assert says in error.message
    assert way_out in error.hint
    assert "TICKERS" in error.message


def test_the_way_out_of_a_constraint_is_one(serve: Serve) -> None:
    adopted("CHECK (length(TICKER) < 3)")
    sandbox = serve([stock("ABCD")])
    _, _, way_out = refused(sandbox).hint.partition("copy the table: ")
    with duckdb.connect(str(FILE)) as connection:
        connection.execute(way_out.rstrip("."))
    assert stockpipe.load(settings=flags(sandbox)).rows == 1


def test_a_unique_index_a_reference_and_a_view_are_refused_too(serve: Serve) -> None:
    sandbox = serve([stock("A")])
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("CREATE VIEW TICKERS AS SELECT 'A' AS TICKER, DATE '2026-02-06' AS DS")
    assert "is a view" in refused(sandbox).message
    with duckdb.connect(str(FILE)) as connection:
        connection.execute(
            "CREATE TABLE gone AS SELECT 1 AS x; CREATE OR REPLACE VIEW TICKERS AS FROM gone; DROP TABLE gone"
        )
    assert "is a view" in refused(sandbox).message
    FILE.unlink()
    adopted()
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("CREATE UNIQUE INDEX one_name ON TICKERS (NAME)")
    error = refused(sandbox)
    assert "unique index one_name" in error.message
    assert 'DROP INDEX "one_name"' in error.hint
    FILE.unlink()
    adopted("PRIMARY KEY (DS, MARKET, ACTIVE, TICKER)")
    with duckdb.connect(str(FILE)) as connection:
        connection.execute(
            "CREATE TABLE NOTES (D DATE, M VARCHAR, A BOOLEAN, T VARCHAR, FOREIGN KEY (D, M, A, T) REFERENCES TICKERS (DS, MARKET, ACTIVE, TICKER))"
        )
    assert 'The table "NOTES" refers to "TICKERS"' in refused(sandbox).message


def test_a_key_that_our_rows_keep_and_a_default_are_fine(serve: Serve) -> None:
    adopted("REGION VARCHAR DEFAULT 'us' NOT NULL, PRIMARY KEY (DS, MARKET, ACTIVE, TICKER)")
    settings = flags(serve(many(5)))
    for _ in range(2):
        stockpipe.load(settings=settings, force=True)
    assert table("SELECT count(*), any_value(REGION) FROM TICKERS") == [(5, "us")]


def test_nothing_that_others_set_in_this_process_changes_an_answer(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(3)), STOCKPIPE_DUCKDB_PATH=str(FILE)))
    others = {
        "default_order": "'DESC'", "default_null_order": "'NULLS_FIRST'", "integer_division": "true", "errors_as_json": "true",
        "default_collation": "'NOCASE'", "TimeZone": "'Asia/Tokyo'", "ieee_floating_point_ops": "false",
    }  # fmt: skip
    with duckdb.connect(str(FILE)) as shared, ExitStack() as opened:
        for name, value in others.items():
            shared.execute(f"SET GLOBAL {name} = {value}")
        ours = opened.enter_context(open_file(FILE))
        question = "SELECT list(x ORDER BY x), 7 / 2, 'a' = 'A', TIMESTAMPTZ '2026-02-06 12:00:00'::VARCHAR, 1.0 / 0 FROM (VALUES (2), (NULL), (1)) AS t (x)"
        assert ours.execute(question).fetchall() == [([1, 2, None], 3.5, False, "2026-02-06 12:00:00+00", float("inf"))]
        with pytest.raises(duckdb.Error, match=r"^Catalog Error: Table with name absent"):
            ours.execute("FROM absent")
        shared.execute("SET memory_limit = '3GB'")
        for _ in range(3):
            warehouse = DuckDBWarehouse(load_settings({"STOCKPIPE_DUCKDB_PATH": str(FILE)}, env={}))
            assert warehouse.count(partition()) == 0
            warehouse.close()
        assert shared.execute("SELECT current_setting('memory_limit')").fetchall() == [("2.7 GiB",)]


def test_a_variable_of_python_is_no_table(tmp_path: Path) -> None:
    with open_local(tmp_path) as local:
        named = duckdb.sql("SELECT 1 AS x")
        assert named is not None
        with pytest.raises(duckdb.CatalogException):
            local.execute("FROM named")


def source_files() -> Iterator[Path]:
    return Path(stockpipe.__file__).parent.rglob("*.py")


def test_every_connection_is_opened_in_one_place() -> None:
    opening = re.compile(r"duckdb\.(connect|sql|query|execute|read_\w+|default_connection)\b")
    found = {path.name for path in source_files() if opening.search(path.read_text(encoding="utf-8"))}
    assert found == {"engine.py"}


def test_a_new_file_can_be_read_by_the_oldest_version_that_we_work_with(serve: Serve) -> None:
    for day in ("2026-02-05", DAY):
        stockpipe.load(on=day, settings=flags(serve(many(50))))
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("FORCE CHECKPOINT")
    # After a checksum and DUCK stands the number of the form: 68 is that of DuckDB 1.5.
    assert FILE.read_bytes()[8:20] == b"DUCK" + (68).to_bytes(8, "little")


def checksum(block: bytearray) -> int:
    """As DuckDB calculates it over the words of a block."""
    found = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        found ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return found


def test_a_damaged_file_is_called_so(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(3))))
    content = bytearray(FILE.read_bytes())
    content[60] ^= 1
    FILE.write_bytes(content)
    assert refused(serve(many(3))).message.startswith(f"{FILE} is damaged: computed checksum")


def test_a_file_of_a_newer_version_is_refused_by_name(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(3))))
    content = bytearray(FILE.read_bytes())
    content[12:20] = (4000).to_bytes(8, "little")
    content[52:84] = b"v9.8.7".ljust(32, b"\0")
    content[:8] = checksum(content[8:4096]).to_bytes(8, "little")
    FILE.write_bytes(content)
    error = refused(serve(many(3)))
    assert error.message.startswith(f"{FILE} was written by DuckDB 9.8.7, and DuckDB {duckdb.__version__}, ")
    assert "Install DuckDB 9.8.7 or newer" in error.hint
    FILE.write_bytes(b"no database at all, but some text" * 1000)
    assert "is not a DuckDB file" in refused(serve(many(3))).message


def test_a_dry_run_without_a_file_creates_none_and_a_history_is_what_the_file_says(serve: Serve) -> None:
    settings = flags(serve(many(3)))
    stockpipe.load(settings=settings, dry_run=True)
    assert not FILE.exists()
    done = command("query", "SELECT 1")
    assert (done.returncode, "There is no DuckDB file stockpipe.duckdb yet" in done.stderr) == (6, True)
    assert not FILE.exists()
    with duckdb.connect(str(FILE)) as connection:
        connection.execute("CREATE TABLE other (x INT)")
    assert stockpipe.load(settings=settings, dry_run=True).rows == 3
