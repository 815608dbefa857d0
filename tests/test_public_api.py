"""What a user's script imports: the names are there, they are all of them, and each is what its name says."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import typing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import stockpipe
from conftest import Serve, flags, many
from stockpipe import errors
from stockpipe.base.calls import day, python_words
from stockpipe.cli.backfill import backfill
from stockpipe.cli.run import run

EXPECTED = {
    "AccessError", "Answer", "ApiError", "BackfillResult", "ConfigError", "DataCheckError", "Interrupted", "LoadResult", "Reader",
    "RunRecord", "RunResult", "StockpipeError", "UsageError", "WarehouseError", "__version__", "backfill", "errors", "load", "open",
}  # fmt: skip


def test_the_public_names_are_exact() -> None:
    assert set(stockpipe.__all__) == EXPECTED
    assert all(hasattr(stockpipe, name) for name in EXPECTED)
    # The branches of the error tree; what lies below them is ours.
    branches = {kind.__name__ for kind in errors.StockpipeError.__subclasses__()}
    assert branches | {"StockpipeError"} == {
        name for name in EXPECTED if name.endswith("Error") or name == "Interrupted"
    }


def test_load_is_a_function_whatever_was_imported() -> None:
    for module in pkgutil.walk_packages(stockpipe.__path__, "stockpipe."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert callable(stockpipe.load)
    assert (
        typing.get_type_hints(stockpipe.load, None, {"LoadResult": stockpipe.LoadResult})["return"]
        is stockpipe.LoadResult
    )


def test_every_option_of_load_is_named_and_typed() -> None:
    """Those of `stockpipe run` that are not about the terminal, by the same names, and nothing that takes anything."""
    hints = typing.get_type_hints(stockpipe.load, None, {"LoadResult": stockpipe.LoadResult})
    of_the_terminal = {"as_json", "log_file", "log_format", "verbose", "quiet"}
    options = {option.name for option in run.params} - of_the_terminal
    assert options - {"datasets"} == set(hints) - {"dataset", "date", "settings", "return"}
    assert typing.Any not in hints.values()


def test_every_option_of_backfill_is_named_and_typed() -> None:
    """As those of `load`; `from` is a word of Python's own, and nobody is asked."""
    hints = typing.get_type_hints(stockpipe.backfill, None, {"BackfillResult": stockpipe.BackfillResult})
    of_the_terminal = {"as_json", "log_file", "log_format", "verbose", "quiet", "yes"}
    options = {option.name for option in backfill.params} - of_the_terminal
    assert options - {"datasets"} == set(hints) - {"dataset", "settings", "return"}
    assert typing.Any not in hints.values()


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("stockpipe", ("duckdb", "click", "httpcore2", "msgspec")),
        (
            "stockpipe.cli.config, stockpipe.cli.query, stockpipe.cli.schema, stockpipe.cli.status",
            ("duckdb", "httpcore2"),
        ),
    ],
)
def test_importing_it_imports_nothing_heavy(modules: str, heavy: tuple[str, ...]) -> None:
    """Half a second before the first word of a command that only reads."""
    code = f"import {modules}, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_day_is_loaded_with_every_kind_of_argument(serve: Serve) -> None:
    Path("prod.env").write_text("STOCKPIPE_MAX_LOSS=7\n")
    settings = flags(serve(many(3)))
    result = stockpipe.load(
        date=date(2026, 2, 6),
        active=True,
        env_file="prod.env",
        duckdb_path=Path("days.duckdb"),
        metrics_file="run.prom",
        deadline=60,
        settings=settings,
    )
    assert (result.rows, result.target) == (3, "DuckDB file days.duckdb")
    assert "stockpipe_rows" in Path("run.prom").read_text()
    document = result.as_dict()
    assert (document["status"], document["records"][0]["ds"]) == ("published", "2026-02-06")
    assert stockpipe.load(on="2026-02-06", settings=settings, duckdb_path="days.duckdb").as_dict()["rows"] == 3
    assert stockpipe.RunResult is stockpipe.LoadResult


