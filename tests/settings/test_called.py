"""The settings of a call from Python: a number keeps its digits, and a whole environment may be handed over."""

from __future__ import annotations

import pytest

from stockpipe.base.calls import number
from stockpipe.errors import UsageError
from stockpipe.settings.called import settings_of_call


@pytest.mark.parametrize(
    ("given", "text"),
    [(12345678, "12345678"), (5, "5"), (5.0, "5"), (0.25, "0.25"), (1234567.5, "1234567.5"), (True, "true"), ("07", "07")],
)  # fmt: skip
def test_a_number_keeps_every_digit(given: object, text: str) -> None:
    assert settings_of_call({"SNOWFLAKE_PASSWORD": given}, {}, None).get("SNOWFLAKE_PASSWORD") == text


def test_so_does_an_argument() -> None:
    assert (number("deadline", 1234567), number("deadline", 1234567.0)) == ("1234567", "1234567")


def test_a_whole_environment_may_be_handed_over() -> None:
    others = {
        "SNOWFLAKE_CONNECTIONS_DEV_ACCOUNT": "x",
        "SNOWFLAKE_CLI_ENABLED": "1",
        "POLYGON_RPC_URL": "x",
        "PATH": "/bin",
    }
    found = settings_of_call({**others, "STOCKPIPE_MAX_LOSS": "3"}, {}, None)
    assert (found.get("STOCKPIPE_MAX_LOSS"), found.get("SNOWFLAKE_ACCOUNT")) == ("3", None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SNOWFLAKE_ACOUNT", "Did you mean SNOWFLAKE_ACCOUNT?"),
        ("POLYGON_APIKEY", "Did you mean POLYGON_API_KEY?"),
        ("STOCKPIPE_TABLE", "Did you mean SNOWFLAKE_TABLE?"),
        ("stockpipe_max_loss", "Did you mean STOCKPIPE_MAX_LOSS?"),
        ("STOCKPIPE_COLOUR", "stockpipe config --all lists the settings."),
    ],
)
def test_a_name_that_was_meant_for_us_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="which is no setting") as raised:
        settings_of_call({name: "3"}, {}, None)
    assert raised.value.hint == hint
