"""A DuckDB file that stockpipe creates, in the hands of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest

from stockpipe.base import engines
from stockpipe.base.engine import open_file, open_local


def _form(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE path IS NOT NULL")
        return str((found.fetchone() or ("",))[0])


def test_a_new_file_has_the_form_that_the_oldest_duckdb_reads_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    with open_file(path) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1 AS a")
    assert _form(path).startswith("v1.5.0")
    with open_file(path) as connection:
        connection.execute("CREATE TABLE two AS SELECT 2 AS a")
    assert _form(path).startswith("v1.5.0")


def test_a_file_that_other_code_of_this_process_has_open_is_used_as_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE one AS SELECT 1 AS a; SET memory_limit = '3GB'")
        with open_file(path, limits={"memory_limit": "128MB"}) as ours:
            ours.execute("INSERT INTO one VALUES (2)")
        assert other.execute("SELECT a, current_setting('memory_limit') FROM one").fetchall() == [
            (1, "2.7 GiB"),
            (2, "2.7 GiB"),
        ]


@pytest.mark.parametrize("name", ["memory", "temp", "system", "main", 'a "b" c', "work"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.duckdb"
    with open_file(path) as ours:
        ours.execute("CREATE TABLE one AS SELECT 1 AS a; CREATE VIEW two AS SELECT a + 1 AS b FROM one")
    with duckdb.connect(str(path), read_only=True) as other:
        assert other.execute("FROM two").fetchall() == [(2,)]


def test_statements_mean_the_file_by_the_name_that_it_has_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "desk.duckdb"
    with open_file(path) as ours:
        ours.execute("CREATE TABLE one AS SELECT 1 AS a; CREATE VIEW two AS SELECT a FROM desk.main.one")
        assert ours.execute("SELECT current_database()").fetchall() == [("desk",)]
    with duckdb.connect(str(path)) as other:
        assert other.execute("FROM two").fetchall() == [(1,)]


@pytest.fixture
def kept() -> Iterator[None]:
    with engines.kept():
        yield


@pytest.mark.usefixtures("kept")
def test_an_engine_that_comes_back_is_lent_again_as_it_was_made(tmp_path: Path) -> None:
    settings = "SELECT name, value FROM duckdb_settings() WHERE name <> 'temp_directory' ORDER BY name"
    with open_local(tmp_path) as connection:
        fresh = connection.execute(settings).fetchall()
        times = _times_lent(connection)
    with open_file(tmp_path / "one.duckdb", limits={"memory_limit": "1GB", "threads": 3}) as connection:
        assert _times_lent(connection) == times + 1
        connection.execute("SET checkpoint_threshold = '2MB'; SET auto_checkpoint_skip_wal_threshold = 5")
        connection.execute("SET TimeZone = 'Asia/Tokyo'; CREATE TEMP TABLE one AS SELECT 1 AS a; BEGIN TRANSACTION")
    with open_local(tmp_path, {"memory_limit": "1GB"}) as connection:
        connection.execute("CREATE TABLE two AS SELECT 2 AS a; CREATE TEMP TABLE one AS SELECT 1 AS a")
    with open_local(tmp_path) as connection:
        assert _times_lent(connection) == times + 2
        assert connection.execute(settings).fetchall() == fresh
        names = connection.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY 1")
        assert names.fetchall() == [("memory",), ("work",)]
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


@pytest.mark.usefixtures("kept")
def test_an_engine_that_went_to_disk_is_not_lent_again(tmp_path: Path) -> None:
    with open_local(tmp_path, {"memory_limit": "20MB"}) as connection:
        _times_lent(connection)
        connection.execute(
            "CREATE TEMP TABLE one AS SELECT range AS a, hash(range)::VARCHAR AS b FROM range(3_000_000)"
        )
        assert list((tmp_path / "duckdb").iterdir())
    with open_local(tmp_path) as connection:
        assert _times_lent(connection) == 1


@pytest.mark.usefixtures("kept")
def test_a_file_that_cannot_be_opened_costs_no_engine(tmp_path: Path) -> None:
    (tmp_path / "none.duckdb").write_text("not a file of DuckDB")
    with open_local(tmp_path) as connection:
        times = _times_lent(connection)
    with pytest.raises(duckdb.IOException, match="not a valid DuckDB database"), open_file(tmp_path / "none.duckdb"):
        pass
    with open_local(tmp_path) as connection:
        assert _times_lent(connection) == times + 1


def test_engines_are_kept_in_a_block_only_and_none_is_left_behind_it(tmp_path: Path) -> None:
    def times() -> int:
        with open_local(tmp_path) as connection:
            return _times_lent(connection)

    assert [times(), times()] == [1, 1]
    with engines.kept():
        with engines.kept():
            assert [times(), times()] == [1, 2]
        assert times() == 3
    assert engines.take() is None
    assert times() == 1


def test_no_more_engines_are_kept_than_a_few(tmp_path: Path) -> None:
    with engines.kept():
        with ExitStack() as opened:
            for _ in range(12):
                opened.enter_context(open_local(tmp_path))
        taken = [engines.take() for _ in range(12)]
        assert [engine is not None for engine in taken] == [True] * 8 + [False] * 4


_TIMES = "CREATE SEQUENCE IF NOT EXISTS memory.main.lent; SELECT nextval('memory.main.lent')"


def _times_lent(connection: duckdb.DuckDBPyConnection) -> int:
    """How often this was asked of an engine. It remembers, beside the database that is lent with it."""
    found = connection.execute(_TIMES).fetchone()
    assert found
    return int(found[0])
