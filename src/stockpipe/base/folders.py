"""Temporary folders of ours: taken away at the end, and by a later run where a run was killed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from stockpipe.base.disk import free_in, megabytes, no_room
from stockpipe.errors import ConfigError, WarehouseError

PREFIX = "stockpipe-"
_LOCK = "lock"
# What a folder without a lock may hold: it is of a version that had none, or of a process that was killed right away.
_KNOWN = frozenset({_LOCK, f"{_LOCK}.new", "chunks", "day", "day.parquet", "duckdb", "parquet", "plain", "rows"})
_LONG_AGO = 24 * 60 * 60.0
_MOST_AT_ONCE = 20
_TRIES = 3
_HINT = "Make room there, or set TMPDIR to a folder that can be written and has more; then run again. Published days are as they were."


class WorkFolder:
    """A folder for temporary files, as a context manager: in `parent`, or where the system has them.

    A file in it is held locked as long as this process lives. Folders whose process is gone are taken away first, at
    most 20 of them. Raises OSError where it cannot be created; ConfigError, with the way out, without a `parent`.
    """

    def __init__(self, parent: Path | None = None, prefix: str = PREFIX) -> None:
        try:
            where = parent or Path(tempfile.gettempdir())
        except OSError as error:
            raise ConfigError(
                f"There is no folder for temporary files: {error.strerror or error}.", hint=_HINT
            ) from error
        with _told(where) if parent is None else contextlib.nullcontext():
            take_away_abandoned(where, prefix)
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
            self._end = weakref.finalize(self, _take_away, self.path, handles := [])
            handles.append(_locked(self.path / _LOCK))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Let a full or read-only disk under the folder leave as ConfigError, with the way out."""
        with _told(self.path.parent, self.path):
            yield


@contextlib.contextmanager
def _told(where: Path, used: Path | None = None) -> Iterator[None]:
    try:
        yield
    except (ConfigError, WarehouseError):  # which say where
        raise
    except Exception as error:
        if no_room(error):
            kept = f", and more than {megabytes(_size(used))} are needed" if used else ""
            raise ConfigError(
                f"There is no space left for temporary files in {where}: {free_in(where)} are free{kept}.", hint=_HINT
            ) from error
        if isinstance(error, OSError) or "Read-only file system" in str(error):
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"No temporary files can be written in {where}: {reason}.", hint=_HINT) from error
        raise


def take_away_abandoned(where: Path, prefix: str = PREFIX) -> None:
    """Take folders of ours away whose process is gone: nobody holds their lock any more."""
    ours = re.compile(rf"{re.escape(prefix)}[a-z0-9_]{{8}}")
    found = [name for name in os.listdir(where) if ours.fullmatch(name)]  # noqa: PTH208 - a folder of a million files
    for name in found[:_MOST_AT_ONCE]:
        with contextlib.suppress(OSError):
            _take_away_if_abandoned(where / name)


def _take_away_if_abandoned(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir() or not set(os.listdir(folder)) <= _KNOWN:  # noqa: PTH208
        return
    lock = folder / _LOCK
    if not lock.exists():
        if time.time() - folder.stat().st_mtime > _LONG_AGO:
            shutil.rmtree(folder, ignore_errors=True)
        return
    handle = os.open(lock, os.O_RDWR)
    try:
        _lock(handle)  # OSError while its process lives
        if sys.platform != "win32":
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
    if sys.platform == "win32":  # which removes no file that is open
        shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path) -> int:
    """A new file, held locked until its handle is closed or this process ends.

    It gets its name when it is locked: another run takes a folder whose lock nobody holds for abandoned. Windows cannot
    rename a file that is open, nor remove one.
    """
    new = path if sys.platform == "win32" else path.with_suffix(".new")
    handle = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    with contextlib.suppress(OSError):  # a file system without locks: then nobody can take the folder for abandoned
        _lock(handle)
    new.replace(path)
    return handle


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _take_away(folder: Path, handles: list[int]) -> None:
    """Take a folder away; a signal that comes meanwhile is raised when that is done."""
    interrupted: BaseException | None = None
    for _ in range(_TRIES):
        try:
            while handles:
                os.close(handles.pop())
            shutil.rmtree(folder, ignore_errors=True)
            break
        except BaseException as error:  # noqa: BLE001 - a signal's
            interrupted = error
    if interrupted:
        raise interrupted


def _size(folder: Path) -> int:
    """Bytes in a folder's files, as far as they can be seen."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total
