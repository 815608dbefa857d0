"""A published day as a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from stockpipe.base.disk import no_room
from stockpipe.base.engine import open_local
from stockpipe.base.files import folder_for, replace_file
from stockpipe.base.folders import WorkFolder
from stockpipe.base.stopping import interruptible
from stockpipe.base.text import literal
from stockpipe.datasets import Dataset, Part
from stockpipe.errors import UsageError, WarehouseError
from stockpipe.warehouse.base import Warehouse

# A cell that begins so is a formula to a spreadsheet (OWASP, "CSV Injection"), also behind what cannot be seen, and with the
# wide signs of East Asian keyboards.
_FORMULA = r"^([\t\r\n]|[\s\pZ\pC]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"


def export_day(warehouse: Warehouse, parts: list[Part], ds: date, form: str, file: Path) -> int:
    """Write one published day of some parts of a dataset to a file, and return how many rows it has.

    `form` is csv, parquet or jsonl. UsageError when the day is not published, or when the file cannot be written.
    """
    dataset = parts[0].dataset
    try:
        with WorkFolder(folder_for(file), ".stockpipe-") as folder:
            source = folder.path / "day.parquet"
            rows = warehouse.export(dataset, ds, parts, source)
            if not rows:
                message = f"There is no published snapshot of {parts[0].label} for {ds}."
                raise UsageError(message, hint="stockpipe runs lists the days that exist.")
            with replace_file(file, waits=True) as target:
                if form == "parquet":
                    source.replace(target)
                else:
                    with open_local(folder.path) as local, interruptible(local):
                        local.execute(_copy_sql(dataset, form, source, target))
    except BrokenPipeError:
        raise
    except (OSError, duckdb.Error, WarehouseError) as error:
        if no_room(error):
            reason = "No space left on device"
        elif isinstance(error, OSError | duckdb.IOException):
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error).rpartition(": ")[2]
        else:
            raise
        raise UsageError(f"{file} cannot be written: {reason}.", hint="Name another file.") from error
    return rows


def _copy_sql(dataset: Dataset, form: str, source: Path, target: Path) -> str:
    cells = ", ".join(
        f"""CASE WHEN regexp_matches("{c.name}", '{_FORMULA}') THEN '''' || "{c.name}" ELSE "{c.name}" END AS "{c.name}" """
        if form == "csv" and c.kind == "text"
        else f'"{c.name}"'
        for c in dataset.columns
    )
    how = ("FORMAT csv, HEADER" if form == "csv" else "FORMAT json") + ", USE_TMP_FILE false"
    return f"COPY (SELECT {cells} FROM read_parquet({literal(str(source))})) TO {literal(str(target))} ({how})"
