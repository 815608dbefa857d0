"""What `stockpipe query` says on Snowflake of times that were cut, and of statements that are mistyped."""

from __future__ import annotations

from contextlib import closing

import pytest

import stockpipe
from conftest import Serve, command, flags, many
from snowflake_gate import SnowflakeGate
from stockpipe.errors import UsageError
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.reading import ask
from stockpipe.warehouse.snowflake.refusals import is_mistaken


def test_times_that_the_connector_may_have_cut_are_named(serve: Serve, gate: SnowflakeGate) -> None:
    settings = flags(serve(many(3))) | gate.env()
    stockpipe.load(settings=settings)
    done = command("query", "SELECT TICKER, LAST_UPDATED_UTC FROM TICKERS", "--format", "csv", env=settings)
    told = (
        "Note: Snowflake's connector cuts times to microseconds: LAST_UPDATED_UTC. TO_VARCHAR(...) shows every digit."
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, told)
    whole = command(
        "query", "SELECT TICKER, DS, TO_VARCHAR(LAST_UPDATED_UTC) AS T FROM TICKERS", "--json", env=settings
    )
    assert (whole.returncode, "Note" in whole.stderr, '"ticker": "T00000"' in whole.stdout) == (0, False, True)


def test_python_is_told_too(serve: Serve, gate: SnowflakeGate, caplog: pytest.LogCaptureFixture) -> None:
    settings = flags(serve(many(1))) | gate.env()
    stockpipe.load(settings=settings)
    caplog.clear()
    with stockpipe.open(settings=settings) as desk:
        desk.query("SELECT TICKER, DS FROM TICKERS")
        assert not [message for message in caplog.messages if "cuts times" in message]
        desk.universe()
    [told] = [message for message in caplog.messages if "cuts times" in message]
    assert told.startswith("Snowflake's connector cuts times to microseconds: LAST_UPDATED_UTC, DELISTED_UTC.")


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT NONE FROM TICKERS", "SELECT * FROM TICKRS", "DROP TABLE TICKERS"])
def test_a_mistyped_statement_is_usage_here_too(gate: SnowflakeGate, sql: str) -> None:
    with closing(open_warehouse(load_settings(gate.env(), env={}))) as warehouse, pytest.raises(UsageError) as error:
        ask(warehouse, sql)
    assert error.value.exit_code == 2


def test_whose_fault_a_refusal_is() -> None:
    statement = [(1003, "42000"), (904, "42000"), (2003, "02000"), (2003, "42S02"), (100038, "22018"), (2, "0A000")]
    other = [(606, "57P03"), (3001, "42501"), (250003, "08001"), (604, "57014"), (None, None), (603, "XX000")]
    assert [is_mistaken(*one) for one in statement] == [True] * 6
    assert [is_mistaken(*one) for one in other] == [False] * 6
