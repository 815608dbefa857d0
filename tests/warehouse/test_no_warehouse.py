"""A compute warehouse that is missing or misspelt is told before the first call to the API."""

from __future__ import annotations

import pytest
import snowflake.connector

import stockpipe
from conftest import Serve, flags, many
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import TICKERS
from stockpipe.errors import WarehouseError
from stockpipe.models import views
from stockpipe.settings import load_settings
from stockpipe.warehouse.snowflake import session
from stockpipe.warehouse.snowflake.warehouse import SnowflakeWarehouse


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            "NOPE",
            "The warehouse NOPE does not exist, or the role LOADER_ROLE may not use it.",
            "Correct SNOWFLAKE_WAREHOUSE, or have it granted: GRANT USAGE ON WAREHOUSE NOPE TO ROLE LOADER_ROLE;",
        ),
        (
            "",
            "SNOWFLAKE_WAREHOUSE is not set, and the user has no default warehouse: nothing could be published.",
            "Set SNOWFLAKE_WAREHOUSE to a compute warehouse that LOADER_ROLE may use.",
        ),
    ],
)
def test_nothing_is_fetched_for_a_warehouse_that_is_not_there(
    serve: Serve, gate: SnowflakeGate, given: str, message: str, hint: str
) -> None:
    sandbox = serve(many(3))
    with pytest.raises(WarehouseError) as error:
        stockpipe.load(settings=flags(sandbox) | gate.env(SNOWFLAKE_WAREHOUSE=given))
    assert (error.value.message, error.value.hint, error.value.exit_code) == (message, hint, 6)
    assert list(sandbox.calls) == []
    assert [sql for sql in gate.statements() if sql.startswith("CREATE")] == []


def test_connector_5_repeats_what_it_was_given_so_the_service_is_asked(
    serve: Serve, gate: SnowflakeGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(flags(serve(many(3))) | gate.env(), env={})
    warehouse = SnowflakeWarehouse(settings)
    monkeypatch.setattr(snowflake.connector, "__version__", "5.2.0")
    # Only the question is under test: the arguments stay those of the connector that is installed.
    monkeypatch.setattr(session, "_in_the_words_of", lambda _, arguments: {**arguments, "network_timeout": 60})
    warehouse.prepare(TICKERS, views)
    assert gate.statements()[0] == "SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()"
    warehouse.close()
