"""A build of the security master: read what is new, resolve, check, publish.

Every night it costs the last state and the new day: the stretches of the last build are kept in the warehouse and the new
day is joined to them. Everything after that is worked out anew, so that a nightly build and a whole one are the same.
"""

from __future__ import annotations

import gc
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from stockpipe.base.clock import Clock
from stockpipe.base.engine import open_local
from stockpipe.base.files import why_unread
from stockpipe.base.folders import WorkFolder
from stockpipe.base.text import literal
from stockpipe.base.version import __version__
from stockpipe.datasets import TICKERS
from stockpipe.errors import ConfigError, DataCheckError, NotThere
from stockpipe.master.asked import most_changed
from stockpipe.master.checks import Finding, examine
from stockpipe.master.days import Days, chosen
from stockpipe.master.resolve.overrides import BadOverrides, Override, parse
from stockpipe.master.resolve.resolver import Resolved, resolve
from stockpipe.master.resolve.stretch import List, Lists, Stretch, joined
from stockpipe.master.resolve.tables import Delisted, Tables, tables_of
from stockpipe.master.spells import (
    as_rows,
    as_stretches,
    days_sql,
    delisted_sql,
    lists_as_rows,
    stretches_sql,
)
from stockpipe.master.state import Row, State, digests, read_state
from stockpipe.models import keep_factors, price_views, security_views
from stockpipe.settings import Settings
from stockpipe.warehouse import Warehouse, sql
from stockpipe.warehouse.derived import Replacement, SomebodyWasFirst
from stockpipe.warehouse.dialect import duckdb_type
from stockpipe.warehouse.runs import new_run_id
from stockpipe.warehouse.securities import (
    DERIVED,
    SECURITIES,
    SECURITY_ALIASES,
    SECURITY_BUILDS,
    SECURITY_DECISIONS,
    SECURITY_EVENTS,
    SECURITY_HISTORY,
    SECURITY_LISTS,
    SECURITY_STRETCHES,
    placed,
)
from stockpipe.warehouse.sql import Table

log = logging.getLogger(__name__)

_ATTEMPTS = 3


@dataclass(frozen=True)
class Wish:
    """How to build. `start`: leave out earlier days, in later builds too; `whole`: read everything anew; `force`: publish
    what a check refuses."""

    start: date | None = None
    whole: bool = False
    force: bool = False


@dataclass
class Built:
    """What a build did. `read` are the rows that came from the warehouse."""

    build: int
    run_id: str
    how: str
    seconds: float
    first: date
    last: date
    lists: int
    read: int
    figures: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    forced: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "status": "published", "exit_code": 0, "build": self.build, "run_id": self.run_id, "how": self.how,
            "seconds": round(self.seconds, 3), "first_ds": self.first.isoformat(), "last_ds": self.last.isoformat(),
            "lists": self.lists, "rows_read": self.read, "figures": self.figures, "warnings": self.warnings, "forced": self.forced,
        }  # fmt: skip


def build_master(warehouse: Warehouse, settings: Settings, clock: Clock, wish: Wish | None = None) -> Built:
    """Derive the master from the days that are loaded, and publish it.

    NotThere without any day, ConfigError for an overrides file that cannot be read, DataCheckError where the days are of
    several markets or a check refuses: the old master stays. Where another build was first, it begins again.
    """
    overrides = read_overrides(settings)
    most = most_changed(settings)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _uncollected():
                return _Build(warehouse, settings, clock, wish or Wish(), overrides, most).run()
        except SomebodyWasFirst as error:
            if attempt == _ATTEMPTS:
                raise
            log.info("%s Beginning again.", error.message)
    raise AssertionError


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows by the hundred thousand, all of which stay: looking for cycles among them takes a seventh of a build."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_overrides(settings: Settings) -> tuple[Override, ...]:
    """The overrides of STOCKPIPE_MASTER_OVERRIDES; none where the usual file does not exist. ConfigError for a typo."""
    path = settings.path("STOCKPIPE_MASTER_OVERRIDES")
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if settings.is_set("STOCKPIPE_MASTER_OVERRIDES"):
            raise ConfigError(f"There is no file {path}.", hint="Correct STOCKPIPE_MASTER_OVERRIDES.") from None
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {why_unread(error)}.", hint="Correct STOCKPIPE_MASTER_OVERRIDES."
        ) from None
    except BadOverrides as error:
        raise ConfigError(
            f"{path}: {error}.", hint="Nothing was built. Correct this line; docs/security-master.md shows the form."
        ) from None


