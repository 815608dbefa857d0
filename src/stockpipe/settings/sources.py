"""Where settings are found.

A value is looked for in this order: flags, environment, `.env`, a connection of connections.toml, defaults. An empty
value counts as not set, because that is how containers and CI systems write "nothing".
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stockpipe.errors import ConfigError
from stockpipe.settings.connections import NAME as CONNECTION_NAME
from stockpipe.settings.connections import Connection, find_connection
from stockpipe.settings.declared import SETTINGS, Setting
from stockpipe.settings.values import COMMAND_LINE, DEFAULT, Settings, Value

_Sources = tuple[tuple[str, Mapping[str, str | None]], ...]


def load_settings(
    flags: Mapping[str, str | None] | None = None,
    *,
    env: Mapping[str, str] | None = None,
    env_file: Path | None = None,
    origin: str = COMMAND_LINE,
) -> Settings:
    """Collect the settings: `flags` (by setting name, from `origin`) over the environment over `env_file` over a
    connection of Snowflake's tools over the defaults.

    `env` defaults to this process's environment, `env_file` to `.env` in the current folder. Only that one may be
    absent; a named file that is missing, and any that cannot be read, is a ConfigError. A connection is used when one is
    named, or when the warehouse is said to be snowflake and no account is set.
    """
    path = env_file or Path(".env")
    _must_have_folder()
    if env_file is not None:
        _demand(env_file)
    environment = os.environ if env is None else env
    dotenv, dotenv_state, faults = _read_env_file(path)
    sources: _Sources = ((origin, flags or {}), ("the environment", environment), (str(path), dotenv))
    connection = _connection(sources, environment)
    looked_in = [origin, "the environment", f"{path} ({dotenv_state})"]
    warnings = [*faults, _open_to_others(path, dotenv)]
    if connection:
        sources = (*sources, (connection.origin, connection.values))
        looked_in.append(connection.origin)
        warnings.append(_open_to_others(connection.path, connection.values))
    values: dict[str, Value] = {}
    for setting in SETTINGS.values():
        found = _first(setting, sources)
        if found is None and setting.default is not None:
            found = Value(setting.default, DEFAULT)
        if found is not None:
            values[setting.name] = found
    return Settings(values, tuple(looked_in), tuple(warning for warning in warnings if warning))


def _connection(sources: _Sources, env: Mapping[str, str]) -> Connection | None:
    """The connection that is asked for; a DuckDB file needs none."""
    name, home, kind, account = (
        _first(SETTINGS[setting], sources)
        for setting in (CONNECTION_NAME, "SNOWFLAKE_HOME", "STOCKPIPE_WAREHOUSE", "SNOWFLAKE_ACCOUNT")
    )
    wanted = kind.text.lower() if kind else None
    if wanted == "duckdb" or (name is None and (wanted is None or account is not None)):
        return None
    return find_connection(name.text if name else None, home.text if home else None, env)


def _first(setting: Setting, sources: _Sources) -> Value | None:
    for origin, texts in sources:
        for name in (setting.name, *setting.aliases):
            if text := (texts.get(name) or "").strip():
                return Value(text, origin if name == setting.name else f"{origin}, as {name}")
    return None


def _open_to_others(path: Path, texts: Mapping[str, str | None]) -> str | None:
    """A warning when a file with secrets can be read by other users; Windows has no such bits."""
    secret = any(
        texts.get(name) for setting in SETTINGS.values() if setting.secret for name in (setting.name, *setting.aliases)
    )
    if os.name != "posix" or not secret or not path.is_file() or not path.stat().st_mode & 0o044:
        return None
    return f"{path} holds secrets and can be read by other users of this machine. Mend it: chmod 600 {path}"


def _must_have_folder() -> None:
    """ConfigError where the current folder was removed: there is no .env to find then, and no relative path."""
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError(
            f"The current folder cannot be used: {error.strerror}.", hint="Change to another one (cd), then run again."
        ) from error


def _demand(path: Path) -> None:
    """ConfigError for a named settings file that is not there: without it, the day would go to another place."""
    # Not only plain files: /dev/null means no settings, and a shell hands over a pipe.
    if path.is_dir() or not path.exists():
        fault = "is a folder" if path.is_dir() else "is not there"
        raise ConfigError(
            f"The settings file {path} {fault}.",
            hint="Correct --env-file, or leave it out: then .env is read, where there is one.",
        )


def _read_env_file(path: Path) -> tuple[dict[str, str | None], str, list[str]]:
    """What the file sets, whether it was read, and a warning for each line that could not be."""
    from dotenv import dotenv_values

    try:
        if not (path.is_file() or path.is_fifo()):
            return {}, "not there", []
        with _lines_refused() as lines:
            texts = dict(dotenv_values(path, interpolate=False, encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error.__class__.__name__}.",
            hint="Make the file readable by you (chmod 600) and save it as UTF-8.",
        ) from error
    return texts, "read", [f"{path}, line {line}, could not be read (is a quote not closed?)." for line in lines]


@contextmanager
def _lines_refused() -> Iterator[list[int]]:
    """The numbers of the lines that python-dotenv cannot read. It only logs them, without the file's name."""
    lines: list[int] = []

    def keep(record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and record.args and isinstance(record.args[0], int):
            lines.append(record.args[0])
            return False
        return True

    logger = logging.getLogger("dotenv.main")
    logger.addFilter(keep)
    try:
        yield lines
    finally:
        logger.removeFilter(keep)
