"""The command to type next: the program as it was called, with the flags that lead it to the same warehouse.

And what an error calls a setting: by the option that it was given with.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Container, Sequence
from functools import cache
from pathlib import Path

import click
from click.core import ParameterSource

from stockpipe.cli.commands import COMMANDS, PLACED
from stockpipe.settings.declared import SETTINGS
from stockpipe.settings.paths import is_secret

_PLACE = ("warehouse", "duckdb_path", "connection", "env_file")
# What `init` writes, and all others read.
_USUAL_FILE = Path(".env")
_NAMES = "|".join(COMMANDS)
# Within a path or behind `-m` it is no call of ours, or one that is written out already.
_PROPOSED = re.compile(
    rf"(?<![\w./\\-])(?<!-m )stockpipe (?P<command>(?:{_NAMES})\b(?:(?<=master) (?:build|status)\b)?)"
)


def next_command(*words: str) -> str:
    """The program with these words, and with the flags of the command under way that say where the data is."""
    context = click.get_current_context()
    # What `demo` has by default is not the default of the others.
    return " ".join(
        (program(), *words, _place(context, (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT)))
    ).rstrip()


def _place(context: click.Context, told: Container[ParameterSource | None], names: Sequence[str] = _PLACE) -> str:
    """The flags of the command under way that say where the data is, ready to be typed."""
    given = {
        name: str(context.params[name])
        for name in names
        if context.params.get(name) not in (None, _USUAL_FILE) and context.get_parameter_source(name) in told
    }
    # A key that was given as the name of a file is in no proposal.
    return shlex.join(
        word for name, text in given.items() if not is_secret(text) for word in (f"--{name.replace('_', '-')}", text)
    )


def typeable(text: str) -> str:
    """A sentence in which each `stockpipe COMMAND` can be typed as the program was called, and a setting has its option's name.

    "Load a day first: stockpipe run." becomes "Load a day first: uv run stockpipe run." under uv, and where --duckdb-path was
    given, "Name another file in STOCKPIPE_DUCKDB_PATH." becomes "Name another file in --duckdb-path.", and `stockpipe run`
    has the same flag.
    """
    return _as_given(_PROPOSED.sub(_typed, text))


def _typed(found: re.Match[str]) -> str:
    """A proposed command as it can be typed, for the same warehouse as the command under way."""
    words = (program(), found["command"])
    context, names = click.get_current_context(silent=True), PLACED.get(found["command"].partition(" ")[0], _PLACE)
    if context is None or not names:
        return " ".join(words)
    return " ".join((*words, _place(context, (ParameterSource.COMMANDLINE,), names))).rstrip()


def _as_given(text: str) -> str:
    context = click.get_current_context(silent=True)
    for setting in SETTINGS.values() if context else ():
        option = (setting.flag or "").lstrip("-").replace("-", "_")
        if context and setting.name in text and _decides(context, option):
            text = re.sub(rf"\b{setting.name}\b", str(setting.flag), text)
    return text


def _decides(context: click.Context, option: str) -> bool:
    """Whether the option was given, or has a value of its own where it is not, as --duckdb-path of `demo`."""
    source, value = context.get_parameter_source(option), context.params.get(option)
    return source is ParameterSource.COMMANDLINE or (source is ParameterSource.DEFAULT and isinstance(value, str))


@cache
def program() -> str:
    """What to type for `stockpipe`: its name or path, `python -m stockpipe`, or one of these behind `uv run`."""
    # uv puts its environment on the PATH of what it runs, not on that of the shell.
    run_by_uv = os.environ.get("UV") and os.environ.get("VIRTUAL_ENV")
    return f"uv run {_called()}" if run_by_uv else _called()


def _called() -> str:
    called = Path(sys.argv[0])
    if called.stem == "stockpipe":
        return "stockpipe" if _is_found(called) else quoted(str(called))
    python = quoted(sys.orig_argv[0] if sys.orig_argv else sys.executable)
    # script.py of a bare checkout puts the package there by itself.
    source = str(Path(__file__).parents[2])
    if called.stem in ("script", "scheduler") and sys.path[0] == source:
        return f"PYTHONPATH={quoted(source)} {python} -m stockpipe"
    return f"{python} -m stockpipe"


def _is_found(called: Path) -> bool:
    """Whether the shell finds this very program by its name."""
    found = shutil.which("stockpipe")
    return found is not None and (found == str(called) or (called.exists() and Path(found).samefile(called)))


def quoted(word: str) -> str:
    """A word for the shell of this system."""
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline([word])
    return shlex.quote(word)
