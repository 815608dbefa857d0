"""Staging at its bounds: long rows, many of them, deep ones; and which of two rows for one key stays."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from stockpipe.datasets.column import INTEGER, Column
from stockpipe.errors import DataCheckError
from stockpipe.load.rows import LARGEST_ROW
from stockpipe.load.staging import Staging, _sources
from support.loads import partition
from support.made_up import COLUMNS, stage

SHORT = [f'{{"k":"B{number}"}}' for number in range(50)]


def long_row(length: int, field: str = "long", letter: str = "x") -> str:
    """A row of exactly so many characters."""
    frame = f'{{"k":"A","{field}":""}}'
    return f'{frame[:-2]}{letter * (length - len(frame))}"}}'


@pytest.mark.parametrize("field", ["long", "unknown", "more"])
@pytest.mark.parametrize("letter", ["x", "\u00e9", "\U0001f600"])
@pytest.mark.parametrize("beside", [[], SHORT], ids=["alone", "among short rows"])
def test_a_row_of_a_mebi_of_characters_is_stored_and_a_longer_one_is_not(
    field: str, letter: str, beside: list[str]
) -> None:
    found = stage([*beside, long_row(LARGEST_ROW, field, letter)])
    assert (found.facts.counts.published, found.rejected) == (len(beside) + 1, [])
    longer = long_row(LARGEST_ROW + 1, field, letter)
    found = stage([*beside, longer])
    reason = "the row has 1,048,577 characters, at most 1,048,576 fit"
    assert found.facts.counts.published == len(beside)
    assert found.rejected == [(None, reason, longer)]


@pytest.mark.parametrize("field", ["long", "unknown"])
def test_a_row_of_nine_million_characters_does_not_take_its_page_with_it(field: str) -> None:
    found = stage([*SHORT, long_row(9_000_000, field)])
    assert found.facts.counts.published == len(SHORT)
    assert found.reasons == ["the row has 9,000,000 characters, at most 1,048,576 fit"]


@pytest.mark.parametrize("field", ["long", "unknown"])
@pytest.mark.parametrize(("rows", "length"), [(3000, 1000), (3000, 20_000), (40, 1_000_000)])
def test_many_long_rows_are_staged_whole(field: str, rows: int, length: int) -> None:
    text = "x" * length
    found = stage([f'{{"k":"K{number}","{field}":"{text}"}}' for number in range(rows)])
    assert (found.facts.counts.published, found.rejected) == (rows, [])
    name, whole = ("LONG", length) if field == "long" else ("EXTRA", len('{"unknown":""}') + length)
    assert {len(one[name]) for one in found.stored} == {whole}


def test_rows_that_memory_does_not_hold_end_the_load_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    # `stockpipe.load` is the function: the module goes by its full name only.
    monkeypatch.setattr(sys.modules["stockpipe.load.staging"], "_MEMORY_FOR_LONG_ROWS", "60MB")
    with pytest.raises(DataCheckError, match="The rows are too long to be staged: 60MB") as caught:
        stage([f'{{"k":"K{number}","unknown":"{"x" * 1_000_000}"}}' for number in range(40)])
    assert caught.value.exit_code == 7
    assert caught.value.hint.startswith("Nothing was published.")


@pytest.mark.parametrize("levels", [5000, 100_000])
def test_a_deep_row_is_rejected_and_its_neighbours_are_not(levels: int) -> None:
    deep = [
        '{"k":"A","more":' + "[" * levels + "]" * levels + "}",
        '{"k":"A","x":' + '{"y":' * levels + "1" + "}" * levels + "}",
        "[" * levels + "]" * levels,
    ]
    found = stage([*SHORT, *deep])
    assert found.facts.counts.published == len(SHORT)
    assert found.reasons[:2] == ["the row is nested too deeply to be read"] * 2
    assert [raw for *_, raw in found.rejected] == deep


def test_a_reason_is_cut_where_its_column_ends() -> None:
    columns = (
        COLUMNS[0],
        *(Column(f"C{number}", INTEGER, "A number.", f"c{number}") for number in range(40)),
        *COLUMNS[-2:],
    )
    row = json.dumps({"k": "A"} | {f"c{number}": 1.5 for number in range(40)})
    reason = stage([row], columns).reasons[0]
    assert len(reason) == 1000
    assert reason.startswith("c0 is not a readable whole number of 64 bits; c1 is not")


def ticker(name: str, stamp: str | None = "07", **more: object) -> str:
    """A listed stock; `stamp` is the minute of its time stamp."""
    stamps = {"last_updated_utc": f"2026-02-07T07:{stamp}:42Z"} if stamp else {}
    usual = {"ticker": "UST", "name": name, "market": "stocks", "locale": "us", "active": True}
    return json.dumps(usual | stamps | more)


FULL = {"cik": "0000000007", "type": "CS"}
CONFLICT = "conflict: another row with this TICKER is newer or more complete"


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([ticker("old, full", "06", **FULL), ticker("new", "07")], "new"),
        ([ticker("new", "07"), ticker("old, full", "06", **FULL)], "new"),
        ([ticker("one", "07"), ticker("full", "07", **FULL)], "full"),
        ([ticker("full", "07", **FULL), ticker("one", "07")], "full"),
        ([ticker("no stamp, full", None, **FULL), ticker("old", "01")], "old"),
        ([ticker("no stamp", None), ticker("no stamp, full", None, **FULL)], "no stamp, full"),
        ([ticker("first"), ticker("second")], "first"),
        ([ticker("a", "05"), ticker("b", "07"), ticker("c", "06", **FULL)], "b"),
    ],
)
def test_of_different_rows_for_a_key_the_newest_stays_then_the_most_complete_then_the_first(
    rows: list[str], kept: str
) -> None:
    with Staging(partition()) as staging:
        staging.add(1, rows)
        facts = staging.finish()
        rejected = [(reason, json.loads(raw)["name"]) for batch in staging.rejects("run") for *_, reason, raw in batch]
    assert (facts.counts.published, facts.conflicts) == (1, ["UST"])
    assert kept not in [name for _, name in rejected]
    assert [reason for reason, _ in rejected] == [CONFLICT] * (len(rows) - 1)


def test_delisted_rows_may_share_a_name() -> None:
    with Staging(partition(active="false")) as staging:
        staging.add(1, [ticker("one", active=False), ticker("two", active=False), ticker("two", active=False)])
        facts = staging.finish()
    assert (facts.counts.published, facts.counts.repeated, facts.conflicts) == (2, 1, [])


def test_the_sum_counts_every_row_in_one_place() -> None:
    with Staging(partition()) as staging:
        staging.add(
            1, [ticker("a"), ticker("a"), ticker("b", "08"), ticker("x", ticker="X", cik=5), ticker("y", ticker="Y")]
        )
        counts = staging.finish().counts
    assert (counts.fetched, counts.published, counts.rejected, counts.repeated) == (5, 2, 2, 1)
    counts.require_sum()


def listed(names: str) -> list[str]:
    return [ticker(name, ticker=name) for name in names.split()]


@pytest.mark.parametrize(
    ("names", "starts", "counts"),
    [
        ("A B C D E F G", ["D", "G"], [3, 3, 1]),
        ("A B C D E F", ["D"], [3, 3]),
        ("A B C", [], [3]),
        ("G F E D C B A", ["D", "G"], [3, 3, 1]),
        ("A B C Da Db E F", ["E", "F"], [5, 1, 1]),  # a range begins with plain capitals, wherever its place is
        ("aa ab ac B C D", [], [6]),
        ("A B C da db dc", [], [6]),
        ("A A B B C C D", ["D"], [3, 1]),  # identical rows count once
    ],
)
def test_a_list_is_cut_into_ranges_of_about_so_many_rows(names: str, starts: list[str], counts: list[int]) -> None:
    with Staging(partition()) as staging:
        staging.add(1, listed(names))
        staging.finish()
        assert staging.ranges(3) == (starts, counts)
        assert staging.range_counts(starts) == counts


def test_two_rows_of_a_name_that_is_used_again_lie_in_one_range() -> None:
    with Staging(partition(active="false")) as staging:
        staging.add(1, [ticker(str(number), ticker=name, active=False) for number, name in enumerate("ABCCDE")])
        staging.finish()
        assert staging.ranges(3) == (["C"], [2, 4])


@pytest.mark.parametrize(
    ("figis", "shared"),
    [
        (["F1", "F2", None, None], []),
        (["F1", "F2", "F1", None], ["F1 (A, C)"]),
        (["F1", "F2", "F1", "F2"], ["F1 (A, C)", "F2 (B, D)"]),
    ],
)
def test_values_that_two_rows_share_are_told_with_their_names(figis: list[str | None], shared: list[str]) -> None:
    rows = [ticker(name, ticker=name, composite_figi=figi) for name, figi in zip("ABCD", figis, strict=True)]
    with Staging(partition()) as staging:
        staging.add(1, rows)
        assert staging.finish().shared == shared


def test_what_a_file_of_rows_is_read_into_is_far_below_what_may_be_held() -> None:
    """DuckDB 1.5 reads into sixteen times the longest line, unless it is told: that was more than the limit."""
    plain, _ = _sources(partition(), Path("rows"))
    (found,) = re.findall(r"buffer_size = (\d+)", plain)
    assert int(found) * 4 < 100_000_000
