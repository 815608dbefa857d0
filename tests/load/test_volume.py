"""How many rows a day may have against the last one, and where its list must end: both sides of every bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from stockpipe.datasets import TICKERS
from stockpipe.load.checks import Finding, Limits, Severity
from stockpipe.load.checks.volume import list_end, volume, whole_pages
from stockpipe.settings import load_settings
from support.days import TODAY, record, staged

WARN: Severity = "warn"
REFUSE: Severity = "refuse"


def grave(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Check and severity of each finding."""
    return [(finding.check, finding.severity) for finding in findings]


@pytest.mark.parametrize(
    ("before", "now", "severity"),
    [
        (10_000, 10_000, None),
        (10_000, 9_999, None),
        (10_000, 9_901, None),  # -0.99 %
        (10_000, 9_900, WARN),  # -1 %
        (10_000, 10_099, None),
        (10_000, 10_100, WARN),  # +1 %
        (10_000, 9_510, WARN),  # -4.9 %
        (10_000, 9_501, WARN),
        (10_000, 9_500, REFUSE),  # -5 %
        (10_000, 9_490, REFUSE),  # -5.1 %
        (10_000, 11_990, WARN),  # +19.9 %
        (10_000, 11_999, WARN),
        (10_000, 12_000, REFUSE),  # +20 %
        (10_000, 12_010, REFUSE),
        (10_000, 10_500, WARN),  # a rise is no loss
        (10_000, 0, REFUSE),
        (1, 1_000_000, REFUSE),
    ],
)
def test_a_day_after_the_last_one_may_lose_less_than_5_and_gain_less_than_20_per_cent(
    before: int, now: int, severity: str | None
) -> None:
    found = list(volume(TODAY, staged(now), record(before), Limits()))
    assert grave(found) == ([("volume", severity)] if severity else [])


@pytest.mark.parametrize(
    ("days", "now", "severity"),
    [
        (30, 9_500, REFUSE),
        (30, 12_000, REFUSE),
        (30, 9_900, WARN),
        (31, 9_500, WARN),  # 5.17 % are allowed
        (31, 9_483, REFUSE),
        (31, 9_484, WARN),
        (31, 9_900, None),
        (60, 9_001, WARN),
        (60, 9_000, REFUSE),
        (60, 13_999, WARN),
        (60, 14_000, REFUSE),
        (60, 9_801, None),
        (60, 9_800, WARN),
        (60, 10_199, None),
        (60, 10_200, WARN),
        # Backwards in time, as a backfill goes: the distance counts.
        (-1, 9_500, REFUSE),
        (-60, 9_001, WARN),
        (-60, 9_000, REFUSE),
        (-60, 9_801, None),
    ],
)
def test_after_more_than_a_month_as_much_again_is_allowed_for_each_month(
    days: int, now: int, severity: str | None
) -> None:
    last = record(10_000, str(date.fromordinal(TODAY.toordinal() - days)))
    found = list(volume(TODAY, staged(now), last, Limits()))
    assert grave(found) == ([("volume", severity)] if severity else [])


@pytest.mark.parametrize(
    ("before", "now", "severity"),
    [
        (3, 1, None),  # two rows are nothing, whatever share they are
        (2, 0, None),
        (4, 1, REFUSE),
        (1, 3, None),
        (1, 4, REFUSE),
        (142, 140, None),
        (146, 143, WARN),  # isqrt(143) // 4 = 2
        (147, 144, None),  # isqrt(144) // 4 = 3
        (148, 144, WARN),
        (144, 147, None),
        (143, 146, WARN),
        (405, 400, None),  # 5
        (406, 400, WARN),
        (404, 399, WARN),  # 4
    ],
)
def test_a_short_list_may_move_by_a_few_rows(before: int, now: int, severity: str | None) -> None:
    found = list(volume(TODAY, staged(now), record(before), Limits(loss=0.5, growth=0.5)))
    assert grave(found) == ([("volume", severity)] if severity else [])


