"""What can be set, where a value came from, and what is wrong with it.

A value is looked for in this order: flags, environment, `.env`, a connection of connections.toml, defaults. An empty
value counts as not set, because that is how containers and CI systems write "nothing".
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from stockpipe.connections import NAME as CONNECTION_NAME
from stockpipe.connections import Connection, find_connection
from stockpipe.errors import ConfigError, UsageError

Plan = Literal["free", "paid", "auto"]
WarehouseKind = Literal["duckdb", "snowflake"]
DEFAULT, COMMAND_LINE = "default", "the command line"
_Sources = tuple[tuple[str, Mapping[str, str | None]], ...]


@dataclass(frozen=True)
class Setting:
    """One thing that can be set. `aliases` are older or foreign names, looked at after the first; `flag` is the option
    of the commands that have one for it."""

    name: str
    meaning: str
    default: str | None = None
    aliases: tuple[str, ...] = ()
    secret: bool = False
    flag: str | None = None


@dataclass(frozen=True)
class Value:
    """A setting's text and the place it was found in. The text stays out of `repr`: it may be a secret."""

    text: str = field(repr=False)
    origin: str


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting("POLYGON_API_KEY", "the Massive API key", aliases=("MASSIVE_API_KEY",), secret=True, flag="--api-key"),
        Setting(
            "MASSIVE_BASE_URL",
            "the API's origin; http: only for loopback",
            "https://api.massive.com",
            flag="--base-url",
        ),
        Setting("MASSIVE_PLAN", "free (5 calls a minute), paid (under 100 a second) or auto", "auto", flag="--plan"),
        Setting("RATE_LIMIT_DELAY", "least seconds between two calls; 0.2 until the key's plan is known"),
        Setting(
            "STOCKPIPE_REQUESTS_PER_SECOND", "most calls a second on a paid plan", "95", flag="--requests-per-second"
        ),
        Setting("STOCKPIPE_PARALLEL_CALLS", "most calls under way at once on a paid plan; 1 goes page by page", "16"),
        Setting("STOCKPIPE_ANSWER_TIMEOUT", "most seconds for one whole answer", "30"),
        Setting("STOCKPIPE_MAX_PAGES", "most pages of one walk", "2500"),
        Setting("STOCKPIPE_DEADLINE", "most seconds for a whole run", "7200", flag="--deadline"),
        Setting(
            "STOCKPIPE_WAREHOUSE", "duckdb or snowflake; snowflake when SNOWFLAKE_ACCOUNT is set", flag="--warehouse"
        ),
        Setting("STOCKPIPE_DUCKDB_PATH", "the DuckDB file", "stockpipe.duckdb", flag="--duckdb-path"),
        Setting("STOCKPIPE_STATE_FILE", "file that remembers the key's plan between runs; beside the data by default"),
        Setting("STOCKPIPE_LOCK_TIMEOUT", "most seconds to wait for another run or reader", "60"),
        Setting("STOCKPIPE_BATCH_SIZE", "rows in one insert batch, where batches are used", "1000"),
        Setting(
            "STOCKPIPE_LOAD_METHOD",
            "Snowflake: copy (PUT and COPY), or insert (INSERT in batches)",
            "copy",
            flag="--load-method",
        ),
        Setting("STOCKPIPE_MAX_LOSS", "largest fall in rows against the last day, in per cent", "5"),
        Setting("STOCKPIPE_MAX_GROWTH", "largest rise in rows against the last day, in per cent", "20"),
        Setting("STOCKPIPE_TORN_PAUSE", "seconds to wait before a torn list is walked again", "60"),
        Setting("STOCKPIPE_TRANSIENT", "true makes Snowflake tables TRANSIENT (no fail-safe copies)", "false"),
        Setting("STOCKPIPE_RETENTION_DAYS", "days of Time Travel of new Snowflake tables, 0 to 90; default: account's"),
        Setting(
            "STOCKPIPE_PING_URL", "ping URL of a healthchecks service, told of start, success, failure", secret=True
        ),
        Setting("STOCKPIPE_WEBHOOK_URL", "webhook (Slack or any), told of failure, staleness, recovery", secret=True),
        Setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "OpenTelemetry collector (OTLP over HTTP) that gets a trace of each run"
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_HEADERS", "headers for the collector: name=value, with commas between", secret=True
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "headers for traces alone; they go before the others", secret=True
        ),
        Setting(CONNECTION_NAME, "a connection of Snowflake's connections.toml or config.toml", flag="--connection"),
        Setting("SNOWFLAKE_HOME", "the folder of these files; default: ~/.snowflake or the platform's"),
        Setting(
            "SNOWFLAKE_ACCOUNT",
            "account identifier, such as myorg-myaccount or xy12345.us-east-1; or its URL",
            flag="--account",
        ),
        Setting("SNOWFLAKE_USER", "user name", flag="--user"),
        Setting(
            "SNOWFLAKE_AUTHENTICATOR",
            "how to sign in; default: by what is set, a key pair first",
            flag="--authenticator",
        ),
        Setting(
            "SNOWFLAKE_PRIVATE_KEY_PATH",
            "file of the private key (PEM)",
            aliases=("SNOWFLAKE_PRIVATE_KEY_FILE",),
            flag="--private-key-path",
        ),
        Setting("SNOWFLAKE_PRIVATE_KEY", "the private key itself", aliases=("SNOWFLAKE_PRIVATE_KEY_RAW",), secret=True),
        Setting(
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
            "passphrase of the private key",
            aliases=("SNOWFLAKE_PRIVATE_KEY_FILE_PWD", "PRIVATE_KEY_PASSPHRASE"),
            secret=True,
            flag="--private-key-passphrase",
        ),
        Setting("SNOWFLAKE_TOKEN", "programmatic access token, or an OAuth token", secret=True, flag="--token"),
        Setting("SNOWFLAKE_TOKEN_FILE_PATH", "file with the token"),
        Setting("SNOWFLAKE_OAUTH_CLIENT_ID", "OAuth client credentials: the client"),
        Setting("SNOWFLAKE_OAUTH_CLIENT_SECRET", "its secret", secret=True),
        Setting("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", "where the identity provider gives tokens"),
        Setting("SNOWFLAKE_OAUTH_SCOPE", "scope of the token; default: session:role:<role>"),
        Setting("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "workload identity: AWS, AZURE, GCP or OIDC"),
        Setting("SNOWFLAKE_PASSWORD", "password", secret=True, flag="--password"),
        Setting("SNOWFLAKE_PASSCODE", "code of the MFA device, for username_password_mfa", secret=True),
        Setting("SNOWFLAKE_ROLE", "role of the session", flag="--role"),
        Setting("SNOWFLAKE_WAREHOUSE", "compute warehouse", flag="--snowflake-warehouse"),
        Setting("SNOWFLAKE_DATABASE", "target database", flag="--database"),
        Setting("SNOWFLAKE_SCHEMA", "target schema", flag="--schema"),
        Setting("SNOWFLAKE_TABLE", "name of the tickers table", "TICKERS", flag="--table"),
        Setting("SNOWFLAKE_HOST", "another endpoint: private link, or a local test server", flag="--host"),
        Setting("SNOWFLAKE_PORT", "its port", flag="--port"),
        Setting("SNOWFLAKE_PROTOCOL", "its protocol, https or http", flag="--protocol"),
    )
}

