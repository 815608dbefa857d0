"""`stockpipe master build` over days in a warehouse: the tables, the nightly build, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from snowflake_gate import SnowflakeGate
from stockpipe.base.calendar import is_session
from stockpipe.base.clock import Clock
from stockpipe.errors import ConfigError, DataCheckError, NotThere
from stockpipe.master.build import Built, Wish, build_master
from stockpipe.sandbox.market import Market
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from support.master import Place, market_days
from support.threads import at_once

pytestmark = pytest.mark.slow

DUCK = {"STOCKPIPE_WAREHOUSE": "duckdb"}
FB = ("FB", "Facebook, Inc.", "CS", "XNAS", "0001326801", "BBG000MM2P62", "BBG001SQCQC5")
META = ("META", "Meta Platforms, Inc.", "CS", "XNAS", "0001326801", "BBG000MM2P62", "BBG001SQCQC5")
FUND = ("META", "Roundhill Ball Metaverse ETF", "ETF", "ARCX", "0001976517", "BBG011KTTKZ7", "BBG011KTTL34")
FUND_LATER = ("METV", *FUND[1:])
AAPL = ("AAPL", "Apple Inc.", "CS", "XNAS", "0000320193", "BBG000B9XRY4", "BBG001S5N8V8")
DAYS = {
    "2022-01-03": [AAPL, FB, FUND],
    "2022-01-28": [AAPL, FB, FUND],
    "2022-01-31": [AAPL, FB, FUND_LATER],
    "2022-06-08": [AAPL, FB, FUND_LATER],
    "2022-06-09": [AAPL, META, FUND_LATER],
}


@pytest.fixture
def place() -> Place:
    made = Place(DUCK)
    made.create()
    return made


@pytest.fixture(params=["duckdb", "snowflake"])
def both(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "duckdb":
        made = Place(DUCK)
        made.create()
        yield made
        return
    with SnowflakeGate() as gate:
        made = Place(gate.env(), gate)
        made.create()
        yield made


def sessions(first: date, count: int) -> list[date]:
    """So many sessions from a day on."""
    days = (first + timedelta(number) for number in range(count * 2))
    return [day for day in days if is_session(day.toordinal())][:count]


def test_the_tables_tell_who_is_who(both: Place) -> None:
    both.load(DAYS)
    both.load({"2022-06-09": [("OLD", "Old", "CS", "XNAS", "1", None, None, "2020-01-02")]}, active=False)

    built = both.build()

    assert (built.build, built.how, built.lists, built.figures["links"]) == (1, "whole", 5, {"figi": 2})
    columns = "SECURITY_ID, STATUS, FIRST_DS::VARCHAR, LAST_DS::VARCHAR, TICKER, ISSUER_ID, TICKERS"
    assert both.table("SECURITIES", columns) == [
        ("AAPL.20220103", "listed", "2022-01-03", "2022-06-09", "AAPL", "CIK0000320193", 1),
        ("FB.20220103", "listed", "2022-01-03", "2022-06-09", "META", "CIK0001326801", 2),
        ("META.20220103", "listed", "2022-01-03", "2022-06-09", "METV", "CIK0001976517", 2),
    ]
    assert both.table("TICKER_MAP", "TICKER, VALID_FROM::VARCHAR, VALID_TO::VARCHAR, SECURITY_ID") == [
        ("AAPL", "2022-01-03", None, "AAPL.20220103"),
        ("FB", "2022-01-03", "2022-06-09", "FB.20220103"),
        ("META", "2022-01-03", "2022-01-31", "META.20220103"),
        ("META", "2022-06-09", None, "FB.20220103"),
        ("METV", "2022-01-31", None, "META.20220103"),
    ]
    assert both.run("SELECT SECURITY_ID FROM UNIVERSE WHERE DS = '2022-02-01'") == []
    assert both.run("SELECT count(*), count(DISTINCT SECURITY_ID) FROM UNIVERSE") == [(15, 3)]
    assert both.table("SECURITY_EVENTS", "DS::VARCHAR, SECURITY_ID, EVENT, OLD, NEW") == [
        ("2022-01-31", "META.20220103", "renamed", "META", "METV"),
        ("2022-06-09", "FB.20220103", "name_changed", "Facebook, Inc.", "Meta Platforms, Inc."),
        ("2022-06-09", "FB.20220103", "renamed", "FB", "META"),
        ("2022-06-09", "FB.20220103", "ticker_reused", "META.20220103", "FB.20220103"),
    ]
    assert {row[0] for row in both.table("SECURITY_DECISIONS", "DECISION")} == {"same"}


def test_a_second_build_reads_the_last_state_and_the_new_day(both: Place) -> None:
    days = list(DAYS.items())
    both.load(dict(days[:4]))
    both.build()
    both.load(dict(days[4:]))

    built = both.build()

    assert (built.build, built.how, built.figures["new_ids"]) == (2, "increment", 0)
    increment = both.tables()
    assert both.build(whole=True).how == "whole"
    assert both.tables() == increment


def test_the_statements_of_a_build_in_snowflake_do_not_grow_with_the_days(gate: SnowflakeGate) -> None:
    counts = []
    place = Place(gate.env(), gate)
    place.create()
    for last in (3, 5):
        place.load(dict(list(DAYS.items())[:last]))
        place.build()  # makes what is missing
        before = len(gate.statements())
        place.build(whole=True)
        counts.append(len(gate.statements()) - before)

    assert counts[0] == counts[1] < 50


@pytest.mark.parametrize("hard", [False, True])
def test_nightly_builds_equal_a_whole_one_whatever_the_order(
    hard: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = market_days(Market(5, 100, hard=hard), sessions(date(2004, 3, 1), 16))
    order = list(days)
    tables = []
    for name, batches in (
        ("nightly", [[day] for day in order[:4]] + [order[4:11], order[11:]]),
        ("at once", [order]),
        ("backfilled", [order[10:], order[:10]]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        place = Place(DUCK)
        place.create()
        for batch in batches:
            place.load({day: days[day] for day in reversed(batch)})
            place.build()
        tables.append(place.tables())
    place.build(whole=True)
    assert place.tables() == tables[-1]

    assert tables[0] == tables[1]
    # A backfill of earlier years leaves the ids as they were given; all else is the same.
    assert len(tables[2]["SECURITIES"]) == len(tables[1]["SECURITIES"])
    assert tables[2]["SECURITY_STRETCHES"] == tables[1]["SECURITY_STRETCHES"]


def test_ids_that_were_given_stay_when_earlier_years_are_loaded(place: Place) -> None:
    days = list(DAYS.items())
    place.load(dict(days[3:]))
    place.build()
    assert ("FB.20220608",) in place.table("SECURITIES", "SECURITY_ID")

    place.load(dict(days[:3]))
    built = place.build()

    assert built.how == "whole"
    assert ("FB.20220608",) in place.table("SECURITIES", "SECURITY_ID")
    assert place.table("SECURITIES", "FIRST_DS::VARCHAR")[0] == ("2022-01-03",)


def test_two_ids_that_turn_out_to_be_one_leave_an_alias(place: Place) -> None:
    old, new = ("OLD", "Alpha Corp.", "CS", "XNAS", None, "F1"), ("NEW", "Beta Inc.", "CS", "XNAS")
    place.load({"2022-01-03": [AAPL, old], "2022-01-04": [AAPL, new]})
    place.build()
    assert len(place.table("SECURITIES")) == 3

    place.load({"2022-01-05": [AAPL, (*new, None, "F1")]})
    place.build()

    assert place.table("SECURITY_ALIASES") == [("NEW.20220104", "OLD.20220103")]
    assert place.table("SECURITIES", "SECURITY_ID, TICKER")[1:] == [("OLD.20220103", "NEW")]


def test_two_builds_of_one_process_at_once_are_one_master(place: Place) -> None:
    days = sessions(date(2026, 1, 5), 4)
    place.load({str(day): [AAPL, ("X", "X Corp.", "CS", "XNAS", "1")] for day in days})
    ends = at_once(3, lambda: place.build(whole=True))
    assert any(isinstance(end, Built) for end in ends), ends
    assert len(place.table("SECURITIES")) == len(place.table("SECURITY_HISTORY")) == 2


# ---- what the lists' noise must not do ----


def test_flickers_cut_no_history(place: Place) -> None:
    days = sessions(date(2026, 1, 5), 12)
    away: dict[int, list[tuple[str, ...]]] = {
        3: [],
        5: [("X", "X Corp.", "CS", "XNAS", "1")],
        8: [("X", "X CORP", "CS", "XNYS", "2", "F1")],
    }
    usual = [("X", "X Corp.", "CS", "XNAS", "1", "F1")]
    place.load({str(day): [AAPL, *away.get(at, usual)] for at, day in enumerate(days)})

    place.build()

    assert len(place.table("SECURITY_HISTORY")) == 2
    assert place.table("SECURITY_EVENTS", "SECURITY_ID, EVENT, DS::VARCHAR, OLD, NEW") == [
        ("X.20260105", "gap", str(days[3]), str(days[2]), str(days[4]))
    ]


def test_a_broken_day_is_left_out_and_told(place: Place) -> None:
    days = sessions(date(2026, 1, 5), 5)
    listed = [(f"T{number:03}", f"Company {number} Inc.", "CS", "XNAS", str(number)) for number in range(200)]
    place.load({str(day): listed[: 150 if at == 2 else 200] for at, day in enumerate(days)})

    built = place.build()

    assert built.lists == 4
    assert [str(days[2]) in warning for warning in built.warnings] == [True]
    assert place.run("SELECT count(*) FROM SECURITY_EVENTS") == [(0,)]
    assert (days[2], 150, "broken") in place.table("SECURITY_LISTS", "DS, LISTED, STATE")


def record(place: Place, day: str, source: str, **more: Any) -> None:
    """The record of a published day."""
    cells = {
        "RUN_ID": f"run {day}",
        "DATASET": "tickers",
        "MARKET": "stocks",
        "ACTIVE": True,
        "DS": day,
        "STATUS": "published",
    }
    cells |= {"FINISHED_UTC": f"{day} 12:00:00", "SOURCE": source, **more}
    values = ", ".join(str(cell).lower() if isinstance(cell, bool) else f"'{cell}'" for cell in cells.values())
    place.run(f"INSERT INTO STOCKPIPE_RUNS ({', '.join(cells)}) VALUES ({values})")


def test_the_seam_between_dated_records_and_current_lists_shows_no_events(both: Place) -> None:
    dated = [("X", "X CORP", None, "XNAS", "1"), ("Y", "Y INC.", None, "XNYS", None)]
    current = [("X", "X Corp. Common Stock", "CS", "XNAS", "1", "F1"), ("Y", "Y Inc.", "CS", "XNYS", "2")]
    for day, rows, kind in (
        ("2026-01-05", dated, "dated"), ("2026-01-06", dated, "dated"), ("2026-01-07", current, "current"),
        ("2026-01-08", dated, "dated"), ("2026-01-09", current, "current"),
    ):  # fmt: skip
        both.load({day: rows})
        record(both, day, f"https://api.massive.com ({kind})")

    both.build()

    assert both.table("SECURITY_EVENTS") == []
    assert len(both.table("SECURITIES")) == 2


def test_the_vendors_date_tells_the_end(place: Place) -> None:
    days = sessions(date(2026, 1, 5), 3)
    gone = ("X", "X Corp.", "CS", "XNAS", "1", "F1")
    place.load({str(day): [AAPL, gone] if at == 0 else [AAPL] for at, day in enumerate(days)})
    assert place.build().figures["unknown"] == 1

    place.load(
        {str(days[2]): [(*gone, "S1", "2026-01-05"), ("X", "Stranger", "CS", "XNAS", "9", "F9", None, "2011-01-03")]},
        active=False,
    )
    place.build()

    assert place.table("SECURITIES", "SECURITY_ID, STATUS, DELISTED_ON::VARCHAR")[1] == (
        "X.20260105",
        "delisted",
        "2026-01-05",
    )


# ---- what it refuses ----


def test_no_day_at_all_is_told(place: Place) -> None:
    with pytest.raises(NotThere, match=r"No day of the listed stocks is loaded.*Load days first"):
        place.build()
    place.load({"2026-01-05": [AAPL]})
    with pytest.raises(NotThere, match="No day from 2027-01-01 on is loaded"):
        place.build(start=date(2027, 1, 1))


def test_one_day_is_built_and_told(place: Place) -> None:
    place.load({"2026-01-05": [AAPL]})

    built = place.build()

    assert built.warnings == [
        "Only 2026-01-05 is loaded: nothing can have happened yet, and every id begins with this day."
    ]
    assert place.table("SECURITY_EVENTS") == []


def test_a_gap_of_months_is_told(place: Place) -> None:
    place.load(
        {
            "2026-01-05": [AAPL, ("O", "Alpha", "CS", "XNAS", "1")],
            "2026-06-12": [AAPL, ("N", "Beta", "CS", "XNAS", "1")],
        }
    )

    built = place.build()

    assert (
        "Between 2026-01-05 and 2026-06-12 no list is loaded for 158 days: no rename can be proved" in built.warnings[0]
    )
    assert place.table("SECURITY_DECISIONS", "RULE, CONFIDENCE") == [("cik", "low")]


def test_days_of_the_sandbox_among_real_ones_are_refused(place: Place) -> None:
    place.load(DAYS)
    record(place, "2022-01-03", "https://api.massive.com (dated)")
    record(place, "2022-01-28", "sandbox (synthetic seed=7) at http://127.0.0.1:8765 (dated)")

    with pytest.raises(DataCheckError, match="several markets") as refused:
        place.build()

    assert "sandbox (synthetic seed=7): 1 from 2022-01-28 to 2022-01-28" in str(refused.value)
    assert place.run("SELECT count(*) FROM SECURITIES") == [(0,)]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE SECURITIES SET NAME = 'Mine' WHERE TICKER = 'AAPL'", "SECURITIES has other rows"),
        ("DELETE FROM SECURITY_HISTORY WHERE TICKER = 'FB'", "SECURITY_HISTORY has other rows"),
        ("DELETE FROM SECURITY_EVENTS", "SECURITY_EVENTS has 0 rows where 4 were written"),
    ],
)
def test_a_table_that_a_person_edited_is_told_and_kept(place: Place, statement: str, words: str) -> None:
    place.load(DAYS)
    place.build()
    place.run(statement)
    edited = place.tables()

    with pytest.raises(DataCheckError, match=words) as refused:
        place.build()

    assert "master build --rebuild" in refused.value.hint
    with pytest.raises(DataCheckError, match=words):
        place.build(force=True)
    assert place.tables() == edited
    place.build(whole=True)
    assert place.run("SELECT count(*) FROM SECURITIES WHERE NAME = 'Mine'") == [(0,)]


@pytest.mark.parametrize("name", ["SECURITY_HISTORY", "SECURITY_EVENTS"])
def test_a_table_that_was_dropped_is_told_and_made_again(both: Place, name: str) -> None:
    both.load(DAYS)
    both.build()
    before = both.table("SECURITY_HISTORY")
    both.run(f"DROP TABLE {name}")

    with pytest.raises(DataCheckError, match=f"{name} is not there: another hand has changed it"):
        both.build()

    both.build(whole=True)
    assert both.table("SECURITY_HISTORY") == before


def test_an_id_that_nobody_has_any_more_keeps_the_old_master(place: Place) -> None:
    place.load(DAYS)
    place.build()
    before = place.tables()
    place.load({day: [row for row in rows if row[0] != "AAPL"] for day, rows in DAYS.items()})

    with pytest.raises(
        DataCheckError, match=r"1 ids that were given before belong to nobody in the lists \(AAPL.20220103\)"
    ) as refused:
        place.build()

    assert refused.value.checks == {"lost_ids"}
    assert place.tables() == before
    assert "the days that were loaded since" in refused.value.hint
    assert place.build(force=True).forced == ["lost_ids"]


def test_ids_that_a_later_first_day_leaves_out_are_told_as_such(place: Place) -> None:
    gone = ("GONE", "Gone Inc.", "CS", "XNAS", "0000000009", None, None)
    place.load({day: [*rows, gone] if day < "2022-02" else rows for day, rows in DAYS.items()})
    place.build()

    with pytest.raises(DataCheckError, match=r"\(GONE.20220103\)") as refused:
        place.build(start=date(2022, 6, 8))

    assert refused.value.hint == (
        "The master is as it was. --from 2022-06-08 leaves out the days before it, and who was listed then alone; "
        "--force publishes it all the same."
    )
    assert place.build(start=date(2022, 6, 8), force=True).first == date(2022, 6, 8)


def test_many_changed_ids_keep_the_old_master(place: Place) -> None:
    days = sessions(date(2026, 1, 5), 3)
    names = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]
    first = [(name, f"{name} Corp.", "CS", "XNAS", f"1{at}", f"F{at}") for at, name in enumerate(names)]
    place.load({str(days[0]): first, str(days[1]): first})
    place.build()
    # The vendor's day 1 is another one now: all tickers are other companies'.
    place.load(
        {str(days[0]): [(name, f"Other {at} plc", "ETF", "XNAS", f"2{at}", f"G{at}") for at, name in enumerate(names)]}
    )

    with pytest.raises(DataCheckError, match="100 of 100 securities would get another id, more than 1 %"):
        place.build(whole=True)  # without a record of the run, another content of as many rows is not noticed


def test_a_build_that_another_one_overtook_begins_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.load(DAYS)
    place.build()
    settings = load_settings(DUCK, env={})
    overtaken: list[int] = []
    with closing(open_warehouse(settings)) as warehouse:
        replace = warehouse.replace

        def overtake(replacement: Any) -> None:
            if not overtaken:
                overtaken.append(1)
                place.run(
                    "INSERT INTO SECURITY_BUILDS (BUILD, DIGESTS, FIGURES) SELECT 2, DIGESTS, FIGURES FROM SECURITY_BUILDS"
                )
            replace(replacement)

        monkeypatch.setattr(warehouse, "replace", overtake)
        assert build_master(warehouse, settings, Clock(), Wish()).build == 3


# ---- a person's decisions ----


def test_overrides_are_applied_and_shown(place: Place) -> None:
    place.load({"2026-01-05": [AAPL, ("O", "Alpha", "CS", "XNAS")], "2026-01-06": [AAPL, ("N", "Beta", "CS", "XNAS")]})
    Path("master-overrides.csv").write_text("decision,from,to,why\nsame,O@2026-01-05,N@2026-01-06,press release\n")

    place.build()

    assert place.table("SECURITY_DECISIONS", "DECISION, RULE, EVIDENCE, OVERRULED") == [
        ("same", "override", "press release", True)
    ]
    assert len(place.table("SECURITIES")) == 2


def test_an_override_that_no_longer_fits_is_told(place: Place) -> None:
    place.load(DAYS)
    Path("master-overrides.csv").write_text("decision,from,to,why\nsame,GONE@2022-01-03,AAPL@2022-01-03,typed by me\n")

    assert place.build().warnings[-1] == (
        "The override in line 2 (same: AAPL@2022-01-03, GONE@2022-01-03) changes nothing: GONE was not listed on 2022-01-03."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("decision,from,to,why\nsane,A@2022-01-03,B@2022-01-03,x\n", "line 2 says 'sane'"),
        ("\xff", "cannot be read"),
        (None, "There is no file mine.csv"),
    ],
)
def test_an_overrides_file_with_a_typo_stops_the_build(place: Place, text: str | None, words: str) -> None:
    place.load(DAYS)
    if text is not None:
        Path("mine.csv").write_bytes(text.encode("latin-1"))
    place.settings = place.settings | {"STOCKPIPE_MASTER_OVERRIDES": "mine.csv"}

    with pytest.raises(ConfigError, match=words):
        place.build()


def test_the_record_of_a_build(place: Place) -> None:
    place.load(DAYS)
    place.build()

    row = place.run("SELECT BUILD, HOW, LAST_DS::VARCHAR, LISTS, FIGURES FROM SECURITY_BUILDS")[0]

    assert row[:4] == (1, "whole", "2022-06-09", 5)
    assert json.loads(row[4])["listed"] == 3


def test_days_left_out_on_request_stay_left_out(place: Place) -> None:
    place.load(DAYS)

    assert place.build(start=date(2022, 2, 1)).first == date(2022, 6, 8)
    assert place.build().first == date(2022, 6, 8)
    assert place.build(whole=True).first == date(2022, 1, 3)
