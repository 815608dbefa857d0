"""The settings of a call from Python: its own arguments before its `settings`, and both before the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stockpipe.base.calls import flag, number, number_text, path, word
from stockpipe.base.text import quoted
from stockpipe.errors import UsageError
from stockpipe.settings.names import OURS, misspelt_names
from stockpipe.settings.sources import load_settings
from stockpipe.settings.values import Settings

# The arguments of a call that are settings, and how each is judged.
_ARGUMENTS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "warehouse": ("STOCKPIPE_WAREHOUSE", word),
    "duckdb_path": ("STOCKPIPE_DUCKDB_PATH", path),
    "connection": ("SNOWFLAKE_DEFAULT_CONNECTION_NAME", word),
    "load_method": ("STOCKPIPE_LOAD_METHOD", word),
    # Not said, rather than false: a setting may say it too.
    "sample_data": ("STOCKPIPE_SAMPLE_DATA", lambda name, value: flag(name, value) or None),
    "requests_per_second": ("STOCKPIPE_REQUESTS_PER_SECOND", number),
    "deadline": ("STOCKPIPE_DEADLINE", number),
}


def said_by(**arguments: Any) -> dict[str, Any]:
    """What the arguments of a call say, by the names of the settings. UsageError for one of the wrong kind."""
    return {_ARGUMENTS[name][0]: _ARGUMENTS[name][1](name, value) for name, value in arguments.items()}


def argument_names(said: Mapping[str, Any]) -> dict[str, str]:
    """The settings that a call said, each with its argument: what errors call them (see `python_words`)."""
    return {setting: name for name, (setting, _) in _ARGUMENTS.items() if said.get(setting) is not None}


def settings_of_call(settings: Mapping[str, Any] | None, said: Mapping[str, Any], env_file: Path | None) -> Settings:
    """The settings of a call: `said` (by setting name; None where nothing was said) before `settings`.

    UsageError for a name in `settings` that is none of ours but looks like it, since it would have no effect, and for a
    value that is no text, number, path or flag. ConfigError as `load_settings`.
    """
    # A whole environment may be handed over, with names of other programs.
    for name, meant in misspelt_names(map(str, settings or ()), certain=OURS):
        hint = f"Did you mean {meant}?" if meant else "stockpipe config --all lists the settings."
        raise UsageError(f"settings names {quoted(name, 60)}, which is no setting.", hint=hint)
    told = {name: value for name, value in said.items() if value is not None}
    given = {name: _text(name, value) for name, value in {**(settings or {}), **told}.items()}
    return load_settings(given, env_file=env_file, origin="the settings of this call")


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, os.PathLike) and isinstance(named := os.fspath(value), str):
        return named
    raise UsageError(f"settings[{name!r}] is a {type(value).__name__}.", hint="A setting is a text, such as '5'.")
