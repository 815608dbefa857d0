"""A dataset is one declaration: three that nobody has are loaded, rejected, replaced, exported and shown, in both warehouses.

Nothing of stockpipe knows them. One is a bare array with every type of column, one is paged by a cursor and divided into
parts, one names its day in the path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from conftest import SIDE_BY_SIDE, flags
from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.cli import main
from stockpipe.datasets import DATASETS, Choice, Column, Dataset, DayFacts, Division, Endpoint, Snapshot
from stockpipe.datasets.column import (
    DATE,
    DAY,
    EPOCH_MS,
    EPOCH_NS,
    FLAG,
    FLOAT,
    INTEGER,
    JSON,
    TIMESTAMP,
    UNKNOWN,
    decimal,
    text,
)
from stockpipe.errors import ApiError, UsageError
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.export import export_day
from support.loads import load

VENUES = Dataset(
    "venues",
    table="VENUES",
    meaning="Places of trading.",
    noun="venues",
    kind=Snapshot(),
    source=Endpoint("/v9/venues", rows=None, status=False),
    columns=(
        Column("CODE", text(8), "Its code.", "code", required=True),
        Column("SELECT", FLAG, "Whether it was selected.", "select"),
        Column("ORDER", INTEGER, "Its place.", "T"),
        Column("T_SMALL", INTEGER, "Another place.", "t"),
        Column("PRICE", decimal(18, 6), "Its fee.", "day.c"),
        Column("RATIO", FLOAT, "A ratio.", "ratio"),
        Column("SINCE", DATE, "Its first day.", "since"),
        Column("SEEN", TIMESTAMP, "When it was seen.", "seen"),
        Column("MS", EPOCH_MS, "A moment.", "ms"),
        Column("NS", EPOCH_NS, "Another one.", "ns"),
        Column("MORE", JSON, "What it likes.", "more"),
        Column("DS", DAY, "The day."),
        Column("EXTRA", UNKNOWN, "What is not known."),
    ),
    key=("CODE",),
)
VENUE: dict[str, Any] = {
    "code": "XNYS", "select": True, "T": 1, "t": 2, "day": {"c": 0.25}, "ratio": 1.5, "since": "1792-05-17",
    "seen": "2026-02-06T07:05:42.123456789Z", "ms": 1770361542123, "ns": 1770361542123456789, "more": [1, {"a": None}], "new": "x",
}  # fmt: skip
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "code is missing": ({"code": " "}, "code is missing"),
    "code is long": ({"code": "X" * 9}, "code has 9 characters, at most 8 fit"),
    "flag": ({"select": "true"}, "select is text, and true or false was expected"),
    "fraction": ({"T": 1.5}, "T is not a readable whole number of 64 bits"),
    "number as text": ({"t": "2"}, "t is text, and a number was expected"),
    "too large": ({"T": 2**63}, "T is not a readable whole number of 64 bits"),
    "too fine": (
        {"day": {"c": 0.1234567}},
        "day.c is not a readable number with at most 12 digits and 6 behind the point",
    ),
    "no date": ({"since": "2020-02-30"}, "since is not a readable date"),
    "no time": ({"seen": "2026-02-06"}, "seen is not a readable time"),
    "no moment": ({"ms": 10**16}, "ms is not a readable time"),
}

BOOKS = Dataset(
    "books",
    table="BOOKS",
    meaning="Order books, by region.",
    noun="books",
    kind=Snapshot(),
    source=Endpoint("/v9/books", rows="items", page=2, day="as_of"),
    divisions=(
        Division("REGION", "region", (Choice.named("emea"), Choice.named("apac")), usual="emea", help="emea or apac.", every="all"),
    ),
    columns=(
        Column("REGION", text(10), "Where.", "region", required=True),
        Column("ID", INTEGER, "Its number.", "id", required=True),
        Column("DS", DAY, "The day."),
    ),
    key=("REGION", "ID"),
)  # fmt: skip

CLOSES = Dataset(
    "closes",
    table="CLOSES",
    meaning="What happened on a day.",
    noun="closes",
    kind=DayFacts(),
    source=Endpoint("/v9/closes/{day}", {"adjusted": "false"}),
    columns=(
        Column("SYMBOL", text(20), "Symbol.", "T", required=True),
        Column("VOLUME", decimal(24, 6), "Shares.", "v"),
        Column("DS", DAY, "The day."),
    ),
    key=("SYMBOL",),
)


class Server:
    """Answers for the three, from lists that a test may change."""

    def __init__(self) -> None:
        self.venues = [VENUE]
        self.books = {"emea": 5, "apac": 2}
        self.closes = [{"T": "NA", "v": 1.432032e6}, {"T": "na", "v": 0.5}]

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if request.path == "/v9/venues":
                return _json(self.venues)
            if request.path == "/v9/books":
                return _json(self._page(request))
            if request.path == "/v9/closes/2026-02-06":
                assert request.query == {"adjusted": "false"}
                return _json({"status": "OK", "queryCount": 2, "results": self.closes})
            return respond(request)

        return answer

    def _page(self, request: Request) -> dict[str, Any]:
        region, first = request.query.get("cursor", f"{request.query.get('region')}-0").split("-")
        rows = [{"region": region, "id": number} for number in range(self.books[region])][int(first) : int(first) + 2]
        page: dict[str, Any] = {"status": "OK", "items": rows, "count": len(rows)}
        if int(first) + 2 < self.books[region]:
            page["next_url"] = f"https://elsewhere.example/v9/books?cursor={region}-{int(first) + 2}"
        return page


def _json(body: object) -> Answer:
    return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Place:
    """One of the warehouses, with the server's settings."""

    def __init__(self, env: dict[str, str], gate: SnowflakeGate | None) -> None:
        self.env, self.gate = env, gate

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.gate:
            return self.gate.rows(sql)
        with duckdb.connect("stockpipe.duckdb", read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    for dataset in (VENUES, BOOKS, CLOSES):
        monkeypatch.setitem(DATASETS, dataset.name, dataset)
    return Server()


@pytest.fixture(params=["duckdb", "snowflake"])
def place(request: pytest.FixtureRequest, server: Server) -> Iterator[Place]:
    with Sandbox(rows=10, wrap=server.wrap) as sandbox:
        env = flags(sandbox, **SIDE_BY_SIDE)
        if request.param == "duckdb":
            yield Place(env | {"STOCKPIPE_WAREHOUSE": "duckdb"}, None)
            return
        with SnowflakeGate() as gate:
            yield Place(env | gate.env(), gate)


def exported(place: Place, dataset: Dataset, ds: date) -> list[dict[str, Any]]:
    """A published day, as `stockpipe export` writes it."""
    with closing(open_warehouse(load_settings(place.env, env={}))) as warehouse:
        export_day(warehouse, list(dataset.all_parts), ds, "jsonl", Path("day.jsonl"))
    return [json.loads(line) for line in Path("day.jsonl").read_text().splitlines()]


def test_every_type_arrives_as_it_was_sent_or_its_row_is_rejected(server: Server, place: Place) -> None:
    bad = [{"code": f"X{number}"} | change for number, (change, _) in enumerate(BAD.values())]
    server.venues = [VENUE, {"code": "XNAS"}, *bad]
    result = load(place.env, dataset="venues", on="2026-02-06", force=True)
    assert (result.rows, result.table, result.records[0].rows_rejected) == (2, "VENUES", len(BAD))
    empty, full = exported(place, VENUES, date(2026, 2, 6))
    # COPY of the stand-in rounds to microseconds.
    nanoseconds = "456789" if place.gate is None else "457"
    assert full == {
        "CODE": "XNYS", "SELECT": True, "ORDER": 1, "T_SMALL": 2, "PRICE": 0.25, "RATIO": 1.5, "SINCE": "1792-05-17",
        "SEEN": f"2026-02-06 07:05:42.123{nanoseconds}", "MS": "2026-02-06 07:05:42.123", "NS": f"2026-02-06 07:05:42.123{nanoseconds}",
        "MORE": [1, {"a": None}], "DS": "2026-02-06", "EXTRA": {"new": "x"},
    }  # fmt: skip
    assert {name for name, value in empty.items() if value is not None} == {"CODE", "DS"}
    reasons = place.rows("SELECT reason FROM stockpipe_rejects")
    assert sorted(reason for (reason,) in reasons) == sorted(reason for _, reason in BAD.values())
    raw = [json.loads(row) for (row,) in place.rows("SELECT raw FROM stockpipe_rejects")]
    assert all(sent in raw for sent in bad)


def test_a_list_by_pages_and_parts_is_loaded_and_each_part_is_replaced_by_itself(server: Server, place: Place) -> None:
    result = load(place.env, words={"region": "all"}, dataset="books", on="2026-02-06")
    assert [(record.rows_published, record.pages, record.market) for record in result.records] == [
        (5, 3, "emea"),
        (2, 1, "apac"),
    ]
    server.books["apac"] = 4
    load(place.env, words={"region": "apac"}, dataset="books", on="2026-02-06", force=True)
    assert place.rows("SELECT region, count(*), count(DISTINCT id) FROM books GROUP BY 1 ORDER BY 1") == [
        ("apac", 4, 4),
        ("emea", 5, 5),
    ]
    with pytest.raises(UsageError, match="region is 'mars', which books does not know"):
        load(place.env, words={"region": "mars"}, dataset="books")
    with pytest.raises(UsageError, match="The dataset venues has no region to choose"):
        load(place.env, words={"region": "emea"}, dataset="venues")


def test_a_day_in_the_path_is_asked_for_and_its_breaker_is_the_part_s_own(server: Server, place: Place) -> None:
    load(place.env, dataset="closes", on="2026-02-06")
    assert place.rows("SELECT symbol, CAST(volume AS FLOAT), ds FROM closes ORDER BY symbol") == [
        ("NA", 1432032.0, date(2026, 2, 6)), ("na", 0.5, date(2026, 2, 6)),
    ]  # fmt: skip
    assert load(place.env, dataset="closes", on="2026-02-06").records[0].status == "unchanged"
    server.closes = []
    with pytest.raises(ApiError, match="the answer has no rows, and there must be some"):
        load(place.env, dataset="closes", on="2026-02-06")
    assert place.rows("SELECT count(*) FROM closes") == [(2,)]


def test_it_is_exported_and_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    today = new_york_date(Clock()).isoformat()
    load(place.env, dataset="venues")
    load(place.env, words={"region": "apac"}, dataset="books")
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)

    def said(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, *(() if place.gate else ("--warehouse", "duckdb"))])
        assert done.exit_code == 0, done.output
        return done.stdout

    said("export", "--dataset", "venues", "--date", today, "venues.jsonl")
    [row] = [json.loads(line) for line in Path("venues.jsonl").read_text().splitlines()]
    assert (row["CODE"], row["ORDER"], row["RATIO"], row["DS"]) == ("XNYS", 1, 1.5, today)
    lists = {entry["dataset"]: entry for entry in json.loads(said("status", "--json"))["lists"]}
    assert (lists["books"]["market"], lists["books"]["rows"], lists["venues"]["state"]) == ("apac", 2, "fresh")
    assert {run["dataset"] for run in json.loads(said("runs", "--json"))} == {"venues", "books"}
    assert json.loads(said("query", "--json", "SELECT count(*) AS N FROM BOOKS")) == [{"n": 2}]
    kind = ("--warehouse", "snowflake") if place.gate else ()
    assert '"VENUES"' in CliRunner().invoke(main, ["schema", *kind]).output


@pytest.mark.usefixtures("server")
def test_a_day_before_the_first_one_is_refused() -> None:
    with pytest.raises(UsageError, match="2003-09-09 is outside"):
        load({}, dataset="venues", on=date(2003, 9, 9))
