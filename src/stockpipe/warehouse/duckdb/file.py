"""The DuckDB file: how it is opened, and what DuckDB's complaints about it mean for the user."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from stockpipe.base.disk import free_in, megabytes, no_room
from stockpipe.base.engine import Limits, open_file
from stockpipe.base.waiting import SAY_AFTER, tell_wait
from stockpipe.errors import NotThere, WarehouseError
from stockpipe.settings.paths import or_the_demos

_LOCK_POLL = 0.2
_HOLDER = re.compile(r"held in ([^\n(]*)\(PID (\d+)\)")
# What a new file with our tables takes.
_SMALLEST = 1_000_000


@contextlib.contextmanager
def open_patiently(
    path: Path, patience: float, *, read_only: bool = False, limits: Limits | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """`open_file`; while another program holds the file, say so once and retry for `patience` seconds.

    NotThere when it is to be read and does not exist, WarehouseError when it cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        yield patiently(
            path, patience, lambda: stack.enter_context(open_file(path, read_only=read_only, limits=limits))
        )


def patiently(
    path: Path, patience: float, opening: Callable[[], duckdb.DuckDBPyConnection]
) -> duckdb.DuckDBPyConnection:
    """What `opening` gives, as soon as no other program holds the file; errors as `open_patiently`."""
    began = time.monotonic()
    told = False
    while True:
        try:
            return opening()
        except duckdb.Error as error:
            waited = time.monotonic() - began
            if not is_locked(error) or waited >= patience:
                raise failed(error, path) from error
            if not told and waited >= SAY_AFTER:
                tell_wait(f"{path} is held by {_holder(error)}; waiting for it, up to {patience:g} s.")
                told = True
        time.sleep(_LOCK_POLL)


@contextlib.contextmanager
def translated(path: Path, needed: int = 0) -> Iterator[None]:
    """Let no error of DuckDB out as it is. `needed`: bytes that are about to be written, as far as they are known."""
    try:
        yield
    except duckdb.Error as error:
        raise failed(error, path, needed) from error


def is_locked(error: BaseException | None) -> bool:
    """Whether an error of DuckDB says that another program holds the file."""
    text = str(error)
    # The last two: another thread of this process has the file open in another way, or is just opening or closing it.
    return any(
        sign in text
        for sign in ("Could not set lock", "used by another process", "different configuration", "already attached")
    )


def failed(error: duckdb.Error, path: Path, needed: int = 0) -> WarehouseError:
    """What DuckDB's complaint means for the user."""
    text = str(error)
    if is_locked(error):
        return WarehouseError(
            f"{path} is held by {_holder(error)}.",
            hint="Close that program or wait for the other run, then run again.",
        )
    if "database does not exist" in text:
        return no_file(path)
    if no_room(error):
        return _full(path, needed)
    if path.is_dir():
        return WarehouseError(
            f"{path} is a folder.",
            hint=f"Name a file in STOCKPIPE_DUCKDB_PATH, such as {path / 'stockpipe.duckdb'}.",
        )
    if "not a valid DuckDB database" in text or "storage version" in text.lower() or "version number" in text:
        return _unreadable(path, text)
    if "Corrupt database" in text:
        return WarehouseError(
            f"{path} is damaged: {text.partition('file: ')[2] or text}.",
            hint="Put a copy of it in its place, or name another file in STOCKPIPE_DUCKDB_PATH and load the days again.",
        )
    if "Cannot open file" in text or "Permission denied" in text or "Read-only" in text or "No such file" in text:
        return WarehouseError(
            f"{path} cannot be opened or created: {_reason(text)}.",
            hint="Check the folder and its permissions, or set STOCKPIPE_DUCKDB_PATH.",
        )
    kind = NotThere if isinstance(error, duckdb.CatalogException) else WarehouseError
    return kind(f"DuckDB could not finish: {text}", hint="The table is as it was before the run.")


def no_file(path: Path) -> NotThere:
    """What to say where nothing was loaded yet."""
    hint = or_the_demos("Load a day first: stockpipe run, or stockpipe demo.", path)
    return NotThere(f"There is no DuckDB file {path} yet.", hint=hint)


def _full(path: Path, needed: int) -> WarehouseError:
    folder = path.absolute().parent
    return WarehouseError(
        f"There is no space left on the disk of {path}: {free_in(folder)} are free in {folder}, "
        f"and about {megabytes(_SMALLEST + needed)} are needed.",
        hint="Nothing was published. Make room, or name a file on another disk in STOCKPIPE_DUCKDB_PATH; then run again.",
    )


def _unreadable(path: Path, text: str) -> WarehouseError:
    writer = _written_by(path)
    if "version number" not in text or not writer:
        return WarehouseError(
            f"{path} is not a DuckDB file that DuckDB {duckdb.__version__} can open.",
            hint="Name another file in STOCKPIPE_DUCKDB_PATH.",
        )
    return WarehouseError(
        f"{path} was written by DuckDB {writer}, and DuckDB {duckdb.__version__}, which this Python has, cannot read it.",
        hint=f"Install DuckDB {writer} or newer for this Python (pip install --upgrade duckdb), or name another file in STOCKPIPE_DUCKDB_PATH.",
    )


def _written_by(path: Path) -> str:
    """The version that a file's header names: after a checksum, DUCK, the format's number and flags. "" for none."""
    try:
        with path.open("rb") as file:
            head = file.read(84)
    except OSError:
        return ""
    found = re.fullmatch(rb"v([0-9A-Za-z.+-]+)\0*", head[52:84]) if head[8:12] == b"DUCK" else None
    return found[1].decode() if found else ""


def _holder(error: duckdb.Error) -> str:
    """Who holds the file, as far as DuckDB knows."""
    found = _HOLDER.search(str(error))
    return f"{found.group(1).strip()} (process {found.group(2)})" if found else "another program"


def _reason(text: str) -> str:
    return text.rpartition(": ")[2].strip().rstrip(".") or "no access"
