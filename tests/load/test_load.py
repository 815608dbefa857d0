"""A day from the API to DuckDB, over real HTTP: every row arrives as it came, or is rejected with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from stockpipe.errors import DataCheckError, UsageError


def test_a_day_of_several_pages_arrives_whole(serve: Serve) -> None:
    sandbox = serve(many(2500))
    result = stockpipe.load(settings=flags(sandbox))
    assert (result.rows, result.table) == (2500, "TICKERS")
    assert table("SELECT count(*), count(DISTINCT TICKER), min(TICKER), max(TICKER) FROM TICKERS") == [
        (2500, 2500, "T00000", "T02499")
    ]
    assert len(sandbox.calls) == 3


def test_twelve_thousand_rows_take_twelve_calls(serve: Serve) -> None:
    sandbox = serve(many(12_000))
    result = stockpipe.load(settings=flags(sandbox))
    assert (result.rows, len(sandbox.calls)) == (12_000, 12)


@pytest.mark.parametrize(("rows", "engines"), [([stock("A"), stock("B")], 1), ([stock("A"), stock("B", name="")], 2)])
def test_a_load_makes_one_engine_unless_rows_are_rejected(
    rows: list[dict[str, Any]], engines: int, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs 20 to 30 ms of a processor. Rejected rows are looked up while the file is open."""
    connect, made = duckdb.connect, 0

    def counted(*what: Any, **how: Any) -> duckdb.DuckDBPyConnection:
        nonlocal made
        made += 1
        return connect(*what, **how)

    monkeypatch.setattr(duckdb, "connect", counted)
    for _ in range(2):  # the same day again takes as few
        made = 0
        stockpipe.load(settings=flags(serve(rows)), force=True)
        assert made == engines


def test_the_request_is_the_one_that_was_promised(serve: Serve) -> None:
    sandbox = serve(many(3))
    stockpipe.load(settings=flags(sandbox))
    assert sandbox.calls[0].path == "/v3/reference/tickers"
    assert sandbox.calls[0].query == {
        "market": "stocks", "active": "true", "order": "asc", "sort": "ticker", "limit": "1000",
    }  # fmt: skip


def test_a_date_is_asked_only_when_it_was_given(serve: Serve) -> None:
    sandbox = serve(many(3))
    stockpipe.load(on="2026-02-06", settings=flags(sandbox))
    assert sandbox.calls[0].query["date"] == "2026-02-06"
    assert table("SELECT DISTINCT DS::VARCHAR FROM TICKERS") == [("2026-02-06",)]