class _Build:
    """One attempt."""

    def __init__(
        self,
        warehouse: Warehouse,
        settings: Settings,
        clock: Clock,
        wish: Wish,
        overrides: Sequence[Override],
        most: float,
    ) -> None:
        self._warehouse, self._clock, self._wish, self._overrides, self._most = warehouse, clock, wish, overrides, most
        self._began = clock.monotonic()
        self._run_id = new_run_id(clock.now())
        self._tickers = f"{warehouse.prefix}{sql.dataset_table(TICKERS, settings).name}"
        self._read, self._how = 0, "whole"

    def run(self) -> Built:
        self._warehouse.begin(self._run_id)
        state = read_state(self._warehouse)
        start = self._wish.start or (None if self._wish.whole else state.start)
        findings = [
            Finding("edited", f"{text}: another hand has changed it.", forcible=False) for text in state.edited()
        ]
        if findings and not self._wish.whole:
            self._refuse(
                findings,
                "To build everything anew from the days: stockpipe master build --rebuild. Put corrections into master-overrides.csv.",
            )
        days = chosen(self._days(), start)
        stretches = self._stretches(state, days)
        resolved = resolve(stretches, days.lists, state.given, self._overrides)
        tables = tables_of(resolved, self._delisted(days))
        last = max((one.day for one, _ in state.lists), default=None)
        findings = examine(tables, resolved.named.lost, state.of(SECURITY_HISTORY), last, self._most)
        why = "Look at the days that were loaded since"
        if self._wish.start and self._wish.start != state.start:
            why = f"--from {self._wish.start} leaves out the days before it, and who was listed then alone"
        self._refuse(findings, f"The master is as it was. {why}; --force publishes it all the same.")
        return self._publish(state, start, days, stretches, resolved, tables, [one.check for one in findings])

    def _refuse(self, findings: Sequence[Finding], hint: str) -> None:
        standing = [one for one in findings if not (one.forcible and self._wish.force)]
        if standing:
            raise DataCheckError(
                "The master was not published. " + " ".join(one.message for one in standing),
                hint=hint,
                checks=[one.check for one in standing],
            )

    # ---- reading ----

    def _ask(self, text: str, *, heavy: bool = False) -> list[Row]:
        rows = self._warehouse.scan(text, heavy=heavy)[0].rows
        self._read += len(rows)
        return rows

    def _days(self) -> list[Row]:
        try:
            return self._ask(days_sql(self._tickers, self._warehouse.prefix))
        except NotThere:
            with suppress(NotThere):
                return self._ask(days_sql(self._tickers, self._warehouse.prefix, records=False))
            return []

    def _stretches(self, state: State, days: Days) -> list[Stretch]:
        """The stretches of all lists: those that are kept, joined with the new days', or all of them read."""
        before = [one for one, told in state.lists if told != "broken"]
        new = _new_lists(before, days.lists)
        out = [one.day for one in days.broken]
        if self._wish.whole or new is None:
            return as_stretches(
                self._ask(stretches_sql(self._tickers, days.lists.days[0], out), heavy=True), days.lists
            )
        self._how = "increment"
        self._read += state.read
        kept = as_stretches(state.of(SECURITY_STRETCHES), days.lists)
        if not new:
            return kept
        later = as_stretches(self._ask(stretches_sql(self._tickers, new[0].day, out)), days.lists)
        return joined(kept, later)

    def _delisted(self, days: Days) -> list[Delisted]:
        since = days.lists.days[0] - timedelta(days=10)  # the first lists may still have who ended a little before
        return [Delisted(*row) for row in self._ask(delisted_sql(self._tickers, since))]

    # ---- publishing ----

    def _publish(
        self, state: State, start: date | None, days: Days, stretches: Sequence[Stretch], resolved: Resolved, tables: Tables, forced: list[str]
    ) -> Built:  # fmt: skip
        rows: dict[str, Sequence[Row]] = {
            SECURITIES.name: tables.securities,
            SECURITY_HISTORY.name: tables.history,
            SECURITY_EVENTS.name: tables.events,
            SECURITY_DECISIONS.name: tables.decisions,
            SECURITY_ALIASES.name: tables.aliases,
            SECURITY_STRETCHES.name: as_rows(stretches, days.lists),
            SECURITY_LISTS.name: lists_as_rows(days.lists.all, days.broken),
        }
        built = Built(
            state.build + 1, self._run_id, self._how, self._clock.monotonic() - self._began, days.lists.days[0],
            days.lists.days[-1], len(days.lists), self._read, _figures(rows, resolved, state), _told(days, resolved), forced,
        )  # fmt: skip
        prefix = self._warehouse.prefix
        row = _log_row(built, start, digests(dict(rows)), self._clock)
        tables_there = [placed(table, prefix) for table in DERIVED]
        with WorkFolder() as folder, folder.told():
            files, builds = _written(rows, prefix, folder.path), placed(SECURITY_BUILDS, prefix)
            self._warehouse.replace(
                Replacement(tables_there, files, builds, row, state.build, security_views(prefix), price_views(prefix))
            )
        keep_factors(self._warehouse)
        return built


