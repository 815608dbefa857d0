"""Files that are written whole or not at all, and what is no plain file left as it is."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stockpipe.base.disk import no_room
from stockpipe.errors import UsageError

_MOST_LINKS = 40
# A file that is mounted by itself, as containers do, cannot be renamed over.
_NOT_RENAMED = (errno.EBUSY, errno.EXDEV)


def folder_for(path: Path) -> Path | None:
    """The folder in which a file for `path` is best prepared: that of the file itself, where a link is followed.

    None where `path` is a pipe or a device: then any folder will do.
    """
    return Path(os.path.realpath(path)).parent if _is_plain(path) else None


@contextmanager
def replace_file(path: Path, mode: int = 0o666, *, waits: bool = False) -> Iterator[Path]:
    """A new file to be written; at the end it takes the place of `path`, or is taken away when an error leaves.

    A link is followed. An existing file keeps its mode, and its owner where that is allowed; a new one gets `mode`, less
    what the user's umask takes. A pipe or a device is written to, not replaced: with `waits` even when nobody reads yet.
    Raises OSError, also for a socket and a disk.
    """
    target = Path(os.path.realpath(path)) if _is_plain(path) else path
    made = _new_file(folder_for(path) or _temporary(), target.name, mode)
    try:
        yield made
        if target is path and not _is_plain(path):
            _write_through(path, made, waits=waits)
        else:
            _move(made, target)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def told_if_not_written(file: Path, hint: str = "Name another file.") -> Iterator[None]:
    """Let what keeps a file from being written leave as UsageError, also where DuckDB says it; all else as it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        if (reason := _not_written(error)) is None:
            raise
        raise UsageError(f"{file} cannot be written: {reason}.", hint=hint) from error


def _not_written(error: Exception) -> str | None:
    """The reason, where an error is one of the file."""
    import duckdb

    if no_room(error):
        return os.strerror(errno.ENOSPC)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rpartition(": ")[2] if isinstance(error, OSError | duckdb.IOException) else None


def read_plain(path: Path, most: int) -> bytes:
    """The content of a file. OSError where it has more than `most` bytes, and for a pipe or a device, which may never end."""
    if not _is_plain(path):
        raise OSError(errno.EINVAL, "it is no plain file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content


def _is_plain(path: Path) -> bool:
    """Whether there is a plain file, or nothing yet. A folder counts as plain: no file can take its place."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    return (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and not _is_stream(path)


def _is_stream(path: Path) -> bool:
    """Whether a path is, or leads to, what this process has open, such as /dev/stdout: also a file is written on there."""
    for _ in range(_MOST_LINKS):
        if str(path.absolute()).startswith(("/dev/fd/", "/dev/std", "/proc/")):
            return True
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return False


def _temporary() -> Path:
    import tempfile

    return Path(tempfile.gettempdir())


def _new_file(folder: Path, name: str, mode: int) -> Path:
    # The collector of metrics reads what ends in .prom, so the file in the making must not.
    made = folder / f".{name[:100]}.{secrets.token_hex(6)}"
    os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    return made


def _move(made: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        old = target.stat()
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(made, old.st_uid, old.st_gid)
        made.chmod(stat.S_IMODE(old.st_mode))
    try:
        made.replace(target)
    except OSError as error:
        if error.errno not in _NOT_RENAMED or not target.is_file():
            raise
        shutil.copyfile(made, target)


def _write_through(path: Path, made: Path, *, waits: bool) -> None:
    mode = path.stat().st_mode
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EINVAL, "it is a disk or a socket")
    # A pipe that nobody reads would hold us for ever.
    at_once = 0 if waits or sys.platform == "win32" else os.O_NONBLOCK
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | at_once)
    if at_once:
        os.set_blocking(handle, True)
    with made.open("rb") as source, os.fdopen(handle, "wb") as out:
        shutil.copyfileobj(source, out)


def why_unread(error: Exception) -> str:
    """Why a file could not be read as what it should be, in words of people: `Permission denied`, `it is not text in UTF-8`."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    return (isinstance(error, OSError) and error.strerror) or str(error)
