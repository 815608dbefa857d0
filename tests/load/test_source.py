"""Where a day came from is part of what it is: sample and real days never stand in one table, in both warehouses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

import stockpipe
from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.errors import DataCheckError
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.history import published_days
from stockpipe.warehouse.source import Source
from support.faults import without_the_sign
from support.loads import STOCKS

pytestmark = pytest.mark.slow

MON, TUE, WED = "2026-02-02", "2026-02-03", "2026-02-04"


@pytest.fixture(params=["duckdb", "snowflake"])
def place(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of one of the warehouses."""
    if request.param == "duckdb":
        yield {}
    else:
        yield request.getfixturevalue("gate").env()


def load(sandbox: Sandbox, place: dict[str, str], **how: object) -> stockpipe.LoadResult:
    return stockpipe.load(settings=flags(sandbox, **place), **how)  # type: ignore[arg-type]


def asked(place: dict[str, str], sql: str) -> list[tuple[object, ...]]:
    warehouse = open_warehouse(load_settings(place, env={}))
    try:
        return warehouse.query(sql).rows
    finally:
        warehouse.close()


def test_sample_days_and_real_ones_do_not_stand_in_one_table(serve: Serve, place: dict[str, str]) -> None:
    rows = many(300)
    sample, real = serve(rows), serve(rows, wrap=without_the_sign)
    load(sample, place, on=MON)
    with pytest.raises(DataCheckError) as refused:
        load(real, place, on=TUE)
    assert refused.value.checks == {"source"}
    assert f"come from {real.url} (dated)" in refused.value.message
    assert f"sandbox (file listing-0.csv) at {sample.url} (dated)" in refused.value.message
    assert "DELETE FROM " in refused.value.hint
    assert ("(duckdb_path)" in refused.value.hint) == (not place)
    assert asked(place, "SELECT count(*) FROM TICKERS") == [(300,)]
    # What stands in the hint leads out.
    forced = load(real, place, on=TUE, force=True)
    assert [text.split(":")[0] for text in forced.records[0].forced] == ["source"]
    assert asked(place, "SELECT FORCED FROM STOCKPIPE_RUNS WHERE FORCED IS NOT NULL") != []


def test_a_real_source_is_refused_after_one_call_at_most_and_before_any_where_the_address_says_it(serve: Serve) -> None:
    sample, real = serve(many(2500)), serve(many(2500), wrap=without_the_sign)
    load(sample, {}, on=MON)
    with pytest.raises(DataCheckError):
        load(real, {}, on=TUE)
    assert len(real.calls) == 1
    elsewhere = {"MASSIVE_BASE_URL": "https://api.massive.com"}
    with pytest.raises(DataCheckError, match=r"come from https://api.massive.com \(dated\)"):
        load(sample, elsewhere, on=TUE)
    assert table("SELECT STATUS, CALLS FROM STOCKPIPE_RUNS ORDER BY RUN_ID")[-1] == ("refused", 0)


def test_sample_data_never_replaces_a_real_day(serve: Serve, place: dict[str, str]) -> None:
    real, sample = serve(many(300), wrap=without_the_sign), serve(many(300))
    load(real, place, on=MON)
    for day in (MON, TUE):
        with pytest.raises(DataCheckError, match=r"come from another source: http://127\.0\.0\.1:"):
            load(sample, place, on=day)
    # Neither does it once both were accepted, and a real day then goes on with a warning.
    load(sample, place, on=TUE, force=True)
    with pytest.raises(DataCheckError):
        load(sample, place, on=MON)
    warnings = load(real, place, on=WED).records[0].warnings
    assert [text for text in warnings if "come from another source too" in text] != []


def test_another_seed_is_another_market_and_another_port_is_not(place: dict[str, str]) -> None:
    with Sandbox(seed=7) as first, Sandbox(seed=7) as second, Sandbox(seed=8) as other:
        load(first, place, on=MON, market="indices")
        assert load(second, place, on=TUE, market="indices").records[0].status == "published"
        assert load(first, place, on=TUE, market="indices").records[0].status == "unchanged"
        with pytest.raises(DataCheckError, match=r"sandbox \(synthetic seed=8\) at .* sandbox \(synthetic seed=7\) at"):
            load(other, place, on=WED, market="indices")
        # Another list has no days yet.
        assert load(other, place, on=WED, market="fx").rows > 0


def test_another_host_is_another_source(serve: Serve) -> None:
    real = serve(many(30), wrap=without_the_sign)
    load(real, {}, on=MON)
    named = {"MASSIVE_BASE_URL": real.url.replace("127.0.0.1", "localhost")}
    with pytest.raises(DataCheckError, match="http://localhost:"):
        load(real, named, on=TUE)
    assert len(real.calls) == 1


def test_the_breaker_compares_with_days_of_the_same_source(serve: Serve, place: dict[str, str]) -> None:
    load(serve(many(2000), wrap=without_the_sign), place, on=MON)
    load(serve(many(1000)), place, on=TUE, force=True)
    record = load(serve(many(2001), wrap=without_the_sign), place, on=WED).records[0]
    assert [text for text in record.warnings if "rows against" in text] == []
    with pytest.raises(DataCheckError, match=f"1,000 rows against 2,000 on {MON}"):
        load(serve(many(1000), wrap=without_the_sign), place, on=TUE)