def _new_lists(before: Sequence[List], lists: Lists) -> list[List] | None:
    """The lists that came behind those of the last build; None where earlier ones changed too, or there was none."""
    if not before or len(before) > len(lists):
        return None
    return list(lists.all[len(before) :]) if list(lists.all[: len(before)]) == list(before) else None


def _figures(rows: Mapping[str, Sequence[Row]], resolved: Resolved, state: State) -> dict[str, Any]:
    """Rows of each table, and what was decided."""
    links = Counter(tie.rule for tie in resolved.ties if tie.tied)
    statuses = Counter(row[2] for row in rows[SECURITIES.name])
    return {
        **{name.strip('"'): len(own) for name, own in rows.items()},
        "listed": statuses["listed"],
        "delisted": statuses["delisted"],
        "unknown": statuses["unknown"],
        "new_ids": len({row[0] for row in rows[SECURITIES.name]} - set(state.given)),
        "links": dict(sorted(links.items())),
        "splits": len(resolved.cuts),
        "events": dict(sorted(Counter(row[2] for row in rows[SECURITY_EVENTS.name]).items())),
    }


def _told(days: Days, resolved: Resolved) -> list[str]:
    return [
        *days.warnings,
        *(f"The override in {one} changes nothing: {why}." for one, why in resolved.unfit),
    ]


def _written(rows: Mapping[str, Sequence[Row]], prefix: str, folder: Path) -> dict[str, Path]:
    """The rows of each table as a Parquet file, by the table's name with its place."""
    files = {}
    with open_local(folder) as local:
        for table in DERIVED:
            if own := rows[table.name]:
                file = folder / f"{table.name.strip(chr(34)).lower()}.parquet"
                _write(local, table, own, file)
                files[f"{prefix}{table.name}"] = file
    return files


def _write(local: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row], file: Path) -> None:
    """Rows by way of JSON, a line each: writing CSV takes four times as long, binding them forty times."""
    plain = file.with_suffix(".json")
    with plain.open("wb") as target:
        target.write(msgspec.json.Encoder().encode_lines(rows))
    columns = ", ".join(
        f'CAST(cells[{number}] AS {duckdb_type(column)}) AS "{column.name}"'
        for number, column in enumerate(table.columns, start=1)
    )
    local.execute(
        f"COPY (SELECT {columns} FROM read_json({literal(str(plain))}, format = 'newline_delimited', records = false, "
        f"columns = {{cells: 'VARCHAR[]'}})) TO {literal(str(file))} (FORMAT parquet)"
    )


def _log_row(built: Built, start: date | None, fingerprints: Mapping[str, str], clock: Clock) -> Row:
    """The build's own row, in the order of SECURITY_BUILDS."""
    return (
        built.build, built.run_id, clock.now().replace(tzinfo=None), round(built.seconds, 3), built.how, start, built.first,
        built.last, built.lists, built.read, json.dumps(built.figures), json.dumps(fingerprints),
        json.dumps(built.forced) if built.forced else None, __version__,
    )  # fmt: skip