def test_text_stays_as_it_came(serve: Serve) -> None:
    odd = ["ABRpD", "BCPC", "BCpC", "NA", "NAN", "ON", "TRUE"]
    names = {
        "NA": "  two  spaces",
        "NAN": "Soci\u00e9t\u00e9 \u0141\u00f3d\u017a",
        "TRUE": "-1x Short",
        "ON": '"quoted", O\'Neil',
    }
    rows = [stock(ticker, name=names.get(ticker, ticker), cik="0000000042") for ticker in odd]
    stockpipe.load(settings=flags(serve(rows)))
    assert [row[0] for row in table("SELECT TICKER FROM TICKERS ORDER BY TICKER")] == odd
    assert dict(table("SELECT TICKER, NAME FROM TICKERS WHERE TICKER IN ('NA', 'NAN', 'TRUE', 'ON')")) == names  # type: ignore[arg-type]
    assert table("SELECT DISTINCT CIK FROM TICKERS") == [("0000000042",)]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-02-07T07:05:42Z", "2026-02-07 07:05:42"),
        ("2026-02-07T07:05:42.1Z", "2026-02-07 07:05:42.1"),
        ("2026-02-07T07:05:42.81804786Z", "2026-02-07 07:05:42.81804786"),
        ("2026-02-07T07:05:42.818047861Z", "2026-02-07 07:05:42.818047861"),
    ],
)
def test_a_time_keeps_all_its_digits(serve: Serve, sent: str, stored: str) -> None:
    stockpipe.load(settings=flags(serve([stock("A", last_updated_utc=sent)])))
    assert table("SELECT LAST_UPDATED_UTC::VARCHAR FROM TICKERS") == [(stored,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ticker": ""}, "ticker is missing"),
        ({"name": ""}, "name is missing"),
        ({"ticker": "X" * 21}, "ticker has 21 characters, at most 20 fit"),
        ({"name": "n" * 501}, "name has 501 characters, at most 500 fit"),
        ({"last_updated_utc": "2026-02-07"}, "last_updated_utc is not a readable time"),
        ({"last_updated_utc": "2026-02-30T00:00:00Z"}, "last_updated_utc is not a readable time"),
        ({"last_updated_utc": "2026-02-07T07:05:42.1234567890Z"}, "last_updated_utc is not a readable time"),
        ({"last_updated_utc": "2026-02-07T07:05:42+02:00"}, "last_updated_utc is not a readable time"),
        ({"name": "nul\0"}, "name has a NUL character"),
    ],
)
def test_a_row_that_cannot_be_stored_is_rejected_not_bent(serve: Serve, change: dict[str, str], reason: str) -> None:
    sandbox = serve([*many(200), stock("ZZ", **change)])
    result = stockpipe.load(settings=flags(sandbox))
    assert (result.rows, result.records[0].rows_rejected) == (200, 1)
    assert table("SELECT REASON FROM STOCKPIPE_REJECTS") == [(reason,)]
    raw = json.loads(str(table("SELECT RAW FROM STOCKPIPE_REJECTS")[0][0]))
    assert all(raw.get(field, "") == value for field, value in change.items())


def test_an_unknown_field_is_kept_and_named(serve: Serve) -> None:
    sandbox = serve([stock("A", Ticker="shadow", listing_tier="gold"), stock("B")])
    result = stockpipe.load(settings=flags(sandbox))
    assert table("SELECT TICKER, EXTRA FROM TICKERS ORDER BY 1") == [
        ("A", '{"Ticker":"shadow","listing_tier":"gold"}'),
        ("B", None),
    ]
    assert result.records[0].new_fields == ["Ticker", "listing_tier"]


def test_the_record_of_very_many_unknown_fields_stays_small(serve: Serve) -> None:
    sandbox = serve([stock("A", **{f"f{number:04}": "x" for number in range(1284)})])
    result = stockpipe.load(settings=flags(sandbox))
    names = json.loads(str(table("SELECT NEW_FIELDS FROM STOCKPIPE_RUNS")[0][0]))
    assert names == [*(f"f{number:04}" for number in range(50)), "and 1,234 more"]
    assert any(text.endswith("f0006, f0007 and 1,276 more.") for text in result.records[0].warnings)


def test_the_same_day_twice_is_the_same_table(serve: Serve) -> None:
    sandbox = serve(many(1200))
    for _ in range(2):
        stockpipe.load(settings=flags(sandbox))
    assert table("SELECT count(*), count(DISTINCT TICKER) FROM TICKERS") == [(1200, 1200)]
    assert table("SELECT STATUS, ROWS_PUBLISHED FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [
        ("published", 1200),
        ("unchanged", 1200),
    ]


def test_a_day_is_written_anew_when_a_row_changed_or_is_gone_from_the_table(serve: Serve) -> None:
    rows = many(300)
    stockpipe.load(settings=flags(serve(rows)))
    stockpipe.load(settings=flags(serve([*rows[:-1], rows[-1] | {"name": "Renamed"}])))
    assert table("SELECT count(*) FROM TICKERS WHERE NAME = 'Renamed'") == [(1,)]
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("DELETE FROM TICKERS WHERE NAME = 'Renamed'")
    stockpipe.load(settings=flags(serve([*rows[:-1], rows[-1] | {"name": "Renamed"}])))
    assert table("SELECT count(*) FROM TICKERS") == [(300,)]
    assert table("SELECT STATUS FROM STOCKPIPE_RUNS") == [("published",)] * 3


