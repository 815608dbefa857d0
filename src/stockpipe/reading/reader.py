"""Questions to the warehouse from Python. Nothing here writes, and no answer keeps the warehouse open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, time
from functools import wraps
from types import TracebackType
from typing import Concatenate, Literal, ParamSpec, Self, TypeVar

from stockpipe.base.calls import day as day_of
from stockpipe.base.calls import text, word
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.base.days import nearest_days, not_in_future, time_of_day
from stockpipe.datasets import Part
from stockpipe.errors import NotThere, StockpipeError, UsageError
from stockpipe.load.loads import known_dataset
from stockpipe.models.prices import NO_HISTORY, Sources
from stockpipe.reading import prices, tickers
from stockpipe.reading.answer import Answer
from stockpipe.reading.changes import changes_sql
from stockpipe.reading.freshness import STANDING_COLUMNS, standings
from stockpipe.reading.prices import Asked
from stockpipe.reading.securities import alike_sql, known_day, list_sql, lookup_sql, master_days, securities_sql
from stockpipe.reading.words import chosen_parts, load_command, ticker_literal, words
from stockpipe.settings import Settings
from stockpipe.settings.paths import or_the_demos
from stockpipe.warehouse import Warehouse, open_warehouse, sql
from stockpipe.warehouse.history import (
    Chosen,
    days_sql,
    last_days,
    last_failures,
    published_days,
    runs_sql,
    told_if_unrecorded,
)
from stockpipe.warehouse.runs import RECORDED, RunStatus
from stockpipe.warehouse.securities import SECURITY_HISTORY
from stockpipe.warehouse.sessions import sessions_of

Day = date | str
"""A day: a date, or a text such as 2026-02-06."""
Adjust = Literal["none", "splits", "total"]
"""How prices are adjusted."""

# A session that is older than this is opened anew: what it may take in all is set for one run.
_RENEW = 1800.0
_EVER = (date(1900, 1, 1), date(2999, 12, 31))
P = ParamSpec("P")
T = TypeVar("T")


def _said(method: Callable[Concatenate[Reader, P], T]) -> Callable[Concatenate[Reader, P], T]:
    """The method with its errors in the reader's words: all of ours are written for the command line."""

    @wraps(method)
    def asked(reader: Reader, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(reader, *args, **kwargs)
        except StockpipeError as error:
            if isinstance(error, NotThere) and reader._warehouse.local:
                error.hint = or_the_demos(error.hint, reader._settings.duckdb_path)
            error.rewrite(reader.say)
            raise

    return asked


class Reader:
    """Answers from one warehouse; `stockpipe.open` makes it.

    A DuckDB file is opened for one question and closed before its answer is handed out, so a notebook that stays open
    never keeps the nightly load waiting; while a load writes, the file is waited for, 10 s at most unless
    STOCKPIPE_LOCK_TIMEOUT says otherwise. At Snowflake one session is kept for the next question, until `close` or the end
    of a `with` block.

    Every method raises the errors of `stockpipe.errors`: UsageError for an argument, NotThere for what was never loaded,
    WarehouseError for the rest. `say` puts their messages into the words of who asks: by default into Python's.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, *, say: Callable[[str], str] = words) -> None:
        self.say = say
        self._settings = settings
        self._clock = clock or Clock()
        self._opened: tuple[Warehouse, float] = (open_warehouse(settings, reads=True), self._clock.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<stockpipe reader of {self.label}>"

    def close(self) -> None:
        """End the session; another question opens a new one."""
        self._opened[0].close()

    @property
    def label(self) -> str:
        """Which warehouse it reads."""
        return self._warehouse.label

    @_said
    def table(self, dataset: str = "tickers") -> str:
        """The name of a dataset's table as `query` takes it, in double quotes."""
        return sql.dataset_table(known_dataset(dataset), self._settings).name

    @_said
    def has(self, table: str) -> bool:
        """Whether there is a table of this name (as `table` gives it)."""
        try:
            self._warehouse.scan(f"SELECT 1 FROM {table} WHERE 1 = 0")
        except NotThere:
            return False
        return True

    @_said
    def published(self, day: Day | None = None, *, market: str | None = None) -> tuple[Part, date, date | None]:
        """The listed part of a market, a published day of it (by default the newest), and the published day before."""
        parts = self._parts("tickers", market, None)
        return (parts[0], *self._published(parts, day))

    @_said
    def days(self, dataset: str = "tickers", *, market: str | None = None, active: bool | str | None = None) -> Answer:
        """The published days, oldest first: a row for each day and part, with its rows, source and run.

        `market` and `active` (True, False or "both") are the dataset's usual ones where nothing is said.
        """
        parts = self._parts(dataset, market, active)
        with told_if_unrecorded(self._warehouse):
            return self._ask(days_sql(Chosen(parts)))

    @_said
    def universe(
        self, day: Day | None = None, *, market: str | None = None, active: bool | str | None = None
    ) -> Answer:
        """The tickers of a published day (New York), all columns; by default of the newest one, and the listed stocks.

        Where a security master knows the day of the listed stocks, SECURITY_ID is the last column. `securities` answers for
        days between published ones too.
        """
        parts = self._parts("tickers", market, active)
        on, table = self._published(parts, day)[0], self.table()
        place = self._master_of(parts[0], on) if len(parts) == 1 else None
        if place is None:
            return self._ask(tickers.universe_sql(table, parts, on))
        return self._ask(tickers.universe_with_ids_sql(table, parts, on, f"{place}{SECURITY_HISTORY.name}"))

    @_said
    def changes(self, day: Day | None = None, *, since: Day | None = None, market: str | None = None) -> Answer:
        """What changed on a published day against the one before it, or against `since`.

        A row for each ticker that is new, gone or renamed, and for each value that changed, with the old and the new one.
        """
        parts = self._parts("tickers", market, None)
        on, last = self._published(parts, day)
        before = last if since is None else self._published(parts, since)[0]
        if before is None:
            raise UsageError(
                f"There is no published day before {on} to compare with.",
                hint="Give a later day, or load an earlier one.",
            )
        if before >= on:
            raise UsageError(f"--since {before} is not before {on}.", hint="Give the earlier day to --since.")
        return self._ask(changes_sql(self.table(), parts[0], on, before, self._master_of(parts[0], before, on)))

    @_said
    def history(self, ticker: str) -> Answer:
        """A ticker through the published days: a row for each stretch in which nothing changed, its other names included."""
        return self._ask(tickers.history_sql(self.table(), ticker_literal(ticker)))

    @_said
    def prices(
        self,
        tickers: str | Iterable[str],
        start: Day | None = None,
        end: Day | None = None,
        *,
        adjust: Adjust = "splits",
        known_on: Day | None = None,
    ) -> Answer:
        """Daily bars of one ticker or several, by ticker and day, from DAILY_BARS; under all names where a master is built.

        start, end: days in New York, both included; all days where nothing is said.
        adjust: "none" (as traded), "splits" (prices x SPLIT_FACTOR, volume / SPLIT_FACTOR, on the shares of the last bar, as
            the vendor's adjusted=true) or "total" (dividends reinvested too). Factors count the events up to the last bar.
        known_on: with the splits, dividends and bars that were known on that day, so that a back-test can be repeated.

        An event that does not fit the prices is left out: `price_issues` names it. NotThere says which dataset to load.
        """
        asked = self._prices_of(tickers, start, end, known_on)
        return self._priced(lambda sources: prices.prices_sql(sources, asked, adjust), events=adjust != "none")

    @_said
    def price_issues(self, tickers: str | Iterable[str], *, known_on: Day | None = None) -> Answer:
        """What is doubtful about the splits, dividends and prices of some tickers: `USED` says whether it counts all the same.

        With `known_on` a row without a ticker says that no split, or no dividend, was loaded by that day.
        """
        asked = self._prices_of(tickers, None, None, known_on)
        return self._priced(lambda sources: prices.price_issues_sql(sources, asked), events=True)

    @_said
    def bars_left_out(
        self,
        tickers: str | Iterable[str],
        start: Day | None = None,
        end: Day | None = None,
        *,
        known_on: Day | None = None,
    ) -> Answer:
        """The bars under the names of some tickers that `prices` leaves out: a row for each stretch of days.

        SECURITY_ID is the other security that had the ticker then; null where no list of the security master has the ticker.
        """
        asked = self._prices_of(tickers, start, end, known_on)
        return self._priced(lambda sources: prices.left_out_sql(sources, asked), events=False)

    @_said
    def bars_loaded(self, tickers: str | Iterable[str]) -> Answer:
        """Of which tickers there are bars, with the first and the last day; also of those that differ in upper and lower case."""
        asked = self._prices_of(tickers, None, None, None)
        return self._priced(lambda sources: prices.loaded_sql(sources.daily_bars, asked), events=False)

    @_said
    def securities(self, day: Day | None = None) -> Answer:
        """Who was listed on a day, with permanent ids, from the security master; by default on its newest day.

        NotThere without a master (`stockpipe master build`), UsageError for a day that it does not know.
        """
        on = known_day(master_days(self._warehouse), None if day is None else day_of("day", day))
        return self._ask(securities_sql(self._warehouse.prefix, on))

    @_said
    def list_of(self, day: Day) -> date:
        """The day of the list that answers for a day in `securities` and `lookup`: the last one until then that was loaded.

        NotThere and UsageError as `securities`.
        """
        on = known_day(master_days(self._warehouse), day_of("day", day))
        rows = self._ask(list_sql(self._warehouse.prefix, on)).rows()
        found = rows[0]["DS"]
        return found if isinstance(found, date) else on

    @_said
    def lookup(self, ticker: str, day: Day | None = None) -> Answer:
        """Whose a ticker was on a day, or ever, from the security master: what it was then, and what it is called now."""
        on = None if day is None else day_of("day", day)
        known_day(master_days(self._warehouse), on)
        return self._ask(lookup_sql(self._warehouse.prefix, ticker_literal(ticker), on))

    @_said
    def tickers_alike(self, ticker: str) -> Answer:
        """The tickers of the security master that differ from one in upper and lower case alone: ABRpD for ABRPD."""
        return self._ask(alike_sql(self._warehouse.prefix, ticker_literal(ticker)))

    @_said
    def query(self, statement: str) -> Answer:
        """What one SELECT (or SHOW, DESCRIBE) gives. It reads the warehouse's tables, and nothing else."""
        return self._ask(text("statement", statement), ours=False)

    @_said
    def runs(self, *, status: RunStatus | None = None, date: Day | None = None, limit: int = 100) -> Answer:
        """What the runs did, the newest first: a row for each part, the columns of STOCKPIPE_RUNS.

        `status` is published, unchanged, refused, failed or interrupted; `date` the day that was loaded.
        """
        if status is not None and status not in RECORDED:
            raise UsageError(f"status is {status!r}.", hint=f"Choose from: {', '.join(RECORDED)}.")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise UsageError(f"limit is {limit!r}.", hint="It must be a whole number from 1.")
        chosen = Chosen(status=status, ds=None if date is None else self._past("--date", day_of("date", date)))
        with told_if_unrecorded(self._warehouse):
            return self._ask(runs_sql(chosen, limit))

    @_said
    def status(self, *, by: str = "06:30") -> Answer:
        """Whether every list that was ever loaded is as new as it should be: `STATE` is fresh or stale, `REASON` says why.

        From the time `by` on (HH:MM, New York) today should be there.
        """
        due = time(*time_of_day(text("by", by)))
        warehouse, everything = self._warehouse, Chosen()
        days, failures = last_days(warehouse, everything, 2), last_failures(warehouse, everything)
        found = standings([], self._clock.now(), due, days, failures, sessions_of(warehouse))
        return Answer.of(STANDING_COLUMNS, [standing.row() for standing in found])

    @property
    def _warehouse(self) -> Warehouse:
        warehouse, since = self._opened
        if not warehouse.local and self._clock.monotonic() - since > _RENEW:
            warehouse.close()
            self._opened = (open_warehouse(self._settings, reads=True), self._clock.monotonic())
        return self._opened[0]

    def _master_of(self, part: Part, *days: date) -> str | None:
        """The place of a master that knows these days of the listed stocks; None for none."""
        if part != chosen_parts("tickers", None, None)[0]:
            return None
        known = master_days(self._warehouse)
        return self._warehouse.prefix if known and all(known[0] <= day <= known[1] for day in days) else None

    def _ask(self, statement: str, *, ours: bool = True) -> Answer:
        return Answer(self._warehouse.fetch(statement, ours=ours), statement)

    def _prices_of(
        self, tickers: str | Iterable[str], start: Day | None, end: Day | None, known_on: Day | None
    ) -> Asked:
        """What is asked for, judged. An end in the future is no fault: it means all there is."""
        since = _EVER[0] if start is None else self._past("--from", day_of("start", start))
        until = _EVER[1] if end is None else day_of("end", end)
        known = None if known_on is None else self._past("--known-on", day_of("known_on", known_on))
        return Asked.of(tickers, since, until, known)

    def _past(self, word: str, day: date) -> date:
        return not_in_future(word, day, new_york_date(self._clock))

    def _priced(self, statement: Callable[[Sources], str], *, events: bool) -> Answer:
        """An answer from the tables of prices; NotThere names the first one that is missing.

        Only then they are looked for one by one: each look opens the file, or is a round trip.
        """
        bars, splits, dividends = (self.table(name) for name in ("daily_bars", "splits", "dividends"))
        sources = Sources(bars, splits, dividends, '"SECURITY_HISTORY"')
        try:
            return self._ask(statement(sources))
        except NotThere:
            for name in ("daily_bars", "splits", "dividends") if events else ("daily_bars",):
                if not self.has(self.table(name)):
                    raise NotThere(
                        f"{self.table(name)} does not exist in {self.label} yet.",
                        hint=f"Load it first: stockpipe run --dataset {name}.",
                    ) from None
            if self.has(sources.history):
                raise
        return self._ask(statement(replace(sources, history=NO_HISTORY)))

    def _parts(self, dataset: str, market: str | None, active: bool | str | None) -> list[Part]:
        return chosen_parts(dataset, word("market", market), word("active", active))

    def _published(self, parts: list[Part], day: Day | None) -> tuple[date, date | None]:
        """A published day of some parts, by default the newest one, and the published day before it.

        UsageError names the nearest days where it is not published, NotThere says which list has none.
        """
        found = sorted(published_days(self._warehouse, parts))
        if not found:
            raise self._nothing_published(parts)
        wanted = found[-1] if day is None else day_of("day", day)
        if wanted not in found:
            raise UsageError(f"{wanted} is not a published day of {_labels(parts)}.", hint=nearest_days(found, wanted))
        place = found.index(wanted)
        return wanted, found[place - 1] if place else None

    def _nothing_published(self, parts: list[Part]) -> NotThere:
        """What to say of parts that no day has together: which of them are missing, or that each has other days."""
        missing = [part for part in parts if not published_days(self._warehouse, [part])]
        where, command = self._warehouse.label, load_command(parts)
        if missing:
            return NotThere(
                f"No day of {_labels(missing)} is published in {where} yet.", hint=f"Load one first: {command}."
            )
        return NotThere(
            f"No day is published of both {_labels(parts)} in {where}.", hint=f"Load them together: {command}."
        )


def _labels(parts: list[Part]) -> str:
    """What people read: `stocks`, or `stocks and stocks, delisted`."""
    return " and ".join(part.label for part in parts)
