"""A run as far as it has come: what is told of it when it ends, in whatever way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from stockpipe.base.clock import Clock
from stockpipe.warehouse.runs import RunRecord, new_run_id

Phase = Literal["prepare", "fetch", "check", "publish"]


@dataclass(frozen=True)
class Span:
    """A phase of a run: when it began (UTC), and how long it took."""

    phase: Phase
    began: datetime
    seconds: float


@dataclass
class Trace:
    """The id of a run, when it began and ended (UTC), its records so far (none before it has begun), and its phases."""

    clock: Clock
    run_id: str
    began: datetime
    records: list[RunRecord] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    ended: datetime | None = None

    @classmethod
    def begin(cls, clock: Clock) -> Trace:
        """The trace of a run that begins now."""
        now = clock.now()
        return cls(clock, new_run_id(now), now)

    @property
    def seconds(self) -> dict[Phase, float]:
        """The seconds spent in each phase."""
        return {span.phase: span.seconds for span in self.spans}

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Note when the run has ended, in whatever way: the alerts that follow are no part of it."""
        try:
            yield
        finally:
            self.ended = self.clock.now()

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Measure a phase, also when it ends in an error. Each comes once in a run."""
        began, started = self.clock.now(), self.clock.monotonic()
        try:
            yield
        finally:
            self.spans.append(Span(name, began, self.clock.monotonic() - started))