def test_only_a_newer_build_stamp_is_no_change_and_force_writes_all_the_same(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(3))))
    newer = serve([row | {"last_updated_utc": "2026-02-08T07:05:42Z"} for row in many(3)])
    stockpipe.load(settings=flags(newer))
    assert table("SELECT DISTINCT LAST_UPDATED_UTC::DATE::VARCHAR FROM TICKERS") == [("2026-02-07",)]
    stockpipe.load(settings=flags(newer), force=True)
    assert table("SELECT DISTINCT LAST_UPDATED_UTC::DATE::VARCHAR FROM TICKERS") == [("2026-02-08",)]
    assert table("SELECT STATUS, BUILD_DATE::VARCHAR FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [
        ("published", "2026-02-07"),
        ("unchanged", "2026-02-08"),
        ("published", "2026-02-08"),
    ]


def test_active_and_inactive_are_two_walks_and_replace_only_themselves(serve: Serve) -> None:
    gone = [stock(f"D{number}", active="False", delisted_utc="2020-01-02T00:00:00Z") for number in range(3)]
    sandbox = serve([*gone, *many(5)])
    stockpipe.load(active="both", settings=flags(sandbox))
    stockpipe.load(active="false", settings=flags(sandbox))
    assert table("SELECT ACTIVE, count(*) FROM TICKERS GROUP BY 1 ORDER BY 1") == [(False, 3), (True, 5)]
    assert table("SELECT DISTINCT DELISTED_UTC::VARCHAR FROM TICKERS WHERE NOT ACTIVE") == [("2020-01-02 00:00:00",)]


def test_an_exchange_longer_than_the_old_column_fits(serve: Serve) -> None:
    rows = [stock("GREYF", market="otc", primary_exchange="Grey Market", currency_name="USD")]
    stockpipe.load(market="otc", settings=flags(serve(rows)))
    assert table("SELECT PRIMARY_EXCHANGE FROM TICKERS") == [("Grey Market",)]


def test_an_index_needs_no_name(serve: Serve) -> None:
    rows = [{"ticker": "I:ABC", "market": "indices", "locale": "us", "active": "True"}]
    stockpipe.load(market="indices", settings=flags(serve(rows)))
    assert table("SELECT TICKER, NAME FROM TICKERS") == [("I:ABC", None)]


def test_identical_repetitions_are_dropped_and_counted(serve: Serve) -> None:
    sandbox = serve([stock("A"), stock("A"), stock("B")])
    record = stockpipe.load(settings=flags(sandbox)).records[0]
    assert (record.rows_fetched, record.rows_published, record.rows_repeated, record.rows_rejected) == (3, 2, 1, 0)


def test_of_two_different_active_rows_the_more_complete_stays(serve: Serve) -> None:
    sandbox = serve([*many(200), stock("UST", cik=""), stock("UST", cik="0000000007")])
    stockpipe.load(settings=flags(sandbox))
    assert table("SELECT CIK FROM TICKERS WHERE TICKER = 'UST'") == [("0000000007",)]
    assert table("SELECT TICKER, split_part(REASON, ':', 1) FROM STOCKPIPE_REJECTS") == [("UST", "conflict")]


def test_more_than_one_per_cent_rejected_stops_the_publish(serve: Serve) -> None:
    sandbox = serve([*many(97), *(stock(f"Z{number}", name="") for number in range(3))])
    with pytest.raises(DataCheckError, match="3 of 100 rows were rejected"):
        stockpipe.load(settings=flags(sandbox))
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]
    assert table("SELECT STATUS, ERROR FROM STOCKPIPE_RUNS") == [("refused", "DataCheckError")]


