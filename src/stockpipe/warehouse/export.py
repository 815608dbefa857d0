"""Published days as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from stockpipe.base.days import nearest_days
from stockpipe.base.engine import open_local
from stockpipe.base.files import folder_for, replace_file, told_if_not_written
from stockpipe.base.folders import WorkFolder
from stockpipe.base.stopping import interruptible
from stockpipe.base.text import in_quotes, literal
from stockpipe.datasets import Dataset, Part
from stockpipe.errors import NotThere, UsageError
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import Warehouse
from stockpipe.warehouse.history import published_days, told_if_unrecorded

# A cell that begins so is a formula to a spreadsheet (OWASP, "CSV Injection"), also behind what cannot be seen, and with the
# wide signs of East Asian keyboards.
_FORMULA = r"^([\t\r\n]|[\s\pZ\pC]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"


def published_of_each(warehouse: Warehouse, parts: Sequence[Part]) -> dict[Part, list[date]]:
    """The days of which the table has rows, of each of some parts of a dataset, in rising order; none where there is no table."""
    found: dict[Part, list[date]] = {part: [] for part in parts}
    with suppress(NotThere):
        [answer] = warehouse.scan(sql.days_of(in_quotes(warehouse.table(parts[0].dataset)), parts))
        for day, place in answer.rows:
            found[parts[place]].append(day)
    return found


def published_in(warehouse: Warehouse, parts: Sequence[Part]) -> list[date]:
    """The days of which the table has rows of some parts of a dataset, in rising order; none where there is no table."""
    return all_days(published_of_each(warehouse, parts))


def all_days(published: Mapping[Part, Sequence[date]]) -> list[date]:
    """The days that any of the parts has, in rising order."""
    return sorted({day for days in published.values() for day in days})


def which_days(days: Sequence[date], wanted: date) -> str:
    """The hint for a day that is not published: the nearest ones of those that are, where there are any."""
    return nearest_days(days, wanted) if days else "stockpipe runs lists the days that exist."


def export_day(warehouse: Warehouse, parts: list[Part], ds: date, form: str, file: Path) -> int:
    """The same for one day, see `export_days`."""
    return export_days(warehouse, parts, [ds], form, file)


def export_days(warehouse: Warehouse, parts: list[Part], days: Sequence[date], form: str, file: Path) -> int:
    """Write published days of some parts of a dataset to a file, in the order given; return how many rows it has.

    `form` is csv, parquet or jsonl. UsageError when one of the days is not published, or the file cannot be written.
    """
    with told_if_not_written(file), WorkFolder(folder_for(file), ".stockpipe-") as folder:
        # A day at a time: a year of them need not fit into the memory.
        sources = [folder.path / f"{number:06}.parquet" for number in range(len(days))]
        rows = sum(_fetched(warehouse, parts, ds, source) for ds, source in zip(days, sources, strict=True))
        with replace_file(file, waits=True) as target:
            if form == "parquet" and len(sources) == 1:
                sources[0].replace(target)
            else:
                with open_local(folder.path) as local, interruptible(local):
                    local.execute(_copy_sql(parts[0].dataset, form, sources, target))
    return rows


def _fetched(warehouse: Warehouse, parts: list[Part], ds: date, source: Path) -> int:
    with told_if_unrecorded(warehouse):
        rows = warehouse.export(parts[0].dataset, ds, parts, source)
    if not rows and not (source.exists() and _is_empty(warehouse, parts, ds)):
        message = f"There is no published snapshot of {parts[0].label} for {ds}."
        raise UsageError(message, hint=which_days(published_in(warehouse, parts), ds))
    return rows


def _is_empty(warehouse: Warehouse, parts: list[Part], ds: date) -> bool:
    """Whether a day is published, and is a list without a row, as that of the delisted of a small market."""
    with suppress(NotThere):
        return ds in published_days(warehouse, parts, idle=False)
    return False


def _copy_sql(dataset: Dataset, form: str, sources: Sequence[Path], target: Path) -> str:
    cells = ", ".join(
        f"""CASE WHEN regexp_matches("{c.name}", '{_FORMULA}') THEN '''' || "{c.name}" ELSE "{c.name}" END AS "{c.name}" """
        if form == "csv" and c.kind == "text"
        else f'"{c.name}"'
        for c in dataset.columns
    )
    how = {"csv": "FORMAT csv, HEADER", "jsonl": "FORMAT json", "parquet": "FORMAT parquet"}[form]
    files = ", ".join(literal(str(source)) for source in sources)
    rows = f"SELECT {cells} FROM read_parquet([{files}])"
    return f"COPY ({rows}) TO {literal(str(target))} ({how}, USE_TMP_FILE false)"
