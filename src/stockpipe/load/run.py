"""A run as far as it has come: its parts with their records, and its phases. It is told of when it ends, in any way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from stockpipe.base.clock import Clock
from stockpipe.base.text import printable, redacted
from stockpipe.base.version import __version__
from stockpipe.errors import DataCheckError, Interrupted
from stockpipe.load.loads import Load
from stockpipe.massive.pacing import CallCounts
from stockpipe.warehouse import History, Publication
from stockpipe.warehouse.runs import RunRecord, RunStatus, new_run_id

_LONGEST_MESSAGE = 2000

Phase = Literal["prepare", "fetch", "check", "publish"]


@dataclass(frozen=True)
class Span:
    """A phase of a run: when it began (UTC), and how long it took."""

    phase: Phase
    began: datetime
    seconds: float


@dataclass
class PartRun:
    """One part of a run: what is loaded, and its record, which is replaced as the run goes on.

    `ranges` are the starts and counts that the next walk may use once the part is published. `at_first` is what was
    published of it when the run began, where that was asked.
    """

    load: Load
    record: RunRecord
    ranges: tuple[list[str], list[int]] | None = None
    at_first: History | None = None

    def note(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    @property
    def publication(self) -> Publication:
        """What is handed over to the warehouse."""
        return Publication(self.load.partition, self.record)


@dataclass
class Run:
    """The parts that are loaded and published together, under one id. Times are UTC."""

    clock: Clock
    run_id: str
    began: datetime
    parts: list[PartRun]
    spans: list[Span] = field(default_factory=list)
    ended: datetime | None = None
    counts_before: CallCounts = field(default_factory=CallCounts)

    @classmethod
    def begin(cls, loads: Sequence[Load], clock: Clock) -> Run:
        """A run that begins now."""
        now = clock.now()
        run_id = new_run_id(now)
        return cls(
            clock,
            run_id,
            now,
            [PartRun(load, RunRecord.begin(run_id, load.partition, now, version=__version__)) for load in loads],
        )

    @property
    def records(self) -> list[RunRecord]:
        """The record of each part."""
        return [part.record for part in self.parts]

    @property
    def first(self) -> Load:
        """The first load: dataset, day and options are the same for all."""
        return self.parts[0].load

    @property
    def seconds(self) -> dict[Phase, float]:
        """The seconds spent in each phase."""
        return {span.phase: span.seconds for span in self.spans}

    def finish(self, status: RunStatus, **changes: Any) -> None:
        """End all records now."""
        now = self.clock.now()
        for part in self.parts:
            part.record = part.record.finished(status, now, **changes)

    def fail(self, error: BaseException, secrets: Iterable[str], **changes: Any) -> None:
        """End all records now with an error: nothing is published, and its message is kept without the secrets."""
        message = printable(redacted(str(error), secrets))[:_LONGEST_MESSAGE]
        self.finish(status_of(error), rows_published=0, error=type(error).__name__, message=message, **changes)

    def take(self, records: Sequence[RunRecord]) -> None:
        """Take over the records as a warehouse wrote them, in the order of the parts."""
        for part, record in zip(self.parts, records, strict=True):
            part.record = record

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Note when the run has ended, in any way: the alerts that follow are no part of it."""
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


def status_of(error: BaseException) -> RunStatus:
    """What the record of a run says that ended in this error."""
    if isinstance(error, DataCheckError):
        return "refused"
    return "interrupted" if isinstance(error, Interrupted) else "failed"
