"""stockpipe init: ask for the settings, write them into .env, make a key pair."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import click

from stockpipe.base.paths import at_home
from stockpipe.cli.choices import Word
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.next_command import next_command
from stockpipe.cli.output import exit_codes
from stockpipe.cli.prompts import prompt
from stockpipe.cli.proposals import fits, in_lines
from stockpipe.cli.table import in_width
from stockpipe.errors import ConfigError, StockpipeError, UsageError
from stockpipe.settings import DEFAULT, SETTINGS, KeyPlan, Protocol, Settings, Value, WarehouseKind, load_settings
from stockpipe.setup import KeyPair, create_place, make_key_pair, write_env_file
from stockpipe.warehouse.needed import PROOFS


class _Question(NamedTuple):
    """A setting, the question for it, and the answer when nobody gives one."""

    name: str
    text: str
    default: str | None = None


_API_KEY = _Question("POLYGON_API_KEY", "Massive API key (massive.com, API keys)")
_WHERE = _Question("STOCKPIPE_WAREHOUSE", "Load into duckdb (a local file) or snowflake")
_PLACE = (
    _Question("SNOWFLAKE_ACCOUNT", "Account (myorg-myaccount, or its URL)"),
    _Question("SNOWFLAKE_USER", "User", "STOCKPIPE_SERVICE"),
    _Question("SNOWFLAKE_ROLE", "Role", "STOCKPIPE_LOADER"),
    _Question("SNOWFLAKE_WAREHOUSE", "Compute warehouse", "STOCKPIPE_WH"),
    _Question("SNOWFLAKE_DATABASE", "Database", "STOCKPIPE"),
    _Question("SNOWFLAKE_SCHEMA", "Schema", "MARKET_DATA"),
)
_FLAGS = (
    "POLYGON_API_KEY", "STOCKPIPE_WAREHOUSE", "SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_ROLE",
    "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA", "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
    "SNOWFLAKE_TOKEN", "SNOWFLAKE_PASSWORD", "SNOWFLAKE_AUTHENTICATOR", "STOCKPIPE_DUCKDB_PATH", "SNOWFLAKE_TABLE",
    "SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL", "MASSIVE_BASE_URL", "MASSIVE_PLAN",
)  # fmt: skip
_WORDS = {
    "STOCKPIPE_WAREHOUSE": get_args(WarehouseKind),
    "SNOWFLAKE_PROTOCOL": get_args(Protocol),
    "MASSIVE_PLAN": get_args(KeyPlan),
}
_KEYS = ("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY")
_SCRIPT = "for your administrator: it creates role, warehouse, database, and the user"
_NAMES = ("SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA", "SNOWFLAKE_TABLE")
_ANSWER, _NEW_KEY = "your answer", "the new key pair"


def _setting_flags(function: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(_FLAGS):
        setting = SETTINGS[name]
        kind = Word(_WORDS[name]) if name in _WORDS else None
        metavar = None if kind else "PATH" if name.endswith("_PATH") else "NUMBER" if name.endswith("_PORT") else "TEXT"
        text = f"{name}: {setting.meaning}."
        function = click.option(f"{setting.flag}", name, type=kind, metavar=metavar, help=text)(function)
    return function


@click.command()
@click.option("--no-input", is_flag=True, help="Ask nothing: take flags, the environment and defaults.")
@click.option("--generate-key", metavar="FILE", help="Make a key pair; the encrypted private key goes to FILE.")
@click.option("--create", is_flag=True, help="Also make the database and the schema in Snowflake.")
@click.option("--env-file", type=click.Path(path_type=Path), default=Path(".env"), show_default=True)
@_setting_flags
def init(no_input: bool, generate_key: str | None, create: bool, env_file: Path, **flags: str | None) -> None:
    """Ask for the settings and write them into .env, readable only by you. An existing .env is never overwritten.

    Every setting may also come from the environment, which is the better place for a secret than the command line.

    \b
    stockpipe init                                       asks
    stockpipe init --no-input --warehouse duckdb         key: POLYGON_API_KEY
    stockpipe init --no-input --account myorg-myaccount --generate-key key.p8
    stockpipe init --create                              database and schema
    """
    with exit_codes():
        if env_file.exists() and create:
            _create(load_settings(env_file=env_file))
            return
        if env_file.exists():
            raise ConfigError(
                f"{env_file} exists already, and was not changed.", hint="Edit it, or name another with --env-file."
            )
        given = load_settings(flags, env_file=Path(os.devnull))
        interview = _Interview(given, asks=not no_input)
        with interview.told_of_answers():
            values, key = interview.hold(generate_key)
        write_env_file(env_file, values)
        _tell(env_file, values, key)
        if create and key is None:
            _create(load_settings(env_file=env_file))


class _Interview:
    """Collects the settings: what is given, else what is asked, else the default; what is left is missing."""

    def __init__(self, given: Settings, *, asks: bool) -> None:
        self._given = given
        self._asks = asks
        self._values: dict[str, Value] = {}
        self._missing: list[str] = []

    def hold(self, new_key: str | None) -> tuple[dict[str, str], KeyPair | None]:
        """The settings by name, and the key pair that was made. ConfigError names all that is missing."""
        self._ask(_API_KEY)
        self._ask(_WHERE._replace(default=self._given.warehouse))
        self._keep_given()
        snowflake = self._values["STOCKPIPE_WAREHOUSE"].text.lower() == "snowflake"
        if snowflake:
            for question in _PLACE:
                self._ask(question)
            new_key = new_key or self._proof()
        if self._missing:
            raise ConfigError(
                f"--no-input, and nothing says: {', '.join(self._missing)}.",
                hint="Give them as flags, or in the environment.",
            )
        # First all that needs no key: a key whose passphrase is written nowhere would be lost.
        settings = _checked(self._values)
        if not snowflake:
            return self._texts, None
        from stockpipe.warehouse.snowflake.session import session_plan

        key = self._made_key(new_key) if new_key else None
        session_plan(_checked(self._values) if key else settings)
        return self._texts, key

    @contextlib.contextmanager
    def told_of_answers(self) -> Iterator[None]:
        """Let an error about an answer say to give another one: the setting stands nowhere yet where it could be corrected."""
        try:
            yield
        except StockpipeError as error:
            for name, value in self._values.items():
                if value.origin == _ANSWER:
                    again = "Nothing was written: run stockpipe init again and give another answer"
                    error.hint = error.hint.replace(f"Correct {name}", again)
            raise

    @property
    def _texts(self) -> dict[str, str]:
        """The values as `.env` gets them: a path means the same file from any folder."""
        texts = {name: value.text for name, value in self._values.items()}
        if path := texts.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
            texts["SNOWFLAKE_PRIVATE_KEY_PATH"] = _from_anywhere(path)
        return texts

    def _ask(self, question: _Question) -> None:
        found = self._given.find(question.name)
        if found is not None and found.origin != DEFAULT:
            self._values[question.name] = found
        elif self._asks:
            self._values[question.name] = Value(_prompt(question), _ANSWER)
        elif question.default is not None:
            self._values[question.name] = Value(question.default, "what init proposes")
        else:
            self._missing.append(f"{question.name} ({SETTINGS[question.name].flag})")

    def _keep_given(self) -> None:
        """What nobody is asked for, where it is given."""
        asked = {_API_KEY.name, _WHERE.name, *(question.name for question in _PLACE)}
        for name in SETTINGS:
            found = self._given.find(name)
            own = found is not None and found.origin != DEFAULT and not found.origin.startswith("connection ")
            if found is not None and own and name not in asked:
                self._values[name] = found

    def _proof(self) -> str | None:
        """Ask how to sign in where nothing says it; returns the file for a new key."""
        if any(self._given.get(name) for name in PROOFS):
            return None
        if not self._asks:
            self._missing.append("a way to sign in (--generate-key, --private-key-path, --token or --password)")
            return None
        ways = click.Choice(["key", "token", "password"])
        way = _asked("Sign in with a key pair, a token, or a password (trial accounts only)", type=ways, default="key")
        if way != "key":
            name = f"SNOWFLAKE_{way.upper()}"
            self._values[name] = Value(_asked(SETTINGS[name].meaning.capitalize(), hide_input=True), _ANSWER)
            return None
        path: str = _asked("File of the private key; a new pair is made when there is none", default="stockpipe.p8")
        if not at_home(path, "SNOWFLAKE_PRIVATE_KEY_PATH").exists():
            return path
        self._values["SNOWFLAKE_PRIVATE_KEY_PATH"] = Value(path, _ANSWER)
        if passphrase := _asked("Its passphrase (Enter for none)", hide_input=True, default="", show_default=False):
            self._values["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] = Value(passphrase, _ANSWER)
        return None

    def _made_key(self, path: str) -> KeyPair:
        given = self._values.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
        key = make_key_pair(at_home(path, "SNOWFLAKE_PRIVATE_KEY_PATH"), given.text if given else None)
        self._values["SNOWFLAKE_PRIVATE_KEY_PATH"] = Value(path, _NEW_KEY)
        self._values["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] = Value(key.passphrase, _NEW_KEY)
        return key


def _prompt(question: _Question) -> str:
    """An answer that can be used; a wrong one is asked for again."""
    again = "Answer again; a name of another form needs double quotes." if question.name in _NAMES else "Answer again."

    def usable(text: str) -> str:
        if not text.strip():
            raise click.UsageError("The answer is empty. Answer again.")
        try:
            _checked({question.name: Value(text.strip(), _ANSWER)})
        except StockpipeError as error:
            # The hint is about settings that stand somewhere, and the place that this one is from is here.
            raise click.UsageError(f"{error.message.replace(f' (from {_ANSWER})', '')} {again}") from error
        return text.strip()

    text: str = _asked(
        question.text, default=question.default, hide_input=SETTINGS[question.name].secret, value_proc=usable
    )
    return text


def _from_anywhere(path: str) -> str:
    """A path that means the same file from any folder, as a scheduler has one of its own; `~` does so as it is."""
    return path if path.startswith("~") else str(Path(path).absolute())


def _asked(text: str, **how: Any) -> Any:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("There is no terminal at which init could ask.", hint="Use --no-input with flags.")
    return prompt(text, hint="Use --no-input with flags.", **how)


def _checked(values: Mapping[str, Value]) -> Settings:
    """The values as settings; ConfigError for one that a run would refuse."""
    from stockpipe.warehouse import sql
    from stockpipe.warehouse.snowflake.account import account_arguments, user_name

    texts = {name: value.text for name, value in values.items()}
    settings = load_settings(texts, env={}, env_file=Path(os.devnull))
    settings = settings.said_by({name: value.origin for name, value in values.items()})
    _ = settings.base_url, settings.plan, settings.warehouse
    if "POLYGON_API_KEY" in values:
        _ = settings.api_key
    if "SNOWFLAKE_ACCOUNT" in values:
        account_arguments(settings)
    if "SNOWFLAKE_USER" in values:
        user_name(settings)
    for name in _NAMES:
        if name in values:
            sql.identifier(texts[name], name)
    return settings


def _tell(env_file: Path, values: dict[str, str], key: KeyPair | None) -> None:
    click.echo(f"Wrote {env_file}, readable only by you: {', '.join(values)}", err=True)
    if key:
        click.echo(f"Created {key.path}: an encrypted private key; its passphrase is in {env_file}.", err=True)
        click.echo("For a user that exists already, an administrator runs this:", err=True)
        click.echo(key.alter_user(values["SNOWFLAKE_USER"]))
    snowflake = values["STOCKPIPE_WAREHOUSE"].lower() == "snowflake"
    script = f"{_SCRIPT} with its key" if any(name in values for name in _KEYS) else _SCRIPT
    steps = {f"{next_command('schema --grants')} > grants.sql": script} if snowflake else {}
    steps |= {next_command("doctor"): "checks all of it and changes nothing", next_command("run"): "loads today's list"}
    width = max(map(len, steps))
    lines = [f"  {step:<{width}}    {what}" for step, what in steps.items()]
    if not all(map(fits, lines)):
        lines = [f"{in_lines(step, '  ')}\n{in_width(f'      {what}', 6)}" for step, what in steps.items()]
    click.echo("Next:\n" + "\n".join(lines), err=True)


def _create(settings: Settings) -> None:
    if settings.warehouse != "snowflake":
        raise UsageError("--create makes a database in Snowflake.", hint="A DuckDB file is made by the first run.")
    configure_logging(settings)
    for statement in create_place(settings):
        click.echo(f"Done: {statement}", err=True)
