"""What a day costs at Snowflake: statements, round trips and bytes, counted at the local server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import servers
from loads import KEY, RUN, Say, peer_environment
from measure import HERE, PEER_PYTHON, BenchmarkError, clean_environment, run_process

FIRST_DAY, NEXT_DAY, AGAIN = (
    "stockpipe, first day (makes the tables)",
    "stockpipe, an ordinary day",
    "stockpipe, the same day again",
)
_SIZES = (1000, 100_000)
_PEERS = HERE / "peers"
# The local server needs minutes for 100,000 rows as INSERTs, and the count follows from the small day.
_SLOW_LIMIT = 1000


@dataclass(frozen=True)
class Traffic:
    """What one load sent. `problem` says why there are no numbers."""

    name: str
    rows: int
    statements: int = 0
    round_trips: int = 0
    bytes_sent: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Loader:
    """A command that loads an account, and the table that it fills."""

    name: str
    command: list[str | Path]
    table: str
    slow: bool = False


def traffic(say: Say, *, quick: bool) -> Iterator[Traffic]:
    """Ours and the peers at both sizes; `quick` leaves out the large one."""
    for rows in _SIZES[:1] if quick else _SIZES:
        with servers.api(rows=rows) as api:
            yield from _ours(api, rows, say)
            for loader in _peers(api.url):
                say(f"Snowflake, {rows:,} rows: {loader.name}")
                if loader.slow and rows > _SLOW_LIMIT:
                    yield Traffic(
                        loader.name, rows, problem="left out: too slow here; the statements grow with the rows"
                    )
                else:
                    yield _peer(loader, rows)


def _ours(api: servers.Api, rows: int, say: Say) -> Iterator[Traffic]:
    past = (datetime.now(UTC).date() - timedelta(days=7)).isoformat()
    day: list[str | Path] = [*RUN, "--date", past]
    with servers.snowflake() as account, tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        settings = clean_environment(**account.env, MASSIVE_BASE_URL=api.url, POLYGON_API_KEY=KEY, MASSIVE_PLAN="paid")
        for name, command in ((FIRST_DAY, day), (NEXT_DAY, RUN), (AGAIN, RUN)):
            say(f"Snowflake, {rows:,} rows: {name}")
            run_process(command, settings, Path(folder))
            told = account.traffic("TICKERS WHERE DS = (SELECT max(DS) FROM TICKERS)")
            _expect(name, rows, told["rows"])
            yield _counted(name, rows, told)


def _peers(url: str) -> Sequence[Loader]:
    rows_script, dlt_script = _PEERS / "snowflake_rows.py", _PEERS / "dlt_snowflake.py"
    return (
        Loader("connector, 1,000 rows an INSERT", [PEER_PYTHON, rows_script, url, KEY, "1000"], "TICKERS", slow=True),
        Loader("connector, one INSERT a row", [PEER_PYTHON, rows_script, url, KEY, "1"], "TICKERS", slow=True),
        Loader("dlt, snowflake destination", [PEER_PYTHON, dlt_script, url, KEY], "MARKET.TICKERS"),
    )


def _peer(loader: Loader, rows: int) -> Traffic:
    """A peer that the local server cannot serve is reported as such: that is the server's limit, not the peer's."""
    with servers.snowflake() as account, tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
        try:
            run_process(loader.command, peer_environment(Path(folder)) | account.env, Path(folder), limit=600)
        except BenchmarkError as error:
            return Traffic(loader.name, rows, problem=_reason(str(error)))
        told = account.traffic(loader.table)
    _expect(loader.name, rows, told["rows"])
    return _counted(loader.name, rows, told)


def _reason(text: str) -> str:
    """The line of a long report that names the error."""
    lines = [line for line in text.splitlines() if "Error" in line or "Exception" in line]
    return "cannot be run here: " + (lines[-1] if lines else text)[-200:].strip()


def _counted(name: str, rows: int, told: Mapping[str, Any]) -> Traffic:
    return Traffic(name, rows, told["statements"], told["round_trips"], told["bytes_sent"])


def _expect(name: str, rows: int, found: int) -> None:
    # The dated records of a day have a few double tickers, which stockpipe stores once.
    if abs(found - rows) > rows // 100:
        raise BenchmarkError(f"{name}: {found:,} rows are in the table, {rows:,} are served.")
