"""A DuckDB file that stockpipe creates, in the hands of other programs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from stockpipe.base.engine import open_file


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


@pytest.mark.parametrize("is_new", [False, True])
def test_a_file_can_be_opened_beside_other_code_of_this_process(tmp_path: Path, is_new: bool) -> None:
    path = tmp_path / "ours.duckdb"
    if not is_new:
        open_file(path).close()
    with open_file(path) as ours, duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE one AS SELECT 1 AS a")
        assert ours.execute("FROM one").fetchall() == [(1,)]


def test_a_file_that_is_only_read_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(duckdb.IOException, match="does not exist"):
        open_file(tmp_path / "none.duckdb", read_only=True)
    assert not list(tmp_path.iterdir())
