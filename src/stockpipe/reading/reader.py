"""Questions to the warehouse from Python. Nothing here writes, and no answer keeps the warehouse open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, time
from types import TracebackType
from typing import Literal, Self

from stockpipe.base.calls import day as day_of
from stockpipe.base.calls import in_python_words, text, word
from stockpipe.base.clock import Clock
from stockpipe.base.days import time_of_day
from stockpipe.datasets import Part
from stockpipe.errors import NotThere, UsageError
from stockpipe.load.loads import known_dataset
from stockpipe.models.prices import NO_HISTORY, Sources
from stockpipe.reading import prices, tickers
from stockpipe.reading.answer import Answer
from stockpipe.reading.changes import changes_sql
from stockpipe.reading.freshness import STANDING_COLUMNS, standings
from stockpipe.reading.securities import known_day, lookup_sql, master_days, securities_sql
from stockpipe.reading.words import chosen_parts, ticker_literal
from stockpipe.settings import Settings
from stockpipe.warehouse import Warehouse, open_warehouse, sql
from stockpipe.warehouse.history import Chosen, days_sql, last_days, last_failures, published_days, runs_sql
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


class Reader:
    """Answers from one warehouse; `stockpipe.open` makes it.

    A DuckDB file is opened for one question and closed before its answer is handed out, so a notebook that stays open
    never keeps the nightly load waiting; while a load writes, the file is waited for, 10 s at most unless
    STOCKPIPE_LOCK_TIMEOUT says otherwise. At Snowflake one session is kept for the next question, until `close` or the end
    of a `with` block.

    Every method raises the errors of `stockpipe.errors`: UsageError for an argument, NotThere for what was never loaded,
    WarehouseError for the rest.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        self._seen: set[str] = set()
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

    def table(self, dataset: str = "tickers") -> str:
        """The name of a dataset's table as `query` takes it, in double quotes."""
        return sql.dataset_table(known_dataset(dataset), self._settings).name

    def has(self, table: str) -> bool:
        """Whether there is a table of this name (as `table` gives it)."""
        try:
            self._warehouse.query(f"SELECT 1 FROM {table} WHERE 1 = 0")
        except NotThere:
            return False
        return True

    def published(self, day: Day | None = None, *, market: str | None = None) -> tuple[Part, date, date | None]:
        """The listed part of a market, a published day of it (by default the newest), and the published day before."""
        parts = self._parts("tickers", market, None)
        return (parts[0], *self._published(parts, day))

    def days(self, dataset: str = "tickers", *, market: str | None = None, active: bool | str | None = None) -> Answer:
        """The published days, oldest first: a row for each day and part, with its rows, source and run.

        `market` and `active` (True, False or "both") are the dataset's usual ones where nothing is said.
        """
        return self._ask(days_sql(Chosen(self._parts(dataset, market, active))))

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

    def changes(self, day: Day | None = None, *, since: Day | None = None, market: str | None = None) -> Answer:
        """What changed on a published day against the one before it, or against `since`.

        A row for each ticker that is new, gone or renamed, and for each value that changed, with the old and the new one.
        """
        parts = self._parts("tickers", market, None)
        on, last = self._published(parts, day)
        before = last if since is None else self._published(parts, since)[0]
        if before is None or before >= on:
            raise UsageError(
                f"There is no published day before {on} to compare with.",
                hint="Give a later day, or load an earlier one.",
            )
        return self._ask(changes_sql(self.table(), parts[0], on, before, self._master_of(parts[0], before, on)))

    def history(self, ticker: str) -> Answer:
        """A ticker through the published days: a row for each stretch in which nothing changed, its other names included."""
        return self._ask(tickers.history_sql(self.table(), ticker_literal(ticker)))

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
        since, until = self._days_between(start, end)
        asked = prices.Asked.of(tickers, since, until, None if known_on is None else day_of("known_on", known_on))
        return self._priced(lambda sources: prices.prices_sql(sources, asked, adjust), events=adjust != "none")

    def price_issues(self, tickers: str | Iterable[str], *, known_on: Day | None = None) -> Answer:
        """What is doubtful about the splits, dividends and prices of some tickers: `USED` says whether it counts all the same."""
        since, until = self._days_between(None, None)
        asked = prices.Asked.of(tickers, since, until, None if known_on is None else day_of("known_on", known_on))
        return self._priced(lambda sources: prices.price_issues_sql(sources, asked), events=True)

    def securities(self, day: Day | None = None) -> Answer:
        """Who was listed on a day, with permanent ids, from the security master; by default on its newest day.

        NotThere without a master (`stockpipe master build`), UsageError for a day that it does not know.
        """
        on = known_day(master_days(self._warehouse), None if day is None else day_of("day", day))
        return self._ask(securities_sql(self._warehouse.prefix, on))

    def lookup(self, ticker: str, day: Day | None = None) -> Answer:
        """Whose a ticker was on a day, or ever, from the security master: what it was then, and what it is called now."""
        on = None if day is None else day_of("day", day)
        known_day(master_days(self._warehouse), on)
        return self._ask(lookup_sql(self._warehouse.prefix, ticker_literal(ticker), on))

    def query(self, statement: str) -> Answer:
        """What one SELECT (or SHOW, DESCRIBE) gives. It reads the warehouse's tables, and nothing else."""
        return self._ask(statement)

    def runs(self, *, status: RunStatus | None = None, date: Day | None = None, limit: int = 100) -> Answer:
        """What the runs did, the newest first: a row for each part, the columns of STOCKPIPE_RUNS.

        `status` is published, unchanged, refused, failed or interrupted; `date` the day that was loaded.
        """
        if status is not None and status not in RECORDED:
            raise UsageError(f"status is {status!r}.", hint=f"Choose from: {', '.join(RECORDED)}.")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise UsageError(f"limit is {limit!r}.", hint="It must be a whole number from 1.")
        chosen = Chosen(status=status, ds=None if date is None else day_of("date", date))
        return self._ask(runs_sql(chosen, limit))

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

    def _ask(self, statement: str) -> Answer:
        with in_python_words():
            return Answer(self._warehouse.fetch(statement), statement)

    def _days_between(self, start: Day | None, end: Day | None) -> tuple[date, date]:
        return (
            _EVER[0] if start is None else day_of("start", start),
            _EVER[1] if end is None else day_of("end", end),
        )

    def _priced(self, statement: Callable[[Sources], str], *, events: bool) -> Answer:
        """An answer from the tables of prices; NotThere names the first one that is missing."""
        for name in ("daily_bars", "splits", "dividends") if events else ("daily_bars",):
            if not self._is_there(self.table(name)):
                raise NotThere(
                    f"{self.table(name)} does not exist in {self.label} yet.",
                    hint=f'Load it first: stockpipe run --dataset {name}, or stockpipe.load("{name}").',
                )
        history = '"SECURITY_HISTORY"'
        bars, splits, dividends = (self.table(name) for name in ("daily_bars", "splits", "dividends"))
        sources = Sources(bars, splits, dividends, history if self._is_there(history) else NO_HISTORY)
        return self._ask(statement(sources))

    def _is_there(self, table: str) -> bool:
        """Whether there is a table; one that was there is not asked for again, as each question opens the file."""
        if table not in self._seen and self.has(table):
            self._seen.add(table)
        return table in self._seen

    def _parts(self, dataset: str, market: str | None, active: bool | str | None) -> list[Part]:
        return chosen_parts(dataset, word("market", market), word("active", active))

    def _published(self, parts: list[Part], day: Day | None) -> tuple[date, date | None]:
        """A published day of some parts, by default the newest one, and the published day before it.

        UsageError names the nearest days where it is not published, NotThere says that nothing is.
        """
        found = sorted(published_days(self._warehouse, parts))
        if not found:
            raise NotThere(
                f"No day of {parts[0].label} is published in {self._warehouse.label} yet.",
                hint="Load one first: stockpipe run, or stockpipe.load().",
            )
        wanted = found[-1] if day is None else day_of("day", day)
        if wanted not in found:
            near = sorted(sorted(found, key=lambda other: abs((other - wanted).days))[:3])
            raise UsageError(
                f"{wanted} is not a published day of {parts[0].label}.",
                hint=f"The nearest are {', '.join(map(str, near))}; days() lists all of them.",
            )
        place = found.index(wanted)
        return wanted, found[place - 1] if place else None
