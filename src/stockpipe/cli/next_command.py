"""The command to type next, with the flags that lead it to the same warehouse."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click
from click.core import ParameterSource

_PLACE = ("warehouse", "duckdb_path", "connection", "env_file")


def next_command(*words: str) -> str:
    """`stockpipe` with these words, and with the flags of the command under way that say where the data is."""
    context = click.get_current_context()
    # What `demo` has by default is not the default of the others.
    given = [name for name in _PLACE if context.params.get(name) is not None and _is_told(context, name)]
    place = [word for name in given for word in (f"--{name.replace('_', '-')}", str(context.params[name]))]
    return " ".join((_program(), *words, shlex.join(place))).rstrip()


def _is_told(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) in (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT)


def _program() -> str:
    """How to call stockpipe: by its name, or as it was called where the shell does not find it by that."""
    called = Path(sys.argv[0])
    return str(called) if called.stem == "stockpipe" and not shutil.which("stockpipe") else "stockpipe"