@pytest.mark.parametrize(
    ("now", "day", "text"),
    [
        (9_800, "2026-02-06", "9,800 rows against 10,000 on 2026-02-06 (-2.0%): unusual for one day."),
        (9_800, "2026-02-07", "9,800 rows against 10,000 on 2026-02-07 (-2.0%): unusual for one day."),
        (10_250, "2026-02-05", "10,250 rows against 10,000 on 2026-02-05 (+2.5%): unusual for 2 days."),
        (9_000, "2026-02-06", "9,000 rows against 10,000 on 2026-02-06 (-10.0%): a loss of 5% or more."),
        (13_000, "2026-02-06", "13,000 rows against 10,000 on 2026-02-06 (+30.0%): a rise of 20% or more."),
        (8_000, "2025-12-09", "8,000 rows against 10,000 on 2025-12-09 (-20.0%): a loss of 10% or more."),
        (8_000, "2025-12-24", "8,000 rows against 10,000 on 2025-12-24 (-20.0%): a loss of 7.5% or more."),
    ],
)
def test_the_sentence_has_both_numbers_the_share_and_the_limit(now: int, day: str, text: str) -> None:
    assert [finding.text for finding in volume(TODAY, staged(now), record(10_000, day), Limits())] == [text]


@pytest.mark.parametrize(("loss", "now", "severity"), [(3.7, 963, REFUSE), (3.7, 964, WARN), (7.5, 925, REFUSE), (14.3, 857, REFUSE)])  # fmt: skip
def test_a_limit_is_included_also_where_a_double_does_not_hold_it(loss: float, now: int, severity: str) -> None:
    limits = Limits.of(load_settings({"STOCKPIPE_MAX_LOSS": str(loss)}, env={}))
    assert grave(volume(TODAY, staged(now, last_key=None), record(1000, "2026-02-06"), limits)) == [
        ("volume", severity)
    ]


# --- the end of the list


@pytest.mark.parametrize(
    ("ends", "ended", "found"),
    [
        ("ZZ", "ZZ", []),
        ("ZA", "ZZ", []),
        ("Y", "ZZ", [("cut", WARN)]),
        ("y", "ZZ", [("cut", WARN)]),
        ("zz", "ZZ", []),
        ("ZZ", "za", []),
        ("Y", "za", [("cut", WARN)]),
        ("ZZ", "Y", []),
        (None, "ZZ", []),
        ("Y", None, []),
        ("", "ZZ", []),
        ("Y", "", []),
    ],
)
def test_a_list_that_ends_a_letter_earlier_may_have_been_cut(
    ends: str | None, ended: str | None, found: list[tuple[str, str]]
) -> None:
    assert grave(list_end(staged(last_key=ends), record(last_ticker=ended))) == found


def test_the_sentence_names_both_ends() -> None:
    assert list(list_end(staged(last_key="MA\n"), record())) == [
        Finding("cut", WARN, "The list ends with MA\\n; on 2026-02-06 it ended with ZZ: it may have been cut.")
    ]


@pytest.mark.parametrize(
    ("published", "rejected", "found"),
    [
        (1000, 0, [("cut", WARN)]),
        (12_000, 0, [("cut", WARN)]),
        (999, 1, [("cut", WARN)]),  # what was fetched counts
        (1000, 1, []),
        (999, 0, []),
        (1001, 0, []),
        (500, 0, []),
        (0, 0, []),
        (0, 1000, []),
        (1, 999, [("cut", WARN)]),
    ],
)
def test_whole_pages_only_may_be_a_cut_list(published: int, rejected: int, found: list[tuple[str, str]]) -> None:
    assert grave(whole_pages(TICKERS, staged(published, rejected), None)) == found


def test_the_sentence_says_how_many_rows_and_that_no_day_is_known() -> None:
    text = "The list has exactly 2,000 rows, whole pages only: it may have been cut, and there is no earlier day to compare with."
    assert list(whole_pages(TICKERS, staged(2000), None)) == [Finding("cut", WARN, text)]


def test_a_list_that_has_no_pages_cannot_be_cut_behind_one() -> None:
    whole = replace(TICKERS, source=replace(TICKERS.source, page=None))
    assert list(whole_pages(whole, staged(1000), None)) == []


@pytest.mark.parametrize(("before", "is_told"), [(1000, False), (999, False), (1001, True)])
def test_whole_pages_say_something_where_rows_are_missing(before: int, is_told: bool) -> None:
    text = (
        f"The list has exactly 1,000 rows, whole pages only: it may have been cut, and on 2026-02-06 it had {before:,}."
    )
    found = list(whole_pages(TICKERS, staged(1000), record(before)))
    assert found == ([Finding("cut", WARN, text)] if is_told else [])
