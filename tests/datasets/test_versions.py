"""A list that the vendor restates: what is new opens a version, what is gone closes one, and noise does neither."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import flags, table
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import DATASETS, Column, Dataset, Endpoint, Versions
from stockpipe.datasets.column import DATE, FLOAT, UNKNOWN, text
from stockpipe.datasets.kinds import VERSION_COLUMNS
from stockpipe.errors import DataCheckError
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.export import export_day
from support.loads import load

pytestmark = pytest.mark.slow

EVENTS = Dataset(
    "events",
    table="EVENTS",
    meaning="Events that are restated.",
    noun="events",
    kind=Versions(unversioned=("FACTOR", "VENDOR_ID"), covers="HELD"),
    source=Endpoint("/v9/events", {"sort": "name.asc"}, page=3),
    columns=(
        Column("NAME", text(20), "What.", "name", required=True),
        Column("HELD", DATE, "When.", "held", required=True),
        Column("WORD", text(20), "A kind, which may lack.", "word"),
        Column("AMOUNT", FLOAT, "How much.", "amount"),
        Column("FACTOR", FLOAT, "Restated all the time.", "factor"),
        Column("VENDOR_ID", text(20), "Made anew at times.", "id"),
        *VERSION_COLUMNS,
        Column("EXTRA", UNKNOWN, "What is not known."),
    ),
    key=("HELD", "WORD", "NAME"),
)
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 2, day) for day in (2, 3, 4))
STORY = "SELECT name, amount, factor, vendor_id, known_from, known_to FROM events ORDER BY name, known_from"


def event(name: str, amount: float = 1.0, held: str = "2026-01-05", **more: Any) -> dict[str, Any]:
    return {"name": name, "held": held, "word": "cash", "amount": amount, "factor": 0.5, "id": f"E{name}"} | more


class Server:
    """Gives its list by pages of three, however often it is asked."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if request.path != "/v9/events":
                return respond(request)
            first = int(request.query.get("cursor", "0=").rstrip("="))
            body = {"status": "OK", "results": self.rows[first : first + 3]}
            if first + 3 < len(self.rows):
                body["next_url"] = f"https://elsewhere.example/v9/events?cursor={first + 3}=="
            return Answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

        return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setitem(DATASETS, EVENTS.name, EVENTS)
    return Server()


@pytest.fixture
def env(server: Server) -> Iterator[dict[str, str]]:
    with Sandbox(rows=10, wrap=server.wrap) as sandbox:
        yield flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")


@pytest.mark.parametrize(("warehouse", "method"), [("duckdb", "copy"), ("snowflake", "copy"), ("snowflake", "insert")])
def test_new_changed_and_gone_rows_in_both_warehouses(
    server: Server, env: dict[str, str], warehouse: str, method: str
) -> None:
    with SnowflakeGate() as gate:
        if warehouse == "snowflake":
            sample = {"STOCKPIPE_SAMPLE_DATA": "true", "STOCKPIPE_LOAD_METHOD": method}
            env = env | gate.env() | sample | {"STOCKPIPE_WAREHOUSE": warehouse}
        rows: Callable[[str], list[tuple[Any, ...]]] = gate.rows if warehouse == "snowflake" else table
        server.rows = [event("a"), event("b"), event("c"), event("d")]
        load(env, dataset="events", on=MONDAY)
        # Another amount for b, c is gone, e is new; a has a new id and another factor, which is no news.
        server.rows = [event("a", id="E9", factor=0.25), event("b", 2.0), event("d"), event("e")]
        changed = load(env, dataset="events", on=TUESDAY, force=True)
        after = rows(STORY)
        assert after == [
            ("a", 1.0, 0.25, "E9", MONDAY, None),
            ("b", 1.0, 0.5, "Eb", MONDAY, TUESDAY),
            ("b", 2.0, 0.5, "Eb", TUESDAY, None),
            ("c", 1.0, 0.5, "Ec", MONDAY, TUESDAY),
            ("d", 1.0, 0.5, "Ed", MONDAY, None),
            ("e", 1.0, 0.5, "Ee", TUESDAY, None),
        ]
        assert changed.records[0].forced == [
            "closed: The list of events closes 2 of 4 versions (50.0%), more than 1 %."
        ]
        assert rows("SELECT name FROM events_current ORDER BY 1") == [("a",), ("b",), ("d",), ("e",)]
        assert load(env, dataset="events", on=TUESDAY).records[0].status == "unchanged"
        load(env, dataset="events", on=TUESDAY, force=True)
        assert rows(STORY) == after
        # Another list for the same day takes back what the first one did.
        server.rows = [event("a"), event("b"), event("c"), event("d")]
        load(env, dataset="events", on=TUESDAY, force=True)
        assert [row[:1] + row[4:] for row in rows(STORY)] == [(name, MONDAY, None) for name in "abcd"]


def test_what_was_known_on_a_day_is_exported(server: Server, env: dict[str, str]) -> None:
    server.rows = [event("a"), event("b")]
    load(env, dataset="events", on=MONDAY)
    server.rows = [event("a", 7.0), event("b")]
    load(env, dataset="events", on=WEDNESDAY)
    known = {}
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        with closing(open_warehouse(load_settings(env, env={}))) as warehouse:
            export_day(warehouse, list(EVENTS.all_parts), day, "jsonl", Path("day.jsonl"))
        rows = [json.loads(line) for line in Path("day.jsonl").read_text().splitlines()]
        known[day] = [(row["NAME"], row["AMOUNT"]) for row in rows]
    assert known == {MONDAY: [("a", 1.0), ("b", 1.0)], TUESDAY: [("a", 1.0), ("b", 1.0)], WEDNESDAY: [("a", 7.0), ("b", 1.0)]}  # fmt: skip