# Who pastes a URL with a password into a setting shall not find it on the screen. A password may hold any character, so
# all up to the last @ is hidden; without a scheme, only what looks like user:password, as a user may be an address.
_USERINFO = re.compile(r"(?<=//).+(?=@)|^(?!.*//)[^@]*:.*(?=@)", re.DOTALL)
_PLACEHOLDER = re.compile(r"^your[_-]|_here$|x{6,}|^\*+$|^<.*>$|^change.?me$", re.IGNORECASE)


class Settings:
    """The settings of one run, each with its origin. Build it with `load_settings`."""

    def __init__(
        self, values: Mapping[str, Value], looked_in: tuple[str, ...] = (), warnings: tuple[str, ...] = ()
    ) -> None:
        self._values = dict(values)
        self.looked_in = looked_in
        self.warnings = warnings

    def find(self, name: str) -> Value | None:
        """The value of a setting with where it was found, or None. KeyError for a name that is no setting."""
        return self._values.get(SETTINGS[name].name)

    def get(self, name: str) -> str | None:
        """The text of a setting, or None when it is set nowhere."""
        value = self.find(name)
        return value.text if value else None

    def is_set(self, name: str) -> bool:
        """Whether somebody set it: it is more than a default."""
        value = self.find(name)
        return value is not None and value.origin != DEFAULT

    def said_by(self, origins: Mapping[str, str]) -> Settings:
        """The same settings, found where `origins` (by name) says."""
        values = {name: replace(value, origin=origins.get(name, value.origin)) for name, value in self._values.items()}
        return Settings(values, self.looked_in, self.warnings)

    def require(self, name: str) -> str:
        """The text of a setting that must be there; ConfigError names it, where it was looked for, and how to set it."""
        if (text := self.get(name)) is not None:
            return text
        setting = SETTINGS[name]
        names = " or ".join((setting.name, *setting.aliases))
        raise ConfigError(
            f"{names} is not set ({setting.meaning}).",
            hint=f"Looked in: {', '.join(self.looked_in)}. "
            f"Put a line {setting.name}=... into .env (see .env.example), or set it in the environment.",
        )

    def number(self, name: str, *, least: float = 0.0, most: float = float("inf")) -> float:
        """A setting as a number between `least` and `most`, both included."""
        text = self.require(name)
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            limit = f"from {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
            raise self.refused(name, f"a number {limit}")
        return number

    def choice(self, name: str, *allowed: str) -> str:
        """A setting that must be one of a few words (case does not matter)."""
        text = self.require(name).strip().lower()
        if text not in allowed:
            raise self.refused(name, " or ".join(allowed))
        return text

    def refused(self, name: str, wanted: str) -> ConfigError | UsageError:
        """The error for a value that cannot be used: of a flag, the command is wrong, and the flag is named.

        A secret is never shown, nor is the password in a URL.
        """
        value = self.find(name)
        shown = "" if value is None or SETTINGS[name].secret else f" is {without_password(value.text)!r}"
        if value and value.origin == COMMAND_LINE and (flag := SETTINGS[name].flag):
            return UsageError(f"{flag}{shown}: it must be {wanted}.", hint=f"Correct {flag}.")
        origin = f" (from {value.origin})" if value else ""
        return ConfigError(f"{name}{shown}{origin}: it must be {wanted}.", hint=f"Correct {name}.")

    @property
    def secrets(self) -> frozenset[str]:
        """The texts that must never be shown: the values of secret settings, and user and password in URLs."""
        secret = {value.text for name, value in self._values.items() if SETTINGS[name].secret}
        return frozenset(secret | {part for value in self._values.values() for part in _USERINFO.findall(value.text)})

    @property
    def api_key(self) -> str:
        """The API key; ConfigError when it is missing, a placeholder, or cannot travel in a header."""
        key = self.require("POLYGON_API_KEY")
        if _PLACEHOLDER.search(key):
            raise ConfigError(
                f"POLYGON_API_KEY (from {self._values['POLYGON_API_KEY'].origin}) still holds the placeholder of the example.",
                hint="Put your own key there; you find it in your account at massive.com, under API keys.",
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise self.refused("POLYGON_API_KEY", "one word of plain characters, without spaces or line breaks")
        return key

    @property
    def base_url(self) -> str:
        """The API's origin without a trailing slash: https, or http on loopback."""
        text = self.require("MASSIVE_BASE_URL").rstrip("/")
        wanted = "an origin such as https://api.massive.com (http only for this machine itself)"
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise self.refused("MASSIVE_BASE_URL", wanted) from None
        plain_http = parts.scheme == "http" and host is not None and is_loopback(host)
        bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        if not host or not bare or not (parts.scheme == "https" or plain_http):
            raise self.refused("MASSIVE_BASE_URL", wanted)
        return text

    @property
    def plan(self) -> Plan:
        """The plan that the key is said to have."""
        return cast(Plan, self.choice("MASSIVE_PLAN", "free", "paid", "auto"))

    @property
    def rate_limit_delay(self) -> float | None:
        """The least seconds between two calls that the user wants, or None to leave it to the pacing."""
        return self.number("RATE_LIMIT_DELAY", most=3600) if self.get("RATE_LIMIT_DELAY") is not None else None

    @property
    def warehouse(self) -> WarehouseKind:
        """Where the data goes."""
        if self.get("STOCKPIPE_WAREHOUSE") is None:
            return "snowflake" if self.get("SNOWFLAKE_ACCOUNT") else "duckdb"
        return cast(WarehouseKind, self.choice("STOCKPIPE_WAREHOUSE", "duckdb", "snowflake"))

    @property
    def duckdb_path(self) -> Path:
        """The DuckDB file, with `~` spelled out."""
        return Path(self.require("STOCKPIPE_DUCKDB_PATH")).expanduser()

    @property
    def state_file(self) -> Path:
        """The file that is remembered between runs: beside the DuckDB file, or in the current folder."""
        if text := self.get("STOCKPIPE_STATE_FILE"):
            return Path(text).expanduser()
        path = self.duckdb_path
        return path.with_name(f"{path.name}.state.json") if self.warehouse == "duckdb" else Path("stockpipe.state.json")

    @property
    def load_method(self) -> str:
        """How rows get into Snowflake: copy (PUT and COPY) or insert (INSERT in batches)."""
        return self.choice("STOCKPIPE_LOAD_METHOD", "copy", "insert")

    @property
    def batch_size(self) -> int:
        """Rows in one insert batch."""
        # The service takes at most 16,384 rows in one VALUES list.
        return int(self.number("STOCKPIPE_BATCH_SIZE", least=1, most=16_384))


def without_password(text: str) -> str:
    """A setting's text as it may be shown: a URL without its user and password."""
    return _USERINFO.sub("***", text)


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
    if not (path.is_file() or path.is_fifo()):
        return {}, "not there", []
    from dotenv import dotenv_values

    try:
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
