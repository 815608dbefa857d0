"""The three streams that a terminal gives to a command, and that a service or a windowed Python may not give."""

from __future__ import annotations

import os
import sys
from typing import TextIO

missing: set[str] = set()
"""Which of stdin, stdout and stderr this process was started without."""


def have_streams() -> None:
    """Put the null device where a stream is missing, so that nothing has to ask whether there is one.

    Its file descriptor is taken as well: else the next file that is opened gets it, and what C code writes to "standard
    error" goes into that file.
    """
    lost = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    if not lost:
        return
    missing.update(lost)
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name in lost:
        setattr(sys, name, _nothing(reads=name == "stdin"))


def _nothing(*, reads: bool) -> TextIO:
    return open(os.devnull, "r" if reads else "w", encoding="utf-8", errors="replace")  # noqa: PTH123 - kept to the end
