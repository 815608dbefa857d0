"""Calls from Python: arguments judged by name, and messages in Python's words where they speak of the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from stockpipe.base.days import read_day
from stockpipe.base.text import quoted
from stockpipe.errors import StockpipeError, UsageError

# A whole command, such as `stockpipe schema --grants`, is for a terminal and stays as it is.
_OPTION = re.compile(r"(?P<command>stockpipe [a-z]+(?: --?[a-z][a-z-]*)*)|--(?P<name>[a-z][a-z-]*)")
_FLAGS = frozenset({"dry_run", "force", "redo", "require_fresh", "sample_data", "sessions"})
# Commands that Python has as functions.
_CALLS = {"run": "stockpipe.load", "backfill": "stockpipe.backfill"}
_SAID = rf"--(?:{'|'.join(sorted(_FLAGS)).replace('_', '-')})(?![a-z-])|--[a-z][a-z-]* [\w.:/-]*\w"
_COMMAND = re.compile(rf"stockpipe (?P<command>{'|'.join(_CALLS)})(?![a-z])(?P<said>(?: (?:{_SAID}))*)")
# Words of Python itself cannot be arguments.
_NAMED = {"from": "start", "to": "end"}
_LONGEST = 40


def flag(name: str, value: Any) -> bool:
    """An argument that is True or False; UsageError for anything else, such as "yes"."""
    if isinstance(value, bool):
        return value
    raise _refused(name, value, "True or False")


def word(name: str, value: Any) -> str | None:
    """An argument that is a text, or None where nothing was said; True is the word "true", a date the word 2026-02-06."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return day(name, value).isoformat()
    if value is None or isinstance(value, str):
        return value
    raise _refused(name, value, "a text")


def words(name: str, value: Any) -> list[str]:
    """An argument that is a text, or several of them."""
    if isinstance(value, str):
        return [value]
    several = list(value) if isinstance(value, Iterable) else [value]
    if all(isinstance(one, str) for one in several):
        return several
    raise _refused(name, value, "a text, or a list of texts")


def text(name: str, value: Any) -> str:
    """An argument that is a text."""
    if isinstance(value, str):
        return value
    raise _refused(name, value, "a text")


def number(name: str, value: Any) -> str | None:
    """An argument that is a number, as the text of a setting."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise _refused(name, value, "a number")


def number_text(value: int | float) -> str:
    """A number as the text of a setting, with every digit: a password may be given as one."""
    return f"{value:d}" if isinstance(value, int) else repr(float(value)).removesuffix(".0")


def path(name: str, value: Any) -> Path | None:
    """An argument that names a file: a text, or a path of any kind."""
    if value is None:
        return None
    if isinstance(value, str | os.PathLike):
        named = os.fspath(value)
        if isinstance(named, str) and named:
            return Path(named)
    raise _refused(name, value, "the name of a file")


def day(name: str, value: Any) -> date:
    """An argument that is a day: a date, a text (YYYY-MM-DD), or a moment at midnight without a zone, as pandas has it.

    UsageError for a moment with a time or a zone: which day it is depends on where.
    """
    if isinstance(value, str):
        return read_day(value)
    if isinstance(value, datetime):
        if value.tzinfo is None and value.time() == time(0):
            return value.date()
        raise UsageError(
            f"{name} is the moment {value}, and a day is wanted: the date of a session in New York.",
            hint=f"Write {name}=moment.date(), or the date as text: YYYY-MM-DD.",
        )
    if isinstance(value, date):
        return value
    raise _refused(name, value, "a date, or a text such as 2026-02-07")


def one_day(**days: Any) -> date | None:
    """The day that is given under one of two names; None for neither, UsageError for both."""
    said = {name: value for name, value in days.items() if value is not None}
    if len(said) > 1:
        raise UsageError(f"{' and '.join(said)} both name the day.", hint="Give one of them.")
    return next((day(name, value) for name, value in said.items()), None)


@contextmanager
def in_python_words(named: Mapping[str, str] | None = None) -> Iterator[None]:
    """Let errors of the block speak of calls and their arguments, not of the command line. `named` as for `python_words`."""
    try:
        yield
    except StockpipeError as error:
        error.rewrite(lambda message: python_words(message, named))
        raise


def python_words(message: str, named: Mapping[str, str] | None = None) -> str:
    """A message about commands and options as one about functions and arguments.

    "Add --force" is "Add force=True", "stockpipe run --dataset splits" is `stockpipe.load(dataset="splits")`. `named` are
    further words with what this call has for them, such as the argument that a setting came from.
    """
    for words, spoken in (named or {}).items():
        message = message.replace(words, spoken)
    return _OPTION.sub(_argument, _COMMAND.sub(_call, message))


def _call(found: re.Match[str]) -> str:
    """`stockpipe.load(active="both", force=True)` for `stockpipe run --active both --force`."""
    said = (option.partition(" ") for option in re.findall(_SAID, found["said"]))
    arguments = (f'{_name(option)}="{value}"' if value else f"{_name(option)}=True" for option, _, value in said)
    return f"{_CALLS[found['command']]}({', '.join(arguments)})"


def _argument(found: re.Match[str]) -> str:
    if found["name"] is None:
        return found[0]
    name = _name(found["name"])
    return f"{name}=True" if name in _FLAGS else name


def _name(option: str) -> str:
    """The argument that an option is: `start` for --from, `env_file` for --env-file."""
    name = option.lstrip("-").replace("-", "_")
    return _NAMED.get(name, name)


def _refused(name: str, value: Any, wanted: str) -> UsageError:
    shown = quoted(value, _LONGEST) if isinstance(value, str) else f"{value!r:.{_LONGEST}}"
    return UsageError(f"{name} is {shown}.", hint=f"It must be {wanted}.")
