"""The safety checks, each by itself: days of every kind on both sides of every bound, with the findings written down."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from stockpipe.datasets import DATASETS, Part
from stockpipe.errors import ConfigError, DataCheckError
from stockpipe.load.checks import Finding, Limits, Severity, build_date, check, refuse, torn
from stockpipe.load.checks.contents import contents
from stockpipe.load.checks.finding import some
from stockpipe.load.checks.freshness import freshness
from stockpipe.load.checks.shape import shape
from stockpipe.settings import load_settings
from stockpipe.warehouse.runs import Counts, RunRecord
from support.days import FIELDS, build, load_of, record, staged
from support.loads import part

WARN: Severity = "warn"
REFUSE: Severity = "refuse"


def grave(findings: Any) -> list[tuple[str, str]]:
    """Check and severity of each finding."""
    return [(finding.check, finding.severity) for finding in findings]


# --- contents


@pytest.mark.parametrize(
    ("market", "active", "rows", "found"),
    [
        ("stocks", "true", 0, [("empty", REFUSE)]),
        ("stocks", "true", 1, []),
        ("stocks", "false", 0, [("empty", REFUSE)]),
        ("crypto", "true", 0, [("empty", REFUSE)]),
        ("crypto", "false", 0, []),
        ("fx", "false", 0, [("empty", REFUSE)]),
    ],
)
def test_an_empty_list_is_refused_but_where_it_may_be_empty(
    market: str, active: str, rows: int, found: list[tuple[str, str]]
) -> None:
    assert grave(contents(load_of(market, active), staged(rows, builds={}))) == found


def test_a_list_of_nothing_but_rejects_is_empty_too() -> None:
    findings = list(contents(load_of(), staged(0, rejected=1, builds={})))
    assert findings == [
        Finding("empty", REFUSE, "The list has no row that could be published."),
        Finding("rejects", WARN, "1 rows were rejected; see: stockpipe rejects."),
    ]


@pytest.mark.parametrize(
    ("published", "rejected", "repeated", "severity"),
    [
        (1000, 0, 0, None),
        (1, 1, 0, WARN),  # a single one is never too much
        (1, 2, 0, REFUSE),
        (99, 1, 0, WARN),
        (148, 2, 0, REFUSE),
        (198, 2, 0, WARN),  # exactly 1 %
        (197, 2, 0, REFUSE),  # 2 of 199
        (100, 2, 98, WARN),  # of what was fetched, repetitions included
        (100, 2, 97, REFUSE),
        (9900, 100, 0, WARN),
        (9899, 100, 0, REFUSE),
    ],
)
def test_one_per_cent_of_rejected_rows_is_a_warning_and_more_is_a_refusal(
    published: int, rejected: int, repeated: int, severity: str | None
) -> None:
    facts = staged(published, rejected, repeated)
    assert grave(contents(load_of(), facts)) == ([("rejects", severity)] if severity else [])


def test_the_refusal_names_three_rows_and_their_reasons() -> None:
    reasons = [("A", "name is missing"), (None, "no object"), ("B\x1b[31m", "x\ny"), ("C", "the fourth")]
    found = list(contents(load_of(), staged(1000, 1200, reject_reasons=reasons)))
    assert found == [
        Finding(
            "rejects",
            REFUSE,
            "1,200 of 2,200 rows were rejected, more than 1 %: A: name is missing; (no key): no object; B\\x1b[31m: x\\ny.",
        )
    ]


def test_conflicts_are_named_as_a_warning() -> None:
    found = list(contents(load_of(), staged(conflicts=["A", "B"])))
    assert found == [
        Finding("conflicts", WARN, "Two different rows for: A, B. The newer, then the more complete one was kept.")
    ]


def test_a_torn_list_is_refused() -> None:
    found = list(contents(load_of(), staged(keys_on_two_pages=["A"])))
    assert found == [Finding("torn", REFUSE, "The list is torn: tickers stand on two pages: A.")]


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "N0"), (8, "N0, N1, N2, N3, N4, N5, N6, N7"), (9, "N0, N1, N2, N3, N4, N5, N6, N7 and 1 more")],
)
def test_eight_names_are_shown_and_the_others_counted(count: int, shown: str) -> None:
    assert some([f"N{number}" for number in range(count)]) == shown


# --- torn

TWO_BUILDS = {build("2026-02-06 07:05"): 2000, build("2026-02-07 07:05"): 1}


@pytest.mark.parametrize(
    ("dated", "facts", "reason"),
    [
        (False, {}, None),
        (False, {"builds": {}}, None),
        (
            False,
            {"builds": TWO_BUILDS},
            "its rows carry the stamps of 2 builds: 2026-02-06 07:05 (2,000 rows), 2026-02-07 07:05 (1 rows)",
        ),
        (False, {"keys_on_two_pages": ["A", "ABRpD"]}, "tickers stand on two pages: A, ABRpD"),
        (
            True,
            {"builds": TWO_BUILDS},
            "its rows carry the stamps of 2 builds: 2026-02-06 07:05 (2,000 rows), 2026-02-07 07:05 (1 rows)",
        ),
        (True, {"keys_on_two_pages": ["A"]}, None),
        (True, {"keys_on_two_pages": ["A"], "repeated_on_two_pages": ["A"]}, "tickers stand on two pages: A"),
        (False, {"shared": ["BBG1 of A, B"]}, "two rows have the same COMPOSITE_FIGI: BBG1 of A, B"),
        (True, {"shared": ["BBG1 of A, B"]}, "two rows have the same COMPOSITE_FIGI: BBG1 of A, B"),
    ],
)
def test_a_list_is_torn_by_stamps_by_keys_on_two_pages_or_by_shared_values(
    dated: bool, facts: dict[str, Any], reason: str | None
) -> None:
    assert torn(load_of(dated=dated), staged(**facts)) == reason


def test_stamps_of_two_builds_are_the_first_reason() -> None:
    reason = torn(load_of(), staged(builds=TWO_BUILDS, keys_on_two_pages=["A"]))
    assert reason
    assert reason.startswith("its rows carry the stamps of 2 builds")


# --- freshness


@pytest.mark.parametrize(
    ("day", "dated", "require_fresh", "severity"),
    [
        ("2026-02-07 00:00", False, True, None),
        ("2026-02-08 07:05", False, True, None),  # the night after, in UTC
        ("2026-02-06 23:59", False, False, WARN),
        ("2026-02-06 23:59", False, True, REFUSE),
        ("2025-12-01 07:05", False, False, WARN),
        ("2025-12-01 07:05", True, True, None),
        (None, False, True, None),
    ],
)
def test_a_build_older_than_the_day_is_a_warning_or_refused_where_a_fresh_one_is_asked_for(
    day: str | None, dated: bool, require_fresh: bool, severity: str | None
) -> None:
    facts = staged(builds={build(day): 1001} if day else {})
    found = freshness(load_of(dated=dated, require_fresh=require_fresh), facts)
    assert grave(found) == ([("stale", severity)] if severity else [])


def test_the_sentence_names_build_and_day_and_the_newest_build_counts() -> None:
    old = {build("2026-02-05 07:05"): 1, build("2026-02-06 07:05"): 1}
    assert [finding.text for finding in freshness(load_of(), staged(builds=old))] == [
        "The vendor's list is the build of 2026-02-06, older than the day loaded (2026-02-07)."
    ]
    assert build_date(load_of(), staged(builds=old)) == date(2026, 2, 6)
    assert build_date(load_of(), staged(builds=TWO_BUILDS)) == date(2026, 2, 7)
    assert build_date(load_of(dated=True), staged(builds=old)) is None
    assert build_date(load_of(), staged(builds={})) is None


# --- shape


def lacking(*names: str) -> dict[str, int]:
    """How often each field is filled, where these never are."""
    return FIELDS | dict.fromkeys(names, 0)


@pytest.mark.parametrize(
    ("now", "before", "fields", "severity"),
    [
        (200, 200, lacking("CIK"), REFUSE),
        (199, 200, lacking("CIK"), None),
        (200, 199, lacking("CIK"), None),
        (199, 199, lacking("CIK"), None),
        (1000, 1, lacking("CIK"), None),
        (1000, 1000, FIELDS | {"CIK": 1}, None),
    ],
)
def test_a_field_that_two_hundred_rows_had_may_not_vanish_from_two_hundred(
    now: int, before: int, fields: dict[str, int], severity: str | None
) -> None:
    last = record(field_counts=FIELDS | {"CIK": before})
    found = list(shape(part(), staged(now, field_counts=fields), last))
    assert grave(found) == ([("vanished", severity)] if severity else [])


def test_what_is_traded_today_may_be_empty_before_the_exchanges_open() -> None:
    live = Part(DATASETS["market_snapshot"])
    filled = {"TICKER": 300, "DAY_CLOSE": 290, "DAY_VOLUME_TEXT": 290, "MINUTE_UTC": 290, "PREVIOUS_CLOSE": 300}
    early = filled | {"DAY_CLOSE": 0, "DAY_VOLUME_TEXT": 0, "MINUTE_UTC": 0}
    noon = record(300, field_counts=filled)
    assert list(shape(live, staged(300, field_counts=early), noon)) == []
    gone = staged(300, field_counts=early | {"PREVIOUS_CLOSE": 0})
    assert grave(list(shape(live, gone, noon))) == [("vanished", REFUSE)]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (["CIK"], "CIK is empty in every row; on 2026-02-06 it was filled."),
        (["NAME", "CIK"], "NAME, CIK are empty in every row; on 2026-02-06 they were filled."),
    ],
)
def test_the_sentence_names_the_fields_that_vanished_and_the_day(fields: list[str], text: str) -> None:
    assert list(shape(part(), staged(field_counts=lacking(*fields)), record())) == [Finding("vanished", REFUSE, text)]


@pytest.mark.parametrize(
    ("market", "active", "rows", "last", "found"),
    [
        ("stocks", "true", 200, None, [("absent", WARN)]),
        ("stocks", "true", 199, None, []),
        ("stocks", "true", 200, record(field_counts={}), []),  # it never was there: that was said on the first day
        ("stocks", "true", 200, record(), [("vanished", REFUSE)]),
        ("stocks", "false", 200, None, []),  # nobody expects it of delisted ones
        ("crypto", "true", 200, None, []),
    ],
)
def test_an_expected_field_that_no_row_has_is_a_warning_of_the_first_day(
    market: str, active: str, rows: int, last: RunRecord | None, found: list[tuple[str, str]]
) -> None:
    facts = staged(rows, field_counts=lacking("CIK"))
    assert grave(shape(part(market, active), facts, last)) == found


def test_an_absent_field_is_named_with_the_part_that_usually_has_it() -> None:
    facts = staged(field_counts={"TICKER": 1001, "CIK": 0, "DELISTED_UTC": 0, "TYPE": 0})
    assert list(shape(part(), facts, None)) == [
        Finding("absent", WARN, "No row has CIK, TYPE, which stocks usually have.")
    ]


def test_new_fields_are_a_warning_however_short_the_list_is() -> None:
    found = list(shape(part(), staged(1, new_fields=["tier", "x\n"], field_counts=lacking("CIK")), None))
    text = "The API sent fields that stockpipe does not know, kept in EXTRA: tier, x\\n."
    assert found == [Finding("new fields", WARN, text)]


def test_of_very_many_new_fields_the_number_is_told() -> None:
    names = [f"f{number:02}" for number in range(50)]
    [found] = shape(part(), staged(1, new_fields=names, more_new_fields=1234), None)
    assert found.text.endswith("kept in EXTRA: f00, f01, f02, f03, f04, f05, f06, f07 and 1,276 more.")


# --- all of them


FIRST: RunRecord | None = None


@pytest.mark.parametrize(
    ("last", "facts", "found"),
    [
        (FIRST, staged(), []),
        (FIRST, staged(1000), [("cut", WARN)]),
        (record(), staged(1000), [("cut", WARN)]),  # whole pages only, and a row is missing
        (record(1000), staged(1000), []),
        (record(0), staged(1000), [("cut", WARN)]),  # an empty day is nothing to compare with
        (record(0, last_ticker="ZZ"), staged(5, last_key="A"), []),
        (record(1), staged(1000, last_key="A"), [("volume", REFUSE), ("cut", WARN)]),
        (record(), staged(400, last_key="M"), [("volume", REFUSE), ("cut", WARN)]),
        (FIRST, staged(1, last_key="A"), []),
        (
            record(),
            staged(100, 50, builds=TWO_BUILDS, conflicts=["A"], new_fields=["x"], last_key="B"),
            [("rejects", REFUSE), ("conflicts", WARN), ("torn", REFUSE), ("new fields", WARN), ("volume", REFUSE), ("cut", WARN)],
        ),
        (
            record(),
            staged(builds={build("2026-02-06 07:00"): 1001}, field_counts=lacking("CIK")),
            [("stale", WARN), ("vanished", REFUSE)],
        ),
        (FIRST, staged(field_counts=lacking("CIK")), [("absent", WARN)]),
    ],
)  # fmt: skip
def test_a_day_as_a_whole(last: RunRecord | None, facts: Any, found: list[tuple[str, str]]) -> None:
    assert grave(check(load_of(), facts, last, Limits())) == found


def test_the_limits_that_are_handed_over_count() -> None:
    assert grave(check(load_of(), staged(900), record(1000), Limits(0.11, 0.2))) == [("volume", WARN)]
    assert grave(check(load_of(), staged(1100), record(1000), Limits(0.05, 0.1))) == [("volume", REFUSE)]


@pytest.mark.parametrize(("fetched", "passes"), [(1005, True), (1004, False), (1006, False)])
def test_rows_that_do_not_add_up_are_a_defect_that_stops_the_day(fetched: int, passes: bool) -> None:
    facts = staged(counts=Counts(fetched, 1000, 3, 2))
    if passes:
        assert grave(check(load_of(), facts, None, Limits())) == [("rejects", WARN)]
        return
    with pytest.raises(DataCheckError) as caught:
        check(load_of(), facts, None, Limits())
    assert caught.value.message == (
        f"The rows do not add up: {fetched} fetched, but 1000 to publish + 3 rejected + 2 repeated."
    )
    assert "defect of stockpipe" in caught.value.hint


BOTH = [Finding("stale", WARN, "Old."), Finding("volume", REFUSE, "Few."), Finding("vanished", REFUSE, "Gone.")]


def test_a_refusal_stops_the_day_and_names_its_checks() -> None:
    with pytest.raises(DataCheckError) as caught:
        refuse(BOTH, force=False)
    assert (caught.value.message, caught.value.exit_code) == ("Few. Gone.", 7)
    assert set(caught.value.checks) == {"volume", "vanished"}
    assert "run again with --force" in caught.value.hint


def test_what_was_overruled_is_handed_back_and_warnings_are_not() -> None:
    assert refuse(BOTH, force=True) == ["volume: Few.", "vanished: Gone."]
    assert refuse(BOTH[:1], force=False) == []
    assert refuse([], force=True) == []


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ({}, (0.05, 0.2)),
        ({"STOCKPIPE_MAX_LOSS": "7", "STOCKPIPE_MAX_GROWTH": "150"}, (0.07, 1.5)),
        ({"STOCKPIPE_MAX_LOSS": "100", "STOCKPIPE_MAX_GROWTH": "0"}, (1.0, 0.0)),
        ({"STOCKPIPE_MAX_LOSS": "0"}, (0.0, 0.2)),
    ],
)
def test_the_limits_are_set_in_per_cent(words: dict[str, str], limits: tuple[float, float]) -> None:
    found = Limits.of(load_settings(words, env={}))
    assert (found.loss, found.growth) == limits
    if not words:
        assert found == Limits()


@pytest.mark.parametrize(
    ("name", "word"),
    [("STOCKPIPE_MAX_LOSS", "100.1"), ("STOCKPIPE_MAX_LOSS", "-1"), ("STOCKPIPE_MAX_GROWTH", "-1"), ("STOCKPIPE_MAX_GROWTH", "x"), ("STOCKPIPE_MAX_LOSS", "nan")],
)  # fmt: skip
def test_a_limit_that_cannot_be_is_refused(name: str, word: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Limits.of(load_settings({name: word}, env={}))
