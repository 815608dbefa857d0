"""Room on this machine's disks: how its lack is told apart from other faults, and how much there is."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# As the systems and DuckDB say it.
_SIGNS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "not enough space on the disk",
    "max_temp_directory_size",
)


def no_room(error: BaseException) -> bool:
    """Whether an error says that a disk, or what a user may have of it, is full."""
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    return any(sign in str(error) for sign in _SIGNS)


def free_in(folder: Path) -> str:
    """What is free in a folder, for people to read: `0.1 MB`."""
    try:
        return megabytes(shutil.disk_usage(folder).free)
    except OSError:
        return "an unknown number of bytes"


def megabytes(size: int) -> str:
    """A number of bytes for people to read."""
    return f"{size / 1e6:,.1f} MB"
