"""Commands to type next, so that they can be copied from a narrow terminal."""

from __future__ import annotations

import re
import sys

from stockpipe.cli.table import terminal_width

# What a shell takes as one word, with its quotes; an option stays with its value.
_WORD = re.compile(r"""(?:--[\w-]+\s+)?(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+""")
_GOES_ON = " \\"


def fits(line: str) -> bool:
    """Whether a line on stderr needs no breaking: on a terminal that is wide enough, and where no terminal is."""
    return not sys.stderr.isatty() or len(line) <= terminal_width()


def in_lines(command: str, before: str = "") -> str:
    """The command behind `before`; on a narrow terminal on several lines that a shell reads as one.

    On Windows it is one line: its shells have other signs for a command that goes on.
    """
    line = f"{before}{command}"
    if fits(line) or sys.platform == "win32":
        return line
    first, *rest = _WORD.findall(command)
    lines = [f"{before}{first}"]
    for word in rest:
        longer = f"{lines[-1]} {word}"
        if len(longer + _GOES_ON) <= terminal_width():
            lines[-1] = longer
        else:
            lines.append(f"    {word}")
    return f"{_GOES_ON}\n".join(lines)


def proposed(before: str, *steps: str) -> str:
    """What can be done next, commands or sentences, on one line; on a narrow terminal a line for each."""
    line = f"{before}{'; '.join(steps)}"
    if fits(line):
        return line
    heads = [before, *(" " * len(before) for _ in steps[1:])]
    return "\n".join(
        f"{head}{step}" if step.endswith(".") else in_lines(step, head) for head, step in zip(heads, steps, strict=True)
    )