@pytest.mark.parametrize(("gone", "is_refused"), [(2, False), (3, True)])
def test_a_list_that_closes_more_than_one_percent_is_refused(
    server: Server, env: dict[str, str], gone: int, is_refused: bool
) -> None:
    names = [f"n{number:03}" for number in range(200)]
    server.rows = [event(name) for name in names]
    load(env, dataset="events", on=MONDAY)
    before = table(STORY)
    server.rows = [event(name) for name in names[: 200 - gone]]
    if not is_refused:
        load(env, dataset="events", on=TUESDAY, dry_run=True)
        assert table(STORY) == before
        load(env, dataset="events", on=TUESDAY)
        assert table("SELECT count(*), count(known_to) FROM events") == [(200, gone)]
        return
    for dry in (True, False):  # a dry run is refused as the load would be
        with pytest.raises(DataCheckError, match=r"closes 3 of 200 versions \(1.5%\), more than 1 %"):
            load(env, dataset="events", on=TUESDAY, dry_run=dry)
    assert table(STORY) == before
    assert table("SELECT status FROM stockpipe_runs ORDER BY run_id") == [("published",), ("refused",)]


@pytest.mark.parametrize("force", [False, True])
def test_a_day_before_the_newest_list_is_refused(server: Server, env: dict[str, str], force: bool) -> None:
    server.rows = [event("a")]
    load(env, dataset="events", on=TUESDAY)
    with pytest.raises(DataCheckError, match="known as of a later day than 2026-02-02"):
        load(env, dataset="events", on=MONDAY, force=force)


def test_a_dry_run_before_the_first_load_makes_nothing(server: Server, env: dict[str, str]) -> None:
    server.rows = [event("a")]
    assert load(env, dataset="events", on=MONDAY, dry_run=True).sql
    assert not list(Path().glob("*.duckdb"))


def test_rows_alike_are_numbered_and_identical_ones_dropped(server: Server, env: dict[str, str]) -> None:
    """Two dividends on one ex-date that only their ids tell apart, one without a kind, and one that came twice."""
    server.rows = [event("a"), event("a", id="E2"), event("b"), event("b"), event("c", word=None), event("c", word=None, id="E3")]  # fmt: skip
    result = load(env, dataset="events", on=MONDAY)
    numbered = "SELECT name, occurrence, vendor_id FROM events ORDER BY 1, 2"
    assert table(numbered) == [("a", 1, "E2"), ("a", 2, "Ea"), ("b", 1, "Eb"), ("c", 1, "E3"), ("c", 2, "Ec")]
    assert (result.records[0].rows_published, result.records[0].rows_repeated) == (5, 1)
    server.rows = [event("a", id="E8"), event("a", id="E9"), event("b"), event("c", id="E7", word=None), event("c", id="E6", word=None)]  # fmt: skip
    load(env, dataset="events", on=TUESDAY)
    assert table("SELECT count(*), count(known_to) FROM events") == [(5, 0)]


def test_a_row_that_came_on_two_pages_is_fetched_again_then_told(server: Server, env: dict[str, str]) -> None:
    """Rows that tie where a page ends: one came twice, so that another may be missing."""
    server.rows = [event("a"), event("b"), event("c"), event("c"), event("d")]
    result = load(env, dataset="events", on=MONDAY)
    assert result.records[0].warnings[0] == "In the list events stand on two pages: c."
    assert (result.rows, result.records[0].calls) == (4, 4)


def test_a_list_says_nothing_of_events_before_its_first(server: Server, env: dict[str, str]) -> None:
    """A plan with two years of history: the oldest events leave the list, and stay known."""
    old = [event(f"o{number:02}", held=f"2024-01-{number // 4 + 1:02}") for number in range(100)]
    server.rows = [*old, event("a")]
    load(env, dataset="events", on=MONDAY)
    server.rows = [*old[4:], event("a")]
    load(env, dataset="events", on=TUESDAY)
    assert table("SELECT count(*), count(known_to) FROM events") == [(101, 0)]
    assert load(env, dataset="events", on=TUESDAY).records[0].status == "unchanged"


def test_a_past_day_is_said_to_be_of_the_list_of_today(server: Server, env: dict[str, str]) -> None:
    server.rows = [event("a")]
    warnings = load(env, dataset="events", on=MONDAY).records[0].warnings
    assert warnings == ["The API gives no earlier state of events: its list of today is stored as that of 2026-02-02."]
    assert load(env, dataset="events").records[0].warnings == []


def test_a_further_version_of_a_table_is_not_made_by_an_empty_new_column(server: Server, env: dict[str, str]) -> None:
    """A field that is not declared goes to EXTRA and makes no version; nor does a column without a value."""
    server.rows = [event("a", word=None)]
    load(env, dataset="events", on=MONDAY)
    server.rows = [event("a", word=None, surprise=1)]
    load(env, dataset="events", on=TUESDAY)
    with duckdb.connect("stockpipe.duckdb", read_only=True) as connection:
        found = connection.execute("SELECT extra::VARCHAR, known_from, known_to FROM events").fetchall()
    assert found == [('{"surprise":1}', MONDAY, None)]
