"""`universe`, `lookup` and `changes` over a security master, as commands and from Python."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, stock, table
from stockpipe.errors import NotThere, UsageError
from support.master import Place

pytestmark = pytest.mark.slow

DUCK = {"STOCKPIPE_WAREHOUSE": "duckdb"}
FB = ("FB", "Facebook, Inc.", "CS", "XNAS", "0001326801", "BBG000MM2P62")
META = ("META", "Meta Platforms, Inc.", "CS", "XNAS", "0001326801", "BBG000MM2P62")
FUND = ("META", "Roundhill Ball Metaverse ETF", "ETF", "ARCX", "0001976517", "BBG011KTTKZ7")
DAYS = {
    "2022-01-28": [FB, FUND, ("GONE", "Gone Inc.", "CS", "XNYS", "7")],
    "2022-01-31": [FB, ("METV", *FUND[1:]), ("GONE", "Other plc", "ETF", "ARCX", "8")],
    "2022-06-09": [META, ("METV", *FUND[1:]), ("GONE", "Other plc", "ETF", "ARCX", "8")],
}


@pytest.fixture
def place() -> Place:
    """Three published days."""
    made = Place(DUCK)
    made.create()
    made.load(DAYS)
    for day, rows in DAYS.items():
        made.run(
            "INSERT INTO STOCKPIPE_RUNS (RUN_ID, DATASET, MARKET, ACTIVE, DS, STATUS, FINISHED_UTC, ROWS_PUBLISHED) "
            f"VALUES ('run {day}', 'tickers', 'stocks', true, '{day}', 'published', '{day}', {len(rows)})"
        )
    return made


def test_what_was_fb_and_what_is_it_called_today_and_who_had_meta(place: Place) -> None:
    place.build()

    then = json.loads(command("lookup", "FB", "--date", "2022-02-07", "--json", env=DUCK).stdout)
    holders = json.loads(command("lookup", "META", "--json", env=DUCK).stdout)

    assert [(row["security_id"], row["name"], row["ticker_now"], row["status"]) for row in then] == [
        ("FB.20220128", "Facebook, Inc.", "META", "listed")
    ]
    assert [(row["security_id"], row["valid_from"], row["valid_to"]) for row in holders] == [
        ("META.20220128", "2022-01-28", "2022-01-31"),
        ("FB.20220128", "2022-06-09", None),
    ]


def test_the_universe_as_of_a_day(place: Place) -> None:
    place.build()

    between = command("universe", "--date", "2022-01-30", "--format", "csv", env=DUCK)
    lines = between.stdout.splitlines()
    told = "No list of 2022-01-30 is loaded: this is as of 2022-01-28.\n"
    assert (between.returncode, between.stderr) == (0, told)
    assert told in command("lookup", "FB", "--date", "2022-01-30", env=DUCK).stderr
    for words in (("--date", "2022-01-31"), (), ("--date", "2022-01-30", "--quiet")):
        assert "No list" not in command("universe", *words, env=DUCK).stderr
    done = command("universe", "--format", "parquet", "--out", "u.parquet", env=DUCK)

    assert [line.partition(",")[0] for line in lines] == [
        "SECURITY_ID",
        "FB.20220128",
        "GONE.20220128",
        "META.20220128",
    ]
    assert (done.returncode, done.stderr) == (0, "Wrote 3 rows to u.parquet\n")
    with duckdb.connect() as connection:
        assert connection.execute("SELECT TICKER FROM 'u.parquet' ORDER BY 1").fetchall() == [
            ("GONE",),
            ("META",),
            ("METV",),
        ]


def test_a_file_that_cannot_be_written_is_told_and_the_old_one_stays(place: Place) -> None:
    place.build()
    done = command("universe", "--format", "parquet", "--out", "no/folder/u.parquet", env=DUCK)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: no/folder/u.parquet cannot be written: No such file or directory.\n       Name another file.\n",
    )


def test_parquet_on_standard_output_is_a_file(place: Place) -> None:
    place.build()
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "stockpipe", "universe", "--format", "parquet", "-q"], capture_output=True, env=None
    )

    assert done.returncode == 0
    assert done.stdout[:4] == done.stdout[-4:] == b"PAR1"


CHANGES_WITHOUT = [
    ("renamed", "METV", "META", None),
    ("changed", "GONE", "GONE", "CIK"),
    ("changed", "GONE", "GONE", "NAME"),
    ("changed", "GONE", "GONE", "PRIMARY_EXCHANGE"),
    ("changed", "GONE", "GONE", "TYPE"),
]
CHANGES_WITH = [("new", "GONE", None, None), ("gone", "GONE", "GONE", None), ("renamed", "METV", "META", None)]


@pytest.mark.parametrize(
    ("built", "expected"), [(False, CHANGES_WITHOUT), (True, CHANGES_WITH)], ids=["by FIGI", "by the master"]
)
def test_changes_pair_renames_and_a_reused_ticker_needs_the_master(
    place: Place, built: bool, expected: list[object]
) -> None:
    if built:
        place.build()

    with stockpipe.open(settings=DUCK) as desk:
        found = desk.changes("2022-01-31").rows()

    assert [
        (row["CHANGE"], row["TICKER"], row["OLD_TICKER"], row["COLUMN_NAME"] if row["CHANGE"] == "changed" else None)
        for row in found
    ] == expected


def test_tickers_that_swap_are_two_renames_even_without_a_master() -> None:
    place = Place(DUCK)
    place.create()
    one, two = ("Alpha Corp.", "CS", "XNAS", "1", "F1"), ("Beta Corp.", "CS", "XNAS", "2", "F2")
    place.load({"2026-01-05": [("AAA", *one), ("BBB", *two)], "2026-01-06": [("AAA", *two), ("BBB", *one)]})
    for day in ("2026-01-05", "2026-01-06"):
        place.run(
            "INSERT INTO STOCKPIPE_RUNS (RUN_ID, DATASET, MARKET, ACTIVE, DS, STATUS, FINISHED_UTC) "
            f"VALUES ('{day}', 'tickers', 'stocks', true, '{day}', 'published', '{day}')"
        )

    done = command("changes", "--json", env=DUCK)

    assert [(row["change"], row["old"], row["new"]) for row in json.loads(done.stdout)] == [
        ("renamed", "BBB", "AAA"),
        ("renamed", "AAA", "BBB"),
    ]


def test_two_days_that_are_the_same_are_told_in_a_sentence() -> None:
    place = Place(DUCK)
    place.create()
    rows = [("AAA", "Alpha Corp.", "CS", "XNAS", "1", "F1")]
    place.load(dict.fromkeys(("2026-01-05", "2026-01-06", "2026-01-07"), rows))
    for day in ("2026-01-05", "2026-01-06", "2026-01-07"):
        place.run(
            "INSERT INTO STOCKPIPE_RUNS (RUN_ID, DATASET, MARKET, ACTIVE, DS, STATUS, FINISHED_UTC) "
            f"VALUES ('{day}', 'tickers', 'stocks', true, '{day}', 'published', '{day}')"
        )

    done = command("changes", env=DUCK)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert done.stderr.splitlines()[0] == "Nothing changed in stocks from 2026-01-06 to 2026-01-07."
    since = command("changes", "--since", "2026-01-05", "--json", env=DUCK)
    assert (since.stdout, since.stderr) == ("[]\n", "Nothing changed in stocks from 2026-01-05 to 2026-01-07.\n")
    assert command("changes", "--json", "-q", env=DUCK).stderr == ""


def test_what_cannot_be_answered_is_said(place: Place) -> None:
    with stockpipe.open(settings=DUCK) as desk:
        with pytest.raises(NotThere, match="No security master is built yet"):
            desk.lookup("FB")
        place.build()
        with pytest.raises(UsageError, match="knows the days from 2022-01-28 to 2022-06-09, not 2021-01-04"):
            desk.securities("2021-01-04")
        assert len(desk.lookup("FB")) == 1

    done = command("lookup", "NOBODY", env=DUCK)
    assert (done.returncode, "Nobody was listed as NOBODY on any day" in done.stderr) == (2, True)
    assert "Did you mean" not in done.stderr
    done = command("lookup", "metv", env=DUCK)
    assert (done.returncode, "Did you mean METV? Upper and lower case matter" in done.stderr) == (2, True)
    assert command("universe", "--json", "--format", "csv", env=DUCK).returncode == 2
    assert command("universe", "--out", "x.csv", env=DUCK).returncode == 2


@pytest.mark.usefixtures("place")
def test_master_build_and_status_as_commands() -> None:
    assert command("master", "status", env=DUCK).returncode == 6

    built = command("master", "build", "--json", env=DUCK)
    told = command("master", "build", env=DUCK)
    status = json.loads(command("master", "status", "--json", env=DUCK).stdout)

    assert (built.returncode, json.loads(built.stdout)["how"]) == (0, "whole")
    assert "Days       3 lists from 2022-01-28 to 2022-06-09" in told.stderr
    assert "no rename can be proved" in told.stderr
    assert (status["build"], status["how"], status["figures"]["listed"]) == (2, "increment", 3)

    Path("master-overrides.csv").write_text("decison,from,to,why\n")
    typo = command("master", "build", env=DUCK)
    assert (typo.returncode, "master-overrides.csv: line 1 must name the columns" in typo.stderr) == (3, True)


def test_a_run_builds_the_master_where_it_is_wanted(serve: Serve) -> None:
    rows = [*many(3), stock("X:AUSD", market="crypto", locale="global")]
    env = flags(serve(rows)) | DUCK | {"STOCKPIPE_MASTER": "true"}

    assert command("run", env=env).returncode == 0
    assert table("SELECT count(*) FROM SECURITIES") == [(3,)]
    Path("master-overrides.csv").write_text("decison,from,to,why\n")
    done = command("run", "--force", env=env)

    assert (done.returncode, "The day is loaded, and the security master was not built" in done.stderr) == (3, True)
    for market in ("stocks", "stocks,crypto"):
        told = command("run", "--force", "--market", market, "--json", "-q", env=env)
        assert (told.returncode, json.loads(told.stdout)["exit_code"]) == (3, 3)
    assert command("run", "--dry-run", env=env).returncode == 0


def test_a_backfill_builds_the_master_once_at_its_end_also_where_nothing_is_missing_any_more(serve: Serve) -> None:
    env = flags(serve(many(3))) | DUCK
    words = ("backfill", "--from", "2025-03-03", "--to", "2025-03-05", "--yes")
    assert command(*words, env=env | {"STOCKPIPE_MASTER": "yes"}).returncode == 3  # before the first call
    assert command(*words, env=env).returncode == 0

    wanted = env | {"STOCKPIPE_MASTER": "true"}
    assert command(*words, "--dry-run", env=wanted).returncode == 0
    assert command(*words, env=wanted).returncode == 0
    assert table("SELECT LAST_DS::VARCHAR FROM SECURITY_BUILDS") == [("2025-03-05",)]

    longer = (*words[:3], "--to", "2025-03-08", "--yes")
    assert command(*longer, env=wanted).returncode == 0
    assert table("SELECT LAST_DS::VARCHAR FROM SECURITY_BUILDS ORDER BY BUILD") == [("2025-03-05",), ("2025-03-08",)]


def test_a_backfill_whose_master_is_not_built_has_its_days_and_the_exit_code(serve: Serve) -> None:
    env = flags(serve(many(3))) | DUCK | {"STOCKPIPE_MASTER": "true"}
    Path("master-overrides.csv").write_text("decison,from,to,why\n")
    done = command("backfill", "--from", "2025-03-03", "--to", "2025-03-04", "--json", "-q", env=env)
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"], document["days"], document["status"]) == (3, 3, 2, "failed")
    assert "The days are loaded, and the security master was not built: master-overrides.csv" in done.stderr


def test_a_load_from_python_builds_the_master_where_it_is_wanted(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    env = flags(serve(many(3))) | DUCK | {"STOCKPIPE_MASTER": "true"}
    stockpipe.load(settings=env, dry_run=True)
    assert not Path("stockpipe.duckdb").exists() or not table(
        "SELECT 1 FROM duckdb_tables() WHERE table_name = 'SECURITIES'"
    )

    assert stockpipe.load(settings=env).rows == 3
    assert table("SELECT count(*) FROM SECURITIES") == [(3,)]
    Path("master-overrides.csv").write_text("decison,from,to,why\n")
    assert stockpipe.load(settings=env, force=True).rows == 3
    assert "The day is loaded, and the security master was not built" in caplog.text


def test_the_universe_of_a_published_day_has_permanent_ids_where_a_master_knows_it(place: Place) -> None:
    with stockpipe.open(warehouse="duckdb") as desk:
        without = desk.universe("2022-01-31")
        place.build()
        found = desk.universe("2022-01-31")
    assert found.columns == [*without.columns, "SECURITY_ID"]
    assert [row | {"SECURITY_ID": None} for row in found.rows()] == [
        row | {"SECURITY_ID": None} for row in without.rows()
    ]
    assert [(row["TICKER"], row["SECURITY_ID"]) for row in found.rows()] == [
        ("FB", "FB.20220128"),
        ("GONE", "GONE.20220131"),
        ("METV", "META.20220128"),
    ]


def test_a_row_that_the_master_does_not_know_has_no_id_and_stays(place: Place) -> None:
    place.build()
    place.run("DELETE FROM SECURITY_HISTORY WHERE TICKER = 'FB'")
    with stockpipe.open(warehouse="duckdb") as desk:
        assert next(row["SECURITY_ID"] for row in desk.universe("2022-01-28").rows()) is None
