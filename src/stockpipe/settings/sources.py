"""Where settings are found.

A value is looked for in this order: flags, environment, `.env`, a connection of connections.toml, defaults. An empty
value counts as not set, because that is how containers and CI systems write "nothing".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

from stockpipe.base.files import why_unread
from stockpipe.base.text import secret_parts, without_secrets
from stockpipe.errors import ConfigError
from stockpipe.settings.connections import NAME as CONNECTION_NAME
from stockpipe.settings.connections import Connection, find_connection
from stockpipe.settings.declared import SETTINGS, Setting
from stockpipe.settings.names import misspelt, set_names
from stockpipe.settings.private import named_files_open_to_others, settings_file_open_to_others
from stockpipe.settings.values import COMMAND_LINE, DEFAULT, Settings, Value

if TYPE_CHECKING:
    from dotenv.parser import Original

# In these double quotes are part of a name: "my role".
_NAMES = frozenset(f"SNOWFLAKE_{kind}" for kind in ("ROLE", "WAREHOUSE", "DATABASE", "SCHEMA", "TABLE"))
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
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
    quotes: list[str] = []
    sources: _Sources = tuple(
        (place, _without_quotes(texts, place, quotes))
        for place, texts in ((origin, flags or {}), ("the environment", environment), (str(path), dotenv))
    )
    connection = _connection(sources, environment)
    looked_in = [origin, "the environment", f"{path} ({dotenv_state})"]
    warnings = [*faults, settings_file_open_to_others(path, dotenv)]
    warnings += misspelt(set_names(dotenv), str(path), in_file=True)
    warnings += misspelt(set_names(environment), "the environment", in_file=False)
    if connection:
        sources = (*sources, (connection.origin, _without_quotes(connection.values, connection.origin, quotes)))
        looked_in.append(connection.origin)
        warnings += [settings_file_open_to_others(connection.path, connection.values), connection.warning]
    values = _values(sources)
    warnings += [*named_files_open_to_others(values), *quotes, _led_away(values)]
    return Settings(values, tuple(looked_in), tuple(filter(None, warnings)), _secrets_of_proxies(environment))


def _values(sources: _Sources) -> dict[str, Value]:
    """Each setting that a source or a default has, by name."""
    found = {setting.name: _first(setting, sources) or _default(setting) for setting in SETTINGS.values()}
    return {name: value for name, value in found.items() if value is not None}


def _default(setting: Setting) -> Value | None:
    return None if setting.default is None else Value(setting.default, DEFAULT)


def _secrets_of_proxies(environment: Mapping[str, str]) -> set[str]:
    proxies = (environment[name] for name in environment if name.lower() in _PROXIES)
    return {part for proxy in proxies for part in secret_parts(proxy)}


def _without_quotes(texts: Mapping[str, str | None], place: str, told: list[str]) -> dict[str, str | None]:
    """What a place has for the settings. Quotes around a value are taken off, and `told` gets a warning.

    Container tools hand over what stands in quotes with the quotes; in a name of Snowflake they mean something.
    """
    found: dict[str, str | None] = {}
    for setting in SETTINGS.values():
        for name in (setting.name, *setting.aliases):
            text = found[name] = (texts.get(name) or "").strip()
            if setting.name not in _NAMES and len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
                found[name] = text[1:-1]
                told.append(
                    f"{name} (from {place}) has quotes around its value, which were taken off: they belong to a shell or a "
                    ".env file. A value that has quotes of its own needs them twice."
                )
    return found


def _led_away(values: Mapping[str, Value]) -> str | None:
    """A warning when the API key goes to an origin that another place than the key's names, such as the `.env` of a
    folder that somebody else made."""
    key, url = values.get("POLYGON_API_KEY"), values.get("MASSIVE_BASE_URL")
    if key is None or url is None or url.origin in (DEFAULT, COMMAND_LINE):
        return None
    usual = url.text.rstrip("/") == SETTINGS["MASSIVE_BASE_URL"].default
    if usual or key.origin.partition(", as ")[0] == url.origin.partition(", as ")[0]:
        return None
    return (
        f"The API key (from {key.origin}) goes to {without_secrets(url.text)}, because {url.origin} has MASSIVE_BASE_URL. "
        "Take it out there if you do not know that address."
    )


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
            if text := texts.get(name):
                return Value(text, origin if name == setting.name else f"{origin}, as {name}")
    return None


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
    try:
        # Not only plain files: /dev/null means no settings, and a shell hands over a pipe.
        fault = "is a folder" if S_ISDIR(path.stat().st_mode) else ""
    except (FileNotFoundError, NotADirectoryError, ValueError):
        fault = "is not there"
    except OSError as error:
        raise _unreadable(path, error) from error
    if fault:
        raise ConfigError(
            f"The settings file {path} {fault}.",
            hint="Correct --env-file, or leave it out: then .env is read, where there is one.",
        )


def _read_env_file(path: Path) -> tuple[dict[str, str | None], str, list[str]]:
    """What the file sets, whether it was read, and a warning for each line that could not be."""
    from dotenv.parser import parse_stream

    try:
        if not (path.is_file() or path.is_fifo()):
            return {}, "not there", []
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    texts = {binding.key: binding.value for binding in bindings if binding.key is not None}
    lines = [_line(binding.original) for binding in bindings if binding.error]
    return texts, "read", [f"{path}, line {line}, could not be read (is a quote not closed?)." for line in lines]


def _unreadable(path: Path, error: Exception) -> ConfigError:
    remedy = "Make the file readable by you (chmod 600), and its folder open to you."
    return ConfigError(
        f"{path} cannot be read: {why_unread(error)}.",
        hint="Save it as UTF-8." if isinstance(error, UnicodeDecodeError) else remedy,
    )


def _line(original: Original) -> int:
    """The number of the line on which a binding begins; python-dotenv counts the empty lines before it in."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")
