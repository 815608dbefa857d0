"""What the last run did, in the text format of Prometheus, for the textfile collector of the node exporter.

A file holds the series of the loads of one command: give another command a file of its own, whose name ends in `.prom`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stockpipe import errors
from stockpipe.base.files import read_plain, replace_file
from stockpipe.errors import StockpipeError
from stockpipe.load.run import Phase
from stockpipe.warehouse.runs import GOOD, RunRecord

log = logging.getLogger(__name__)

_MOST_BYTES = 1_000_000
_FAMILY = "# HELP "
LAST_SUCCESS = "stockpipe_last_success_timestamp_seconds"
PHASES = "stockpipe_phase_seconds"


@dataclass(frozen=True)
class Gauge:
    """One metric: its name, its help text, and how a record gives its value; None leaves the series out."""

    name: str
    help: str
    value: Callable[[RunRecord], float | None]


def exit_status(record: RunRecord) -> int:
    """The exit code that a run of this record ended with."""
    if record.error is None:
        return 0 if record.status in (*GOOD, "dry-run") else 1
    kind = getattr(errors, record.error, None)
    return kind.exit_code if isinstance(kind, type) and issubclass(kind, StockpipeError) else 1


GAUGES = (
    Gauge("stockpipe_rows_fetched", "Rows that the API sent in the last run.", lambda r: r.rows_fetched),
    Gauge("stockpipe_rows_published", "Rows that the last run published.", lambda r: r.rows_published),
    Gauge("stockpipe_rows_rejected", "Rows that the last run could not publish.", lambda r: r.rows_rejected),
    Gauge("stockpipe_rows_repeated", "Identical repetitions that the last run dropped.", lambda r: r.rows_repeated),
    Gauge("stockpipe_pages", "Pages of the list in the last run.", lambda r: r.pages),
    Gauge("stockpipe_calls", "Calls to the API in the last run, retries included.", lambda r: r.calls),
    Gauge("stockpipe_retries", "Calls that the last run retried.", lambda r: r.retries),
    Gauge("stockpipe_waited_seconds", "Time the last run spent waiting to call the API.", lambda r: r.waited_seconds),
    Gauge("stockpipe_duration_seconds", "Time from start to end of the last run.", lambda r: r.seconds),
    Gauge(
        "stockpipe_last_run_timestamp_seconds",
        "End of the last run, in Unix time.",
        lambda r: r.finished_utc.timestamp() if r.finished_utc else None,
    ),
    Gauge(
        "stockpipe_build_age_seconds",
        "How much older the vendor's build is than the day of the last run.",
        lambda r: (r.ds - r.build_date).total_seconds() if r.build_date else None,
    ),
)


class MetricsFile:
    """The metrics of the loads of one command, in one file. A part that is loaded again replaces its earlier series."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: dict[str, str] = {}
        self._before: str | None = None

    def update(
        self, records: list[RunRecord], seconds: Mapping[Phase, float] | None = None, code: int | None = None
    ) -> None:
        """Write the metrics of a run. A failed run keeps the time of the last success in the old file.

        `seconds` is the time spent in each phase, `code` the exit code where the records do not tell it. A file that
        cannot be written is a warning: the day is published, or has failed, whatever becomes of its metrics.
        """
        own = _labels(records[0])
        try:
            self._before = _read(self.path) if self._before is None else self._before
            good = all(record.status in GOOD for record in records)
            known = self._texts.get(own, self._before)
            success = records[0].finished_utc if good else success_in(known, records)
            self._texts[own] = render(records, success, seconds, code)
            write(self.path, joined(self._texts.values()))
        except OSError as error:
            log.warning("The metrics file %s could not be written: %s.", self.path, error.strerror)


def joined(texts: Iterable[str]) -> str:
    """The metrics of several runs as one text: each family once, with the series of all."""
    families: dict[str, list[str]] = {}
    for text in texts:
        for family in text.split(_FAMILY)[1:]:
            name, kind, *samples = family.splitlines(keepends=True)
            families.setdefault(name + kind, []).extend(samples)
    return "".join(_FAMILY + head + "".join(samples) for head, samples in families.items())


def render(
    records: list[RunRecord],
    last_success: datetime | None,
    seconds: Mapping[Phase, float] | None = None,
    code: int | None = None,
) -> str:
    """The metrics of one run as text; `last_success` is the end of the last good run, None where none is known."""
    moment = last_success.timestamp() if last_success else None
    success = Gauge(LAST_SUCCESS, "End of the last good run, in Unix time.", lambda _: moment)
    status = Gauge(
        "stockpipe_exit_status",
        "Exit code of the last run; 0 is a good one.",
        lambda record: exit_status(record) if code is None else code,
    )
    return "".join(_family(gauge, records) for gauge in (*GAUGES, status, success)) + _phases(records, seconds or {})


def write(path: Path, text: str) -> None:
    """Replace the file in one step, a new one readable by all: the collector runs as another user. Raises OSError.

    A folder that does not exist is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with replace_file(path) as made:
        made.write_text(text, encoding="utf-8", newline="\n")
        if is_new:
            made.chmod(0o644)


def success_in(text: str, records: list[RunRecord]) -> datetime | None:
    """The time of the last good run of just these records' series in a text of `render`; None where there is none."""
    known = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(LAST_SUCCESS))
    moments = [known.get(LAST_SUCCESS + _labels(record), "") for record in records]
    # A run of several parts is good when all are: the older of two times is the time of the last good one.
    if not all(re.fullmatch(r"\d{1,12}(\.\d+)?", moment) for moment in moments):
        return None
    return datetime.fromtimestamp(min(map(float, moments)), UTC)


def _read(path: Path) -> str:
    """What an earlier run wrote; "" where there is nothing that can be read."""
    try:
        return read_plain(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _family(gauge: Gauge, records: list[RunRecord]) -> str:
    samples = [(_labels(record), gauge.value(record)) for record in records]
    lines = [f"{gauge.name}{labels} {value}\n" for labels, value in samples if value is not None]
    return "".join([f"{_FAMILY}{gauge.name} {gauge.help}\n", f"# TYPE {gauge.name} gauge\n", *lines]) if lines else ""


def _phases(records: list[RunRecord], seconds: Mapping[Phase, float]) -> str:
    lines = [
        f"{PHASES}{_labels(record, phase=phase)} {round(spent, 6)}\n"
        for record in records
        for phase, spent in seconds.items()
    ]
    text = "Time that the last run spent in each phase: prepare, fetch, check, publish."
    return "".join([f"{_FAMILY}{PHASES} {text}\n", f"# TYPE {PHASES} gauge\n", *lines]) if lines else ""


def _labels(record: RunRecord, **more: str) -> str:
    values = record.labels | more
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
