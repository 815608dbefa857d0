"""The settings of one run: each value with its origin, checked when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import unquote, urlsplit

from stockpipe.base.text import described, is_host, is_safe_url, looks_like, quoted, secret_parts
from stockpipe.errors import ConfigError, UsageError
from stockpipe.settings.declared import SETTINGS
from stockpipe.settings.paths import LONGEST_PATH, is_plain, is_secret, is_too_long, plain_paths

KeyPlan = Literal["free", "paid", "auto"]
WarehouseKind = Literal["duckdb", "snowflake"]
Protocol = Literal["https", "http"]
DEFAULT, COMMAND_LINE = "default", "the command line"
_DUCKDB_PATH = "STOCKPIPE_DUCKDB_PATH"
_API_KEY = "POLYGON_API_KEY"
# The last parts of `.`, `/` and `..`, which are folders wherever one is.
_FOLDERS = ("", "..")
# What stands for a value in our pages, in .env.example and in other people's; a key is known by a part as well.
_PLACEHOLDER = re.compile(
    r"^(your[_-].*|\*+|\.{3,}|\u2026|<.*>|\[.*\]|change.?me|.*//hc-ping\.com/your-check|.*/services/your/hook)$",
    re.IGNORECASE,
)
_PLACEHOLDER_KEY = re.compile(r"^your|_here$|x{6,}", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """A setting's text and the place it was found in. The text stays out of `repr`: it may be a secret."""

    text: str = field(repr=False)
    origin: str