def test_a_dry_run_shows_the_sql_and_leaves_nothing(serve: Serve) -> None:
    result = stockpipe.load(dry_run=True, settings=flags(serve(many(10))))
    assert result.sql[0] == "BEGIN TRANSACTION"
    assert result.sql[-1] == "COMMIT"
    assert not Path("stockpipe.duckdb").exists()


def test_a_table_of_the_old_script_is_completed_and_its_rows_stay(serve: Serve) -> None:
    import duckdb

    with duckdb.connect("stockpipe.duckdb") as old:
        old.execute(
            "CREATE TABLE TICKERS (TICKER VARCHAR, NAME VARCHAR, MARKET VARCHAR, LOCALE VARCHAR, PRIMARY_EXCHANGE VARCHAR, TYPE VARCHAR,"
            " ACTIVE BOOLEAN, CURRENCY_NAME VARCHAR, CIK VARCHAR, COMPOSITE_FIGI VARCHAR, SHARE_CLASS_FIGI VARCHAR,"
            " LAST_UPDATED_UTC TIMESTAMP, DS DATE)"
        )
        old.execute("INSERT INTO TICKERS (TICKER, MARKET, ACTIVE, DS) VALUES ('OLD', 'stocks', true, '2026-01-01')")
    stockpipe.load(settings=flags(serve(many(2))))
    assert table("SELECT TICKER FROM TICKERS ORDER BY 1") == [("OLD",), ("T00000",), ("T00001",)]


