"""Whatever a row may be: it is stored exactly as it came, or rejected with a reason and its raw JSON."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpipe.datasets import TICKERS
from stockpipe.load.rows import CELL, NULL, RowReader
from stockpipe.load.staging import Staging
from support.loads import partition
from support.made_up import made_up

pytestmark = pytest.mark.slow

TEXT_FIELDS = {str(column.field): column for column in TICKERS.fields if column.kind == "text"}
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=2),
)
good = st.fixed_dictionaries(
    {"ticker": st.text(min_size=1, max_size=20), "name": st.text(min_size=1, max_size=40), "market": st.just("stocks"),
     "locale": st.just("us"), "active": st.just(True)},
    optional={"cik": st.text(max_size=20), "type": st.text(max_size=20), "surprise": anything},
)  # fmt: skip
odd = st.dictionaries(
    st.sampled_from([*TEXT_FIELDS, "active", "last_updated_utc", "Ticker", "x"]), anything, max_size=8
)


@given(st.lists(st.one_of(good, odd, anything), min_size=1, max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_every_row_is_kept_as_it_came_or_rejected_with_its_raw_text(rows: list[Any]) -> None:
    sent = [json.dumps(row, ensure_ascii=True) for row in rows]
    with Staging(partition(active="false")) as staging:
        staging.add(1, sent)
        day = staging.finish()
        day.counts.require_sum()
        paths = [str(path) for path in staging.write_parquet()]
        rejects = [row for rows in staging.rejects("run") for row in rows]
        with duckdb.connect() as connection:
            stored = connection.execute("SELECT * EXCLUDE (DS) FROM read_parquet(?)", [paths]).fetchall()
    names = [column.name for column in TICKERS.columns if column.name != "DS"]
    assert day.counts.fetched == len(rows)
    assert all(reason and raw in sent for *_, reason, raw in rejects)
    originals = [row for row in rows if isinstance(row, dict)]
    for cells in stored:
        kept = dict(zip(names, cells, strict=True))
        assert any(_same(kept, original) for original in originals)


@pytest.mark.parametrize("blank", ["", " ", "\n", "\r", "\t", " \n "])
def test_white_space_around_a_field_s_name_hides_nothing(blank: str) -> None:
    ends = (f'"tier"{blank}:{blank}"gold"', f'"name"{blank}:{blank}"other"', f'"cik"{blank}:null,"x":1')
    rows = [f"{_row(number)[:-1]},{end}}}" for number, end in enumerate(ends)]
    with Staging(partition(active="true")) as staging:
        staging.add(1, rows)
        day = staging.finish()
        paths = [str(path) for path in staging.write_parquet()]
        rejected = [(reason, raw) for rows in staging.rejects("run") for *_, reason, raw in rows]
        with duckdb.connect() as connection:
            extra = connection.execute("SELECT EXTRA FROM read_parquet(?)", [paths]).fetchall()
    assert day.new_fields == ["tier", "x"]
    assert extra == [('{"tier":"gold"}',), ('{"x":1}',)]
    assert rejected == [("a field stands twice in the row", rows[1])]


@pytest.mark.parametrize(("count", "kept", "more"), [(50, 50, 0), (51, 50, 1), (3000, 50, 2950)])
def test_of_new_fields_so_many_names_are_kept_and_the_rest_is_counted(count: int, kept: int, more: int) -> None:
    fields = ",".join(f'"f{number:05}":1' for number in range(count))
    with Staging(partition(active="true")) as staging:
        staging.add(1, [f"{_row(number)[:-1]},{fields}}}" for number in range(2)])
        day = staging.finish()
    assert (len(day.new_fields), day.new_fields[0], day.new_fields[-1], day.more_new_fields) == (
        kept,
        "f00000",
        "f00049",
        more,
    )


@pytest.mark.parametrize(("length", "kept"), [(100, "n" * 100), (101, "n" * 100 + "…"), (9000, "n" * 100 + "…")])
def test_a_long_name_of_a_new_field_is_cut(length: int, kept: str) -> None:
    with Staging(partition(active="true")) as staging:
        staging.add(1, [f'{_row(1)[:-1]},"{"n" * length}":1}}'])
        assert staging.finish().new_fields == [kept]


def test_the_hash_of_a_list_is_the_same_with_every_version_in_any_order_and_with_a_newer_stamp() -> None:
    friday, saturday = ({"last_updated_utc": f"2026-02-{day:02}T07:05:42Z"} for day in (6, 7))
    lists = [
        [_row(1, **friday), _row(2, cik="0000320193", **friday)],
        [_row(2, cik="0000320193", **saturday), _row(1, **saturday)],
        [_row(2, cik="320193", **friday), _row(1, **friday)],
    ]
    known = "3640fc14d02a9e4f5178dbd288b82ffec1f065452ce3dcd3ed7cf54f478ba342"
    assert [_hash(rows) == known for rows in lists] == [True, True, False]


def test_a_long_list_comes_out_whole_and_in_its_order_whatever_the_order_of_its_pages() -> None:
    spoiled = {3_500, 29_999}
    rows = [_row(number, active="no" if number in spoiled else True) for number in range(30_000)]
    with Staging(partition(active="true")) as staging:
        for page in [*range(29, -1, -2), *range(0, 30, 2)]:
            staging.add(page, rows[page * 1000 : page * 1000 + 1000])
        day = staging.finish()
        paths = [str(path) for path in staging.write_parquet()]
        rejected = [(ticker, raw) for rows in staging.rejects("run") for _, _, _, ticker, _, raw in rows]
        with duckdb.connect() as connection:
            stored = connection.execute("SELECT TICKER FROM read_parquet(?)", [paths]).fetchall()
    assert (day.counts.fetched, day.counts.published, day.counts.rejected) == (30_000, 29_998, 2)
    assert (day.first_key, day.last_key) == ("T00000", "T29999")
    assert rejected == [("T03500", rows[3_500]), ("T29999", rows[29_999])]
    assert [ticker for (ticker,) in stored] == [f"T{number:05}" for number in range(30_000) if number not in spoiled]


def _row(number: int, active: object = True, **more: object) -> str:
    row = {"ticker": f"T{number:05}", "name": "A company", "market": "stocks", "locale": "us", "active": active}
    return json.dumps(row | more)


def _hash(rows: list[str]) -> str:
    with Staging(partition(active="true")) as staging:
        staging.add(1, rows)
        return staging.finish().content_hash


def _same(kept: dict[str, Any], original: dict[str, Any]) -> bool:
    texts = all(kept[column.name] == original.get(name) for name, column in TEXT_FIELDS.items())
    unknown = {
        name: value for name, value in original.items() if name not in {column.field for column in TICKERS.fields}
    }
    return texts and set(json.loads(kept["EXTRA"] or "{}")) == set(unknown)


def test_numbers_with_an_exponent_are_read_with_their_page() -> None:
    """The volumes of old bars: a page that has some is read in one step, and what is no number is looked at by itself."""
    reader = RowReader(made_up().part.dataset)
    page = ['{"k":"A","price":1.432032e+06}', '{"k":"B","price":-2.5E-3}', '{"k":"C","price":7}', '{"k":"D"}']
    lines = reader.plain(page)
    assert lines is not None
    assert [line.split(CELL)[5] for line in lines] == ["1432032", "-0.0025", "7", NULL]
    assert reader.plain(['{"k":"A","price":1e999}']) is None
