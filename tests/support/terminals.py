"""A command in a pseudo-terminal of a size: what a person sees."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Seen:
    """What stood on the terminal, stdout and stderr together, with its colours; and the exit code."""

    code: int
    raw: str

    @property
    def text(self) -> str:
        """Without colours, with plain ends of lines."""
        return _COLOURS.sub("", self.raw).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    @property
    def widest(self) -> int:
        """The length of the longest line."""
        return max(map(len, self.lines), default=0)


def seen(*arguments: str, columns: int = 80, env: dict[str, str] | None = None, typed: str | None = None) -> Seen:
    """Run `stockpipe` on a terminal of this width, as a person does. `typed` is what is piped into it."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    stdin = subprocess.PIPE if typed is not None else theirs
    program = [sys.executable, "-m", "stockpipe", *arguments]
    whole = inherited | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | (env or {})
    with subprocess.Popen(program, env=whole, stdin=stdin, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        if typed is not None and process.stdin:
            process.stdin.write(typed.encode())
            process.stdin.close()
        shown = b""
        with contextlib.suppress(OSError):  # Linux ends a terminal so
            while part := os.read(ours, 65536):
                shown += part
        code = process.wait(timeout=60)
    os.close(ours)
    return Seen(code, shown.decode())