@pytest.mark.parametrize(
    ("how", "message", "hint"),
    [
        ({"dry_run": "yes"}, "dry_run is 'yes'.", "It must be True or False."),
        ({"force": 1}, "force is 1.", "It must be True or False."),
        ({"sample_data": None}, "sample_data is None.", "It must be True or False."),
        ({"active": "all"}, "active is 'all', which tickers does not know.", "Choose from: true, false, both."),
        ({"market": 5}, "market is 5.", "It must be a text."),
        ({"dataset": None}, "dataset is None.", "It must be a text."),
        ({"dataset": "prices"}, "There is no dataset 'prices'.", ""),
        ({"date": "yesterday"}, "'yesterday' is not a date.", "Write it as YYYY-MM-DD, such as 2026-02-07."),
        ({"on": 20260206}, "on is 20260206.", "It must be a date, or a text such as 2026-02-07."),
        ({"date": "2026-02-06", "on": "2026-02-06"}, "date and on both name the day.", "Give one of them."),
        ({"env_file": 3}, "env_file is 3.", "It must be the name of a file."),
        ({"env_file": ""}, "env_file is ''.", "It must be the name of a file."),
        ({"deadline": "soon"}, "deadline is 'soon'.", "It must be a number."),
        ({"deadline": True}, "deadline is True.", "It must be a number."),
        ({"settings": {"STOCKPIPE_MAXLOSS": "3"}}, "settings names 'STOCKPIPE_MAXLOSS', which is no setting.", "Did you mean STOCKPIPE_MAX_LOSS?"),
        ({"settings": {"STOCKPIPE_MAX_LOSS": [3]}}, "settings['STOCKPIPE_MAX_LOSS'] is a list.", "A setting is a text, such as '5'."),
    ],
)  # fmt: skip
def test_an_argument_that_makes_no_sense_is_named(how: dict[str, typing.Any], message: str, hint: str) -> None:
    with pytest.raises((errors.UsageError, errors.ConfigError)) as raised:
        stockpipe.load(**how)
    assert raised.value.message.startswith(message)
    assert hint in raised.value.hint
    assert "--" not in str(raised.value)


def test_an_argument_that_does_not_exist_is_an_error_in_pythons_own_words() -> None:
    with pytest.raises(TypeError, match=r"load\(\) got an unexpected keyword argument 'dryrun'"):
        stockpipe.load(dryrun=True)  # type: ignore[call-arg]


def test_messages_are_in_pythons_words() -> None:
    with pytest.raises(errors.ConfigError, match="Correct env_file, or leave it out") as raised:
        stockpipe.load(env_file="nowhere.env")
    assert "--" not in str(raised.value)


@pytest.mark.parametrize("call", [stockpipe.load, stockpipe.open])
def test_a_setting_is_called_by_the_argument_that_it_was_given_with(call: typing.Callable[..., object]) -> None:
    with pytest.raises(errors.ConfigError, match=r"Correct connection, or set SNOWFLAKE_HOME\."):
        call(warehouse="snowflake", connection="nope")
    with pytest.raises(errors.ConfigError, match=r"Correct SNOWFLAKE_DEFAULT_CONNECTION_NAME, or set"):
        call(warehouse="snowflake", settings={"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "nope"})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("If it is right, run again with --force: it is recorded.", "If it is right, run again with force=True: it is recorded."),
        ("Name another file (--duckdb-path), or add --sample-data.", "Name another file (duckdb_path), or add sample_data=True."),
        ("stockpipe schema --grants prints the script.", "stockpipe schema --grants prints the script."),
        ("Load a day first: stockpipe run, or stockpipe demo.", "Load a day first: stockpipe.load(), or stockpipe demo."),
        ("Load it: stockpipe run --dataset splits.", 'Load it: stockpipe.load(dataset="splits").'),
        ("Or stockpipe run --force --market otc --active both now.", 'Or stockpipe.load(force=True, market="otc", active="both") now.'),
        ("stockpipe backfill --from 2026-02-06 does.", 'stockpipe.backfill(start="2026-02-06") does.'),
        ("stockpipe runs lists them.", "stockpipe runs lists them."),
        ("Nothing to change - here.", "Nothing to change - here."),
    ],
)  # fmt: skip
def test_options_become_arguments_and_commands_calls(said: str, meant: str) -> None:
    assert python_words(said) == meant


def test_a_day_is_never_guessed() -> None:
    """A moment is on two days at once, depending on where; pandas and its like write a day as midnight without a zone."""
    assert day("date", datetime(2026, 2, 6)) == date(2026, 2, 6)  # noqa: DTZ001
    for moment in (datetime(2026, 2, 6, 1), datetime(2026, 2, 6, tzinfo=UTC)):  # noqa: DTZ001
        with pytest.raises(errors.UsageError, match="is the moment"):
            day("date", moment)
    with pytest.raises(errors.UsageError, match="is not a date"):
        day("date", "20260206")