class Settings:
    """The settings of one run, each with its origin. Build it with `load_settings`."""

    def __init__(
        self,
        values: Mapping[str, Value],
        looked_in: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
        more_secrets: Iterable[str] = (),
    ) -> None:
        self._values = dict(values)
        self.looked_in = looked_in
        self.warnings = warnings
        self._more_secrets = set(more_secrets)
        # Asked for with each line of the log.
        self._secrets: frozenset[str] | None = None

    def find(self, name: str) -> Value | None:
        """The value of a setting with where it was found, or None. KeyError for a name that is no setting."""
        return self._values.get(SETTINGS[name].name)

    def get(self, name: str) -> str | None:
        """The text of a setting, or None when it is set nowhere. ConfigError for the placeholder of an example."""
        value = self.find(name)
        if value is not None and _PLACEHOLDER.match(value.text):
            raise self._placeholder(name, value)
        return value.text if value else None

    def is_set(self, name: str) -> bool:
        """Whether somebody set it: it is more than a default."""
        value = self.find(name)
        return value is not None and value.origin != DEFAULT

    def said_by(self, origins: Mapping[str, str]) -> Settings:
        """The same settings, found where `origins` (by name) says."""
        values = {name: replace(value, origin=origins.get(name, value.origin)) for name, value in self._values.items()}
        return Settings(values, self.looked_in, self.warnings, self._more_secrets)

    def require(self, name: str) -> str:
        """The text of a setting that must be there; ConfigError names it, where it was looked for, and how to set it."""
        if (text := self.get(name)) is not None:
            return text
        setting = SETTINGS[name]
        names = " or ".join((setting.name, *setting.aliases))
        raise ConfigError(
            f"{names} is not set ({setting.meaning}).",
            hint=f"Looked in: {', '.join(self.looked_in)}. {self._ways(name)}",
        )

    def _ways(self, name: str) -> str:
        """How to set what is missing: `init` writes no file that exists."""
        file = next((place for place in self.looked_in if place.endswith(" (read)")), "").removesuffix(" (read)")
        way = f"Put a line {name}=VALUE into {file}" if file else "stockpipe init asks for it and writes .env"
        demo = " To try it out without a key: stockpipe demo." if name == _API_KEY else ""
        return f"{way}; or set {name} in the environment.{demo}"

    def _placeholder(self, name: str, value: Value) -> ConfigError:
        key = "you find it in your account at massive.com, under API keys"
        hint = (
            f"Put your own key there; {key}." if name == _API_KEY else "Put your own value there, or take the line out."
        )
        return ConfigError(f"{name} (from {value.origin}) still holds the placeholder of the example.", hint=hint)

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

    def refused(self, name: str, wanted: str, hint: str = "") -> ConfigError | UsageError:
        """The error for a value that cannot be used: of a flag, the command is wrong, and the flag is named.

        A secret is never shown. Any other value that is long, or looks like a secret, is described: it may be one that
        stands in the wrong setting. `wanted` follows "it must be"; `hint` is "Correct NAME." by default.
        """
        value = self.find(name)
        shown = "" if value is None or SETTINGS[name].secret else f"is {quoted(value.text)}"
        return self._error(name, shown, wanted, hint)

    def _error(self, name: str, shown: str, wanted: str, hint: str = "") -> ConfigError | UsageError:
        value, word = self.find(name), self._word(name)
        what = f"{word} {shown}".rstrip()
        hint = hint or f"Correct {word}."
        if word != name:
            return UsageError(f"{what}: it must be {wanted}.", hint=hint)
        origin = f" (from {value.origin})" if value else ""
        return ConfigError(f"{what}{origin}: it must be {wanted}.", hint=hint)

    def _word(self, name: str) -> str:
        """What the user wrote: the flag, where the value came from one, else the setting's name."""
        value, flag = self.find(name), SETTINGS[name].flag
        return flag if flag and value and value.origin == COMMAND_LINE else name

    @property
    def secrets(self) -> frozenset[str]:
        """The texts that must never be shown, as far as they are known by now.

        The values of secret settings and what was read from their files; of any setting user, password and query of a
        URL, and a value that looks like a secret.
        """
        if self._secrets is not None:
            return self._secrets
        found = set(self._more_secrets)
        for name, value in self._values.items():
            found |= secret_parts(value.text) | ({value.text} if SETTINGS[name].secret else set())
            if name.startswith("OTEL_") and SETTINGS[name].secret:
                found |= {unquote(pair.partition("=")[2].strip()) for pair in value.text.split(",")}
        self._secrets = frozenset(found - {""})
        return self._secrets

    def add_secret(self, text: str) -> None:
        """Note a secret that was found elsewhere, such as in a file that a setting names."""
        self._more_secrets.add(text)
        self._secrets = None

    def path(self, name: str, instead: str = "") -> Path:
        """A setting as the path of a file or folder, with `~` spelled out.

        ConfigError for what can be no path: a text that looks like a secret, which belongs into the setting `instead`, a
        name longer than a file may have, a `~name` of nobody.
        """
        text = self.require(name)
        if is_secret(text):
            word, move = self._word(name), f"Put it into {instead}, or name" if instead else "Name"
            raise self._error(name, f"is {described(text)}", "the name of a file", f"{move} a file in {word}.")
        if is_too_long(text):
            raise self._error(name, f"is {described(text)}", "the name of a file, which is shorter")
        try:
            return Path(text).expanduser()
        except RuntimeError:  # for ~nobody, and for ~ where there is no home folder
            raise self._error(
                name, f"is {quoted(text, LONGEST_PATH)}", "a path without ~, since that folder is not known"
            ) from None

    @property
    def api_key(self) -> str:
        """The API key; ConfigError when it is missing, a placeholder, or cannot travel in a header."""
        key = self.require(_API_KEY)
        if _PLACEHOLDER_KEY.search(key):
            raise self._placeholder(_API_KEY, self._values[_API_KEY])
        if not key.isascii() or not key.isprintable() or set(" '\"") & set(key):
            raise self.refused(_API_KEY, "one word of plain characters, without spaces, quotes or line breaks")
        return key

    @property
    def base_url(self) -> str:
        """The API's origin without a trailing slash: https, or http on loopback."""
        text = self.require("MASSIVE_BASE_URL").rstrip("/")
        wanted = "an origin such as https://api.massive.com (http only for this machine itself)"
        bare = "@" not in text and not looks_like(text)
        if (
            not is_safe_url(text)
            or not bare
            or not is_host(urlsplit(text).hostname or "")
            or urlsplit(text)._replace(scheme="", netloc="").geturl()
        ):
            raise self.refused("MASSIVE_BASE_URL", wanted)
        return text

    @property
    def plan(self) -> KeyPlan:
        """The plan that the key is said to have."""
        return cast(KeyPlan, self.choice("MASSIVE_PLAN", *get_args(KeyPlan)))

    @property
    def rate_limit_delay(self) -> float | None:
        """The minimum seconds between two calls that the user wants, or None to leave it to the pacing."""
        return self.number("RATE_LIMIT_DELAY", most=3600) if self.get("RATE_LIMIT_DELAY") is not None else None

    @property
    def warehouse(self) -> WarehouseKind:
        """Where the data goes."""
        if self.get("STOCKPIPE_WAREHOUSE") is None:
            return "snowflake" if self.get("SNOWFLAKE_ACCOUNT") else "duckdb"
        return cast(WarehouseKind, self.choice("STOCKPIPE_WAREHOUSE", *get_args(WarehouseKind)))

    @property
    def duckdb_path(self) -> Path:
        """The DuckDB file, with `~` spelled out. ConfigError for what DuckDB would not read as the path of a file."""
        text = self.require(_DUCKDB_PATH)
        if is_plain(text):
            return self.path(_DUCKDB_PATH)
        word = self._word(_DUCKDB_PATH)
        ways = " or ".join(
            f"{word}{'=' if word == _DUCKDB_PATH else ' '}{plain}"
            for plain in plain_paths(text) or ["stockpipe.duckdb"]
        )
        raise self.refused(_DUCKDB_PATH, "the plain path of a file", f"Write {ways}.")

    @property
    def state_file(self) -> Path:
        """The file that is remembered between runs: beside the DuckDB file, or in the current folder."""
        if self.get("STOCKPIPE_STATE_FILE"):
            return self.path("STOCKPIPE_STATE_FILE")
        path = self.duckdb_path
        if path.name in _FOLDERS:
            # It is refused where it is opened, and the file that is proposed then has its memory there.
            path /= "stockpipe.duckdb"
        return path.with_name(f"{path.name}.state.json") if self.warehouse == "duckdb" else Path("stockpipe.state.json")

    @property
    def load_method(self) -> str:
        """How rows get into Snowflake: copy (PUT and COPY) or insert (INSERT in batches)."""
        return self.choice("STOCKPIPE_LOAD_METHOD", "copy", "insert")

    @property
    def lets_samples_in(self) -> bool:
        """Whether sample data of a sandbox may go into Snowflake."""
        return self.choice("STOCKPIPE_SAMPLE_DATA", "true", "false") == "true"

    @property
    def batch_size(self) -> int:
        """Rows in one insert batch."""
        # The service takes at most 16,384 rows in one VALUES list.
        return int(self.number("STOCKPIPE_BATCH_SIZE", least=1, most=16_384))
