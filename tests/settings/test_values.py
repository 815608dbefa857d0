"""Values as people and container tools write them: paths that DuckDB reads in another way, quotes, a key led away."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from conftest import Serve, command, flags, many
from stockpipe.errors import ConfigError, UsageError
from stockpipe.settings import SETTINGS, load_settings
from stockpipe.warehouse.names import as_written
from stockpipe.warehouse.sql import identifier

# F3: what DuckDB opens is what we look at


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("duckdb:///data/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=/data/day.duckdb or STOCKPIPE_DUCKDB_PATH=data/day.duckdb."),
        ("duckdb:////data/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=/data/day.duckdb."),
        ("duckdb:day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=day.duckdb."),
        ("duckdb:/data/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=/data/day.duckdb."),
        ("DuckDB:///day.duckdb?access_mode=x", "Write STOCKPIPE_DUCKDB_PATH=/day.duckdb or STOCKPIPE_DUCKDB_PATH=day.duckdb."),
        ("file:///data/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=/data/day.duckdb or STOCKPIPE_DUCKDB_PATH=data/day.duckdb."),
        (":memory:", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        (":memory:day", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        (":default:", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("md:", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("md:stocks", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("motherduck:stocks", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("sqlite:///day.db", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("sqlite:day.db", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("postgres:dbname=x", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("s3://bucket/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("https://x.example/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("what?/day.duckdb", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("day.duckdb?access_mode=READ_ONLY", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("under_score:x.db", "Write STOCKPIPE_DUCKDB_PATH=stockpipe.duckdb."),
        ("~nobody-here/x.db", "Correct STOCKPIPE_DUCKDB_PATH."),
        ("x" * 256, "Correct STOCKPIPE_DUCKDB_PATH."),
    ],
)  # fmt: skip
def test_what_duckdb_would_not_read_as_a_file_is_refused_with_the_plain_path(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="STOCKPIPE_DUCKDB_PATH is ") as raised:
        _ = load_settings(env={"STOCKPIPE_DUCKDB_PATH": text}).duckdb_path
    assert (raised.value.hint, raised.value.exit_code) == (hint, 3)


def test_a_wrong_path_on_the_command_line_is_a_wrong_command() -> None:
    with pytest.raises(UsageError, match=r"--duckdb-path is 'duckdb:///day\.duckdb'") as raised:
        _ = load_settings({"STOCKPIPE_DUCKDB_PATH": "duckdb:///day.duckdb"}, env={}).duckdb_path
    assert raised.value.hint == "Write --duckdb-path /day.duckdb or --duckdb-path day.duckdb."


@pytest.mark.parametrize(
    "text",
    ["day.duckdb", "./a:b.db", "o'clock.db", 'quo"te.db', "sp ace.db", "ünïcode.db", "a=b;c.db", "50%.db", "#1.db", "*.db",
     "[x].db", "{x}.db", "day.csv", "day.parquet", "a&b.db", "@user.db"],
)  # fmt: skip
def test_what_is_taken_is_the_file_that_duckdb_opens(text: str) -> None:
    path = load_settings(env={"STOCKPIPE_DUCKDB_PATH": text}).duckdb_path
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE x AS SELECT 1")
    assert path.is_file()
    assert [found.name for found in Path().iterdir() if found.is_file()] == [path.name]


@pytest.mark.parametrize("name", ["STOCKPIPE_STATE_FILE", "STOCKPIPE_DUCKDB_PATH"])
def test_the_folder_of_nobody_is_refused_before_the_first_call(serve: Serve, name: str) -> None:
    sandbox = serve(many(3))
    done = command("run", env=flags(sandbox) | {name: "~nobody-here/x.db"})
    assert (done.returncode, sandbox.calls) == (3, [])
    says = f"{name} is '~nobody-here/x.db' (from the environment): it must be a path without ~, since that folder is not known."
    assert says in done.stderr


def test_a_url_form_is_refused_before_the_first_call(serve: Serve) -> None:
    sandbox = serve(many(3))
    env = flags(sandbox) | {"STOCKPIPE_DUCKDB_PATH": "duckdb:///stocks/day.duckdb"}
    codes = {name: command(name, env=env).returncode for name in ("run", "status", "runs", "doctor")}
    assert (codes, sandbox.calls[1:]) == ({"run": 3, "status": 3, "runs": 3, "doctor": 3}, [])


# F15: quotes that a container tool hands over


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("name", [
    *(name for name, setting in SETTINGS.items() if setting.secret), "MASSIVE_API_KEY", "MASSIVE_BASE_URL", "SNOWFLAKE_USER", "MASSIVE_PLAN",
])  # fmt: skip
def test_quotes_around_a_value_are_taken_off_and_named(name: str, quote: str) -> None:
    settings = load_settings(env={name: f"{quote}value-of-it{quote}"})
    assert settings.get({"MASSIVE_API_KEY": "POLYGON_API_KEY"}.get(name, name)) == "value-of-it"
    assert settings.warnings == (
        f"{name} (from the environment) has quotes around its value, which were taken off: they belong to a shell or a "
        ".env file. A value that has quotes of its own needs them twice.",
    )


def test_quotes_of_a_value_itself_are_written_twice() -> None:
    assert load_settings(env={"SNOWFLAKE_PASSWORD": "\"'x'\""}).get("SNOWFLAKE_PASSWORD") == "'x'"


@pytest.mark.parametrize("text", ['""', "''", '"', "'a\"", 'a"b"'])
def test_other_quotes_stay(text: str) -> None:
    settings = load_settings(env={"SNOWFLAKE_PASSWORD": text})
    assert (settings.get("SNOWFLAKE_PASSWORD"), settings.warnings) == (text, ())


def test_double_quotes_of_a_name_stay() -> None:
    names = [f"SNOWFLAKE_{kind}" for kind in ("ROLE", "WAREHOUSE", "DATABASE", "SCHEMA", "TABLE")]
    settings = load_settings(env=dict.fromkeys(names, '"my name"'))
    assert ([settings.get(name) for name in names], settings.warnings) == (['"my name"'] * 5, ())


def test_a_key_in_quotes_loads_and_is_named_by_run_and_doctor(serve: Serve) -> None:
    env = flags(serve(many(3), key="a-test-key"), POLYGON_API_KEY='"a-test-key"')
    run, doctor = command("run", env=env), command("doctor", env=env)
    assert (run.returncode, doctor.returncode) == (0, 0)
    says = "POLYGON_API_KEY (from the environment) has quotes around its value, which were taken off"
    assert (f"Warning: {says}" in run.stderr, f"WARN  settings    {says}" in doctor.stdout) == (True, True)


@pytest.mark.parametrize("key", ['"a-test-key', "a-test-key'", 'a"test"key'])
def test_a_key_with_one_quote_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=r"POLYGON_API_KEY .* without spaces, quotes or line breaks") as raised:
        _ = load_settings(env={"POLYGON_API_KEY": key}).api_key
    assert "a-test-key" not in str(raised.value)


# R16: a key that goes where another place says


def test_a_key_that_another_place_sends_somewhere_is_warned_about_once(serve: Serve) -> None:
    sandbox = serve(many(3))
    env = flags(sandbox)
    Path(".env").write_text(f"MASSIVE_BASE_URL={env.pop('MASSIVE_BASE_URL')}\n")
    done = command("run", env=env)
    says = f"Warning: The API key (from the environment) goes to {sandbox.url}, because .env has MASSIVE_BASE_URL."
    assert (done.returncode, done.stderr.count(says)) == (0, 1)
    assert says.removeprefix("Warning: ") in command("doctor", env=env).stdout


@pytest.mark.parametrize(
    ("env", "dotenv", "flags"),
    [
        ({"POLYGON_API_KEY": "k", "MASSIVE_BASE_URL": "https://x.example"}, "", {}),
        ({"MASSIVE_API_KEY": "k", "MASSIVE_BASE_URL": "https://x.example"}, "", {}),
        ({}, "POLYGON_API_KEY=k\nMASSIVE_BASE_URL=https://x.example\n", {}),
        ({"POLYGON_API_KEY": "k"}, "MASSIVE_BASE_URL=https://api.massive.com/\n", {}),
        ({"POLYGON_API_KEY": "k"}, "", {}),
        ({}, "MASSIVE_BASE_URL=https://x.example\n", {}),
        ({"POLYGON_API_KEY": "k"}, "", {"MASSIVE_BASE_URL": "https://x.example"}),
    ],
)
def test_a_key_that_goes_where_its_own_place_says_is_not(
    env: dict[str, str], dotenv: str, flags: dict[str, str | None]
) -> None:
    Path(".env").write_text(dotenv)
    Path(".env").chmod(0o600)
    assert load_settings(flags, env=env).warnings == ()


# F14: names


def test_the_hint_for_a_name_can_be_pasted_into_env() -> None:
    Path(".env").write_text('SNOWFLAKE_TABLE="my table"\n')
    with pytest.raises(ConfigError, match="SNOWFLAKE_TABLE is 'my table'") as raised:
        identifier(load_settings(env={}).require("SNOWFLAKE_TABLE"), "SNOWFLAKE_TABLE")
    line = raised.value.hint.rpartition(": ")[2].rstrip(".")
    assert line == "SNOWFLAKE_TABLE='\"my table\"'"
    Path(".env").write_text(line + "\n")
    assert identifier(load_settings(env={}).require("SNOWFLAKE_TABLE"), "SNOWFLAKE_TABLE") == '"my table"'


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("TICKERS", "TICKERS"), ("T_1$", "T_1$"), ("my table", '"my table"'), ("tickers", '"tickers"'), ('a"b', '"a""b"'),
        ("ORDER", '"ORDER"'), ("TABLE", '"TABLE"'), ("PIVOT", '"PIVOT"'), ("1T", '"1T"'), ("", '""'),
    ],
)  # fmt: skip
def test_a_name_as_a_statement_takes_it(name: str, written: str) -> None:
    assert as_written(name) == written


def test_every_reserved_word_of_duckdb_is_written_in_quotes() -> None:
    with duckdb.connect() as connection:
        words = connection.execute(
            "SELECT upper(keyword_name) FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        )
        assert [word for (word,) in words.fetchall() if as_written(word) == word] == []


@pytest.mark.parametrize("text", ["your_snowflake_username", "YOUR-user", "***", "...", "…", "<user>", "[user]", "changeme", "change_me"])  # fmt: skip
@pytest.mark.parametrize("name", ["SNOWFLAKE_USER", "SNOWFLAKE_PASSWORD", "POLYGON_API_KEY", "SNOWFLAKE_DATABASE"])
def test_a_placeholder_of_any_setting_is_known_as_one(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_settings(env={name: text}).require(name)
    assert error.value.message == f"{name} (from the environment) still holds the placeholder of the example."


@pytest.mark.parametrize("text", ["yourself", "me@your-company.com", "a***b", "1...", "..", ".", "A<B", "TICKERS"])
def test_what_only_looks_a_little_like_one_is_a_value(text: str) -> None:
    assert load_settings(env={"SNOWFLAKE_USER": text}).get("SNOWFLAKE_USER") == text


def example_file() -> str:
    return (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")


def test_the_example_file_with_a_key_loads_a_duckdb_file() -> None:
    Path(".env").write_text(example_file().replace("your_massive_api_key_here", "abcdefghijklmnop"), encoding="utf-8")
    found = load_settings(env={})
    assert (found.warehouse, found.api_key) == ("duckdb", "abcdefghijklmnop")


def test_each_placeholder_in_the_example_file_is_refused() -> None:
    Path(".env").write_text(re.sub("(?m)^# (?=[A-Z_]+=)", "", example_file()), encoding="utf-8")
    found, refused = load_settings(env={}), set()
    for name in SETTINGS:
        with suppress(ConfigError):
            found.get(name)
            continue
        refused.add(name)
    assert refused == {
        "POLYGON_API_KEY", "SNOWFLAKE_ACCOUNT", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "STOCKPIPE_PING_URL", "STOCKPIPE_WEBHOOK_URL",
    }  # fmt: skip
