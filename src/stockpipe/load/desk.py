"""What is opened once and used by many loads: settings, client and pacer, warehouse, clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from functools import cached_property
from types import TracebackType
from typing import Self

from stockpipe.base import engines
from stockpipe.base.calendar import RULES, Sessions
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.datasets import Dataset
from stockpipe.load.checks import Limits
from stockpipe.load.run import PartRun
from stockpipe.massive.client import Client, Origin
from stockpipe.massive.memory import Memory, recall
from stockpipe.massive.open import Bounds, key_of, known_plan, paced
from stockpipe.master.asked import check_settings as check_master
from stockpipe.models import views
from stockpipe.settings import Settings
from stockpipe.warehouse import Warehouse, open_warehouse
from stockpipe.warehouse.sessions import sessions_of

Progress = Callable[[int, int], None]
"""Called after each page with the pages and rows fetched so far."""


class Desk:
    """Opens what a load needs when it is first used, and keeps it for the next one. Use it as a context manager.

    Anything may raise ConfigError for a setting that is missing or cannot be used; nothing is called before a load.
    `days_at_once` is how many days are fetched side by side.
    """

    def __init__(self, settings: Settings, clock: Clock, progress: Progress | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.progress = progress
        self.days_at_once = 1
        self._prepared: set[str] = set()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(engines.kept())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            # What was never opened is not opened to be closed.
            if "warehouse" in vars(self):
                self.warehouse.close()
            if "client" in vars(self):
                self.client.close()
                if self.client.pacer.plan == "free":
                    # The calls of a run that failed, was dry, or found nothing to load count for the next one too.
                    self._keep(recall(self.settings.state_file))

    @cached_property
    def bounds(self) -> Bounds:
        """What a fetch may take, as set."""
        return Bounds.of(self.settings)

    @property
    def calls(self) -> int:
        """Calls that one day may have under way at once: days that are fetched side by side share them."""
        return max(1, self.bounds.calls // self.days_at_once)

    @cached_property
    def limits(self) -> Limits:
        """What the checks let pass, as set."""
        return Limits.of(self.settings)

    @cached_property
    def client(self) -> Client:
        """The client, paced as the key's plan allows: as set, as remembered, or to be learned."""
        origin = Origin(self.settings.base_url, self.settings.api_key, self.bounds.answer_seconds, self.bounds.calls)
        client = Client(origin, paced(self.settings, self.clock))
        if client.pacer.learning:
            client.pacer.plan = known_plan(self.settings, origin, new_york_date(self.clock))
        client.pacer.assume(self.memory.calls(key_of(origin), self.clock.now()))
        return client

    @cached_property
    def memory(self) -> Memory:
        """What earlier runs learned of key and lists."""
        return recall(self.settings.state_file)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse, not yet connected."""
        return open_warehouse(self.settings)

    def sessions(self, dataset: Dataset, *, dry_run: bool = False) -> Sessions:
        """The trading days as the warehouse knows them, for a dataset that has them; a dry run wakes no warehouse for that."""
        asks = dataset.kind.calendar == "sessions" and (self.warehouse.local or not dry_run)
        return sessions_of(self.warehouse) if asks else RULES

    def check_settings(self) -> None:
        """Raise ConfigError for a setting that cannot be used, of whatever a load needs or leads to."""
        check_master(self.settings)
        _ = self.settings.lets_samples_in
        for name in ("limits", "client", "warehouse"):
            getattr(self, name)

    def prepare(self, dataset: Dataset) -> None:
        """Connect to the warehouse, and see to a dataset's tables, once."""
        if dataset.name not in self._prepared:
            self.warehouse.prepare(dataset, views)
            self._prepared.add(dataset.name)

    def reconnect(self) -> None:
        """Let go of a connection that may be broken: the next load makes a new one."""
        self.warehouse.close()
        self._prepared.clear()

    def remember_history(self, parts: Sequence[PartRun]) -> None:
        """Keep what was learned of the key's plan, and of lists of which no later day is remembered, for the next run."""
        kept = recall(self.settings.state_file)
        self._note_answered(kept, parts)
        for part in parts:
            if part.ranges and not kept.is_newer(part.load.part.path, part.load.ds):
                kept.learn_starts(part.load.part.path, *part.ranges, part.load.ds)
        self._keep(kept)

    def remember(self, parts: Sequence[PartRun]) -> None:
        """Keep what was learned of the key's plan and of the published lists for the next run."""
        self._note_answered(self.memory, parts)
        for part in parts:
            if part.ranges:
                self.memory.learn_starts(part.load.part.path, *part.ranges, part.load.ds)
        self._keep(self.memory)

    def refused_until(self, dataset: Dataset | None = None) -> date | None:
        """The newest day of a dataset, or of any, that the key's plan is known not to reach, from now or an earlier command."""
        key, name = key_of(self.client.origin), dataset.name if dataset else None
        return self.memory.refused_until(key, name, new_york_date(self.clock))

    def learn_reach(self, dataset: Dataset, refused: date) -> None:
        """Keep the newest day of a dataset that the key's plan does not reach, for this command and the next ones."""
        key, today = key_of(self.client.origin), new_york_date(self.clock)
        self.memory.learn_reach(key, dataset.name, refused, today)
        kept = recall(self.settings.state_file)
        kept.learn_reach(key, dataset.name, refused, today)
        self._keep(kept)

    def _note_answered(self, memory: Memory, parts: Sequence[PartRun]) -> None:
        key, today = key_of(self.client.origin), new_york_date(self.clock)
        for load in (part.load for part in parts if part.load.dated):
            memory.was_answered(key, load.dataset.name, load.ds, today)

    def _keep(self, memory: Memory) -> None:
        pacer = self.client.pacer
        if pacer.learning:
            memory.learn_plan(key_of(self.client.origin), pacer.plan, new_york_date(self.clock))
        if pacer.plan == "free":
            memory.learn_calls(key_of(self.client.origin), pacer.recent(), self.clock.now())
        memory.keep()