def test_sample_data_goes_to_snowflake_only_when_asked(serve: Serve, gate: SnowflakeGate) -> None:
    sandbox = serve(many(2500))
    place = gate.env(STOCKPIPE_SAMPLE_DATA="")
    for how in ({}, {"force": True}):
        with pytest.raises(DataCheckError, match="sample data") as refused:
            load(sandbox, place, on=MON, **how)
        assert "sample_data=True" in refused.value.hint
    assert len(sandbox.calls) == 2
    assert gate.rows("SELECT count(*) FROM tickers") == [(0,)]
    assert load(sandbox, place, on=MON, sample_data=True).rows == 2500
    assert command("run", "--date", TUE, "--sample-data", env=flags(sandbox, **place)).returncode == 0
    refusal = command("run", "--date", WED, "--json", env=flags(sandbox, **place))
    assert (refusal.returncode, json.loads(refusal.stdout)["error"]) == (7, "DataCheckError")


def today() -> str:
    return new_york_date(Clock()).isoformat()


def test_dated_records_do_not_replace_a_current_list_unasked(serve: Serve, place: dict[str, str]) -> None:
    sandbox = serve(many(300))
    load(sandbox, place)
    calls = len(sandbox.calls)
    with pytest.raises(
        DataCheckError, match=r"is published from the current list \(300 rows, the vendor's build of 2026-02-07\)"
    ) as refused:
        load(sandbox, place, on=today())
    assert (sorted(refused.value.checks), len(sandbox.calls)) == (["source"], calls)
    assert "cannot be had again" in refused.value.hint
    assert load(sandbox, place, on=today(), force=True).records[0].forced[0].startswith("source: ")
    # The other way round it is told.
    record = load(sandbox, place).records[0]
    assert (record.status, [text for text in record.warnings if "are replaced by the current list" in text] != []) == (
        "published",
        True,
    )
    assert [row[0].rpartition(" ")[2] for row in asked(place, "SELECT SOURCE FROM STOCKPIPE_RUNS ORDER BY RUN_ID")] == [  # type: ignore[attr-defined]
        "(current)", "(dated)", "(dated)", "(current)",
    ]  # fmt: skip


def test_current_and_dated_days_stand_side_by_side(serve: Serve) -> None:
    sandbox = serve(many(300))
    load(sandbox, {})
    assert load(sandbox, {}, on=MON).records[0].status == "published"
    assert load(sandbox, {}, on=TUE).records[0].status == "published"
    assert load(sandbox, {}, on=TUE).records[0].status == "unchanged"


@pytest.mark.parametrize(("build", "refused"), [("2026-02-02", True), (None, False)])
def test_a_day_of_an_older_version_is_current_where_it_has_a_build(
    serve: Serve, build: str | None, refused: bool
) -> None:
    sandbox = serve(many(300))
    load(sandbox, {}, on=MON)
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute(
            "UPDATE STOCKPIPE_RUNS SET SOURCE = replace(SOURCE, ' (dated)', ''), BUILD_DATE = ?", [build]
        )
    if refused:
        with pytest.raises(DataCheckError, match="is published from the current list"):
            load(sandbox, {}, on=MON)
    else:
        assert load(sandbox, {}, on=MON).records[0].status == "unchanged"


@pytest.mark.parametrize(
    ("text", "kind", "sample", "dated"),
    [
        ("https://api.massive.com", "api.massive.com", False, None),
        ("https://api.polygon.io (current)", "api.massive.com", False, False),
        ("http://127.0.0.1:8765 (dated)", "127.0.0.1", False, True),
        ("sandbox (synthetic seed=7) at http://127.0.0.1:1", "sandbox (synthetic seed=7)", True, None),
        ("sandbox (file a (1) at b.csv) at http://127.0.0.1:1 (dated)", "sandbox (files)", True, True),
        ("", "", False, None),
    ],
)
def test_a_source_is_read_back(text: str, kind: str, sample: bool, dated: bool | None) -> None:
    found = Source.read(text)
    assert (found.kind, found.is_sample, found.dated, str(found)) == (kind, sample, dated, text)


def test_a_long_label_and_address_leave_room_for_the_rest() -> None:
    source = Source(f"https://{'h' * 150}.example", "l" * 300, dated=True)
    assert len(str(source)) <= 200
    assert (Source.read(str(source)).is_sample, Source.read(str(source)).dated) == (True, True)
    assert Source.read(str(source)).kind == source.kind


def test_sample_days_are_no_history_of_the_real_market(serve: Serve) -> None:
    load(serve(many(30)), {}, on=MON)
    warehouse = open_warehouse(load_settings({}, env={}))
    found = {
        url: set(published_days(warehouse, [STOCKS], url)) for url in ("https://api.massive.com", "http://127.0.0.1:1")
    }
    assert found == {"https://api.massive.com": set(), "http://127.0.0.1:1": {date.fromisoformat(MON)}}


def test_the_statements_of_the_hint_remove_the_sample_days_alone(serve: Serve, place: dict[str, str]) -> None:
    sample, real = serve(many(300)), serve(many(300), wrap=without_the_sign)
    load(sample, place, on=MON)
    load(sample, place, on=TUE)
    load(real, place, on=TUE, force=True)
    with pytest.raises(DataCheckError) as refused:
        load(sample, place, on=WED)
    statements = refused.value.hint.partition("remove the sample days: ")[2].split(";")
    assert len(statements) == 3
    run_each(place, statements[:2])
    assert asked(place, "SELECT DISTINCT DS FROM TICKERS") == [(date.fromisoformat(TUE),)]
    assert load(real, place, on=WED).records[0].warnings == []


def run_each(place: dict[str, str], statements: list[str]) -> None:
    if not place:
        with duckdb.connect("stockpipe.duckdb") as connection:
            for statement in statements:
                connection.execute(statement)
        return
    import snowflake.connector

    names = ("host", "port", "protocol", "account", "user", "password", "warehouse", "role", "database", "schema")
    arguments = {name: place[f"SNOWFLAKE_{name.upper()}"] for name in names}
    with snowflake.connector.connect(**arguments | {"port": int(arguments["port"])}) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
