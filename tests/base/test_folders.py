"""What goes wrong while a folder for temporary files is in use is blamed on it only where it is its fault."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest

from stockpipe.base.folders import WorkFolder
from stockpipe.errors import ConfigError, StockpipeError, UsageError, WarehouseError

FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.ENOSPC, FULL), ConfigError, "There is no space left for temporary files in"),
        (duckdb.IOException(f"IO Error: Could not write: {FULL}"), ConfigError, "There is no space left for temporary files in"),
        (UsageError(f"x cannot be written: {FULL}."), ConfigError, "There is no space left for temporary files in"),
        (OSError(errno.EROFS, "Read-only file system"), ConfigError, "No temporary files can be written in"),
        (WarehouseError(f"DuckDB file day.duckdb: {FULL}"), WarehouseError, "DuckDB file day.duckdb"),
        (ConfigError("MASSIVE_PLAN is 'x'."), ConfigError, "MASSIVE_PLAN"),
    ],
)  # fmt: skip
def test_whose_fault_it_is(tmp_path: Path, error: Exception, kind: type[StockpipeError], said: str) -> None:
    with WorkFolder(tmp_path) as folder, pytest.raises(kind) as raised, folder.told():
        raise error
    assert raised.value.message.startswith(said)
    assert type(raised.value) is kind
