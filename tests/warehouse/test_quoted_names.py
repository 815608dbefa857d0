"""Quoted names: what they are called, and where they stand."""

from __future__ import annotations

import pytest

from stockpipe.base.text import in_quotes
from stockpipe.datasets import TICKERS
from stockpipe.models import all_views
from stockpipe.warehouse.names import as_written, bare, place
from stockpipe.warehouse.sql import Table


@pytest.mark.parametrize(
    ("quoted", "name", "before"),
    [
        ('"TICKERS"', "TICKERS", ""),
        ('"DB"."S"."TICKERS"', "TICKERS", '"DB"."S".'),
        ('"my ""own"" table"', 'my "own" table', ""),
        ('"ends in """', 'ends in "', ""),
        ('"""begins"', '"begins', ""),
        ('"a.b"."c.d"', "c.d", '"a.b".'),
        ('"a"".""b"."c"', "c", '"a"".""b".'),
        ('"lower case"', "lower case", ""),
    ],
)
def test_a_quoted_name_is_taken_apart(quoted: str, name: str, before: str) -> None:
    assert (bare(quoted), place(quoted)) == (name, before)
    assert f"{before}{in_quotes(name)}" == quoted


def test_a_statement_takes_a_plain_name_as_it_is() -> None:
    assert [as_written(name) for name in ("TICKERS", "TABLE", "my table", 'a"b')] == [
        "TICKERS", '"TABLE"', '"my table"', '"a""b"',
    ]  # fmt: skip


def test_the_views_of_the_master_stand_in_the_place_of_a_table_with_quotes_in_its_name() -> None:
    views = all_views(TICKERS, Table('"DB"."S"."my ""own"" list"', TICKERS.columns, ""))
    assert views[0].name == '"DB"."S"."my ""own"" list_LATEST"'
    assert {place(view.name) for view in views} == {'"DB"."S".'}