def test_what_came_from_the_sandbox_says_so(serve: Serve) -> None:
    stockpipe.load(settings=flags(serve(many(1))))
    source = str(table("SELECT SOURCE FROM STOCKPIPE_RUNS")[0][0])
    assert source.startswith("sandbox (file listing-0.csv) at http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"market": "bonds"}, "market is 'bonds', which tickers does not know"),
        ({"on": "2003-09-09"}, "2003-09-09 is outside"),
        ({"on": "2999-01-01"}, "2999-01-01 is outside"),
        ({"on": "yesterday"}, "'yesterday' is not a date"),
        ({"active": "maybe"}, "active is 'maybe', which tickers does not know"),
        ({"dataset": "bars"}, "There is no dataset 'bars'"),
    ],
)
def test_words_that_make_no_sense_are_named(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        stockpipe.load(**arguments)  # type: ignore[arg-type]


def test_json_is_one_document_on_stdout(serve: Serve) -> None:
    done = command("run", "--json", env=flags(serve(many(4))))
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"], document["rows"], document["rejected"]) == (0, "published", 4, 0)


def test_the_story_is_told_on_stderr(serve: Serve) -> None:
    done = command("run", env=flags(serve(many(4))))
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[:7] == [
        "Connecting to DuckDB file stockpipe.duckdb...",
        "Connected to DuckDB successfully!",
        "Table TICKERS created",
        "Fetching active tickers from Massive API...",
        "Fetched 4 tickers.",
        "Warning: stocks: The vendor's list is the build of 2026-02-07, older than the day loaded ("
        + lines[5][-12:-2]
        + ").",
        "Ingesting 4 tickers into DuckDB file stockpipe.duckdb...",
    ]
    assert "Successfully ingested 4 tickers into TICKERS" in lines


def test_a_reused_inactive_ticker_may_stand_on_two_pages(serve: Serve) -> None:
    gone = [stock(f"D{number:04}", active="False", delisted_utc="2020-01-02T00:00:00Z") for number in range(1400)]
    gone[1000] = stock("D0999", active="False", delisted_utc="2009-03-04T00:00:00Z")
    result = stockpipe.load(active="false", settings=flags(serve(gone)))
    assert (result.rows, result.records[0].rows_repeated) == (1400, 0)
    assert table("SELECT count(*) FROM TICKERS WHERE TICKER = 'D0999'") == [(2,)]


def test_an_active_ticker_on_two_pages_is_the_sign_of_a_torn_list(serve: Serve) -> None:
    rows = [*many(1000), stock("T00999"), *many(500, "U")]
    with pytest.raises(DataCheckError, match="tickers stand on two pages: T00999"):
        stockpipe.load(settings=flags(serve(rows)))
    assert table("SELECT count(*) FROM TICKERS") == [(0,)]
    forced = stockpipe.load(force=True, settings=flags(serve(rows))).records[0]
    assert (forced.rows_published, forced.rows_repeated, forced.forced[0].split(":")[0]) == (1500, 1, "torn")


def test_a_day_that_lost_a_twentieth_is_refused_with_both_counts(serve: Serve) -> None:
    stockpipe.load(on="2026-02-05", settings=flags(serve(many(2000))))
    with pytest.raises(DataCheckError, match=r"1,890 rows against 2,000 on 2026-02-05 \(-5\.5%\)"):
        stockpipe.load(on="2026-02-06", settings=flags(serve(many(1890))))
    assert stockpipe.load(on="2026-02-06", force=True, settings=flags(serve(many(1890)))).rows == 1890
    assert table("SELECT DS::VARCHAR, count(*) FROM TICKERS GROUP BY 1 ORDER BY 1") == [
        ("2026-02-05", 2000),
        ("2026-02-06", 1890),
    ]


@pytest.mark.parametrize(
    ("before", "rows", "found"),
    [
        ("2026-02-05", 2050, "2,050 rows against 2,000 on 2026-02-05 (+2.5%): unusual for one day."),
        ("2026-01-17", 2050, "2,050 rows against 2,000 on 2026-01-17 (+2.5%): unusual for 20 days."),
        ("2025-11-08", 2050, None),
        ("2025-11-08", 2650, "2,650 rows against 2,000 on 2025-11-08 (+32.5%): unusual for 90 days."),
        ("2025-11-08", 3250, "refused: a rise of 60% or more."),
        ("2025-11-08", 1650, "refused: a loss of 15% or more."),
        ("2026-01-17", 1890, "refused: a loss of 5% or more."),
    ],
)
def test_the_longer_the_gap_the_more_a_list_may_have_changed(
    serve: Serve, before: str, rows: int, found: str | None
) -> None:
    stockpipe.load(on=before, settings=flags(serve(many(2000))))
    after = flags(serve(many(rows)))
    if found and found.startswith("refused: "):
        with pytest.raises(DataCheckError, match=found.removeprefix("refused: ")):
            stockpipe.load(on="2026-02-06", settings=after)
    else:
        warnings = stockpipe.load(on="2026-02-06", settings=after).records[0].warnings
        assert [text for text in warnings if "rows against" in text] == ([found] if found else [])


def test_a_list_that_ends_early_is_warned_about(serve: Serve) -> None:
    stockpipe.load(on="2026-02-05", settings=flags(serve([*many(995), stock("ZZ1"), stock("ZZ2")])))
    record = stockpipe.load(on="2026-02-06", settings=flags(serve(many(996)))).records[0]
    assert record.warnings == ["The list ends with T00995; on 2026-02-05 it ended with ZZ2: it may have been cut."]


def test_a_stale_list_is_a_refusal_where_freshness_is_required(serve: Serve) -> None:
    with pytest.raises(DataCheckError, match="is the build of 2026-02-07, older than the day loaded") as caught:
        stockpipe.load(require_fresh=True, settings=flags(serve(many(3))))
    assert caught.value.checks == {"stale"}


def test_a_known_field_that_vanishes_stops_the_publish(serve: Serve) -> None:
    stockpipe.load(on="2026-02-05", settings=flags(serve(many(300))))
    without = [row | {"cik": ""} for row in many(300)]
    with pytest.raises(DataCheckError, match="CIK is empty in every row; on 2026-02-05 it was filled"):
        stockpipe.load(on="2026-02-06", settings=flags(serve(without)))
