"""The settings of one run: each value with its origin, checked when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from stockpipe.base.paths import at_home
from stockpipe.base.text import is_host, is_loopback, secret_parts, without_password
from stockpipe.errors import ConfigError, UsageError
from stockpipe.settings.declared import SETTINGS

Plan = Literal["free", "paid", "auto"]
WarehouseKind = Literal["duckdb", "snowflake"]
DEFAULT, COMMAND_LINE = "default", "the command line"
_PLACEHOLDER = re.compile(r"^your[_-]|_here$|x{6,}|^\*+$|^<.*>$|^change.?me$", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """A setting's text and the place it was found in. The text stays out of `repr`: it may be a secret."""

    text: str = field(repr=False)
    origin: str


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
        return frozenset(secret | {part for value in self._values.values() for part in secret_parts(value.text)})

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
        if not host or not bare or not (parts.scheme == "https" or plain_http) or not is_host(host):
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
        return at_home(self.require("STOCKPIPE_DUCKDB_PATH"), "STOCKPIPE_DUCKDB_PATH")

    @property
    def state_file(self) -> Path:
        """The file that is remembered between runs: beside the DuckDB file, or in the current folder."""
        if text := self.get("STOCKPIPE_STATE_FILE"):
            return at_home(text, "STOCKPIPE_STATE_FILE")
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
