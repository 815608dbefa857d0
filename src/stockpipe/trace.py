"""A run as far as it has come: what is told of it when it ends, in whatever way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from stockpipe.clock import Clock
from stockpipe.runs import RunRecord, new_run_id

Phase = Literal["prepare", "fetch", "check", "publish"]


@dataclass
class Trace:
    """The id of a run, its records so far (none before it has begun), and the seconds it spent in each phase."""

    clock: Clock
    run_id: str
    records: list[RunRecord] = field(default_factory=list)
    seconds: dict[Phase, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, clock: Clock) -> Trace:
        """The trace of a run that begins now."""
        return cls(clock, new_run_id(clock.now()))

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Measure a phase, also when it ends in an error."""
        started = self.clock.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self.clock.monotonic() - started
