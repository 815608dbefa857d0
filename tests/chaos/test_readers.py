"""A reader that polls during a hundred publishes sees the old day or the new one, never a mix."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

import stockpipe
from conftest import Serve, flags, many
from snowflake_gate import SnowflakeGate

PUBLISHES = 100
WHOLE = {(300, "T00000"), (303, "U00000")}


def poll_while_publishing(
    serve: Serve, more: dict[str, str], look: Callable[[], tuple[object, ...]]
) -> set[tuple[object, ...]]:
    """Publish two lists in turn, a hundred times, and return everything that a reader saw meanwhile."""
    settings = [flags(serve(rows)) | more for rows in (many(300), many(303, "U"))]
    stockpipe.load(settings=settings[0])
    seen: set[tuple[object, ...]] = set()
    done = threading.Event()

    def poll() -> None:
        while not done.wait(0.005):  # a look without a pause would keep the publish from going on
            seen.add(look())

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for number in range(PUBLISHES):
            stockpipe.load(settings=settings[1 - number % 2])
    finally:
        done.set()
        reader.join()
    return seen


def test_a_reader_of_duckdb_never_sees_a_mix(serve: Serve) -> None:
    """The reader shares the writer's process, as DuckDB lets no other one in while it writes."""

    opened: list[duckdb.DuckDBPyConnection] = []

    def look() -> tuple[object, ...]:
        if not opened:
            opened.append(duckdb.connect("stockpipe.duckdb"))
        return opened[0].execute("SELECT count(*), min(TICKER) FROM TICKERS").fetchall()[0]

    assert poll_while_publishing(serve, {}, look) == WHOLE
    opened[0].close()


def test_a_reader_of_snowflake_never_sees_a_mix(serve: Serve) -> None:
    with SnowflakeGate() as gate:

        def look() -> tuple[object, ...]:
            return gate.rows("SELECT count(*), min(ticker) FROM tickers")[0]

        assert poll_while_publishing(serve, gate.env(), look) == WHOLE
