"""Many days of a dataset: each fetched and staged by itself, many published together, in one transaction.

What a day leaves behind when it is staged is small: its facts, a Parquet file for each part, its rejected rows. So days
can be staged ahead, side by side, and wait for those before them. Nothing here asks the warehouse but `publish_days`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

from stockpipe.base.engine import open_local
from stockpipe.base.runlog import lines_of
from stockpipe.base.stopping import committing, stopping
from stockpipe.base.text import hiding, literal
from stockpipe.errors import DataCheckError, Interrupted
from stockpipe.load import checks
from stockpipe.load.compare import compare
from stockpipe.load.desk import Desk
from stockpipe.load.fetch import fetch
from stockpipe.load.loads import Load
from stockpipe.load.run import PartRun, Run
from stockpipe.load.sources import source_of
from stockpipe.load.staged import StagedPart
from stockpipe.load.staging import FILE_SIZE, REJECTS_AT_ONCE, Staging
from stockpipe.warehouse import Delivery, History
from stockpipe.warehouse.runs import IDLE, RunRecord, new_run_id

log = logging.getLogger(__name__)

_MEMORY = "200MB"


@dataclass
class StagedDay:
    """A day on its way: its run with a record for each part, and what is to be published of it; or why it cannot be."""

    run: Run
    facts: list[StagedPart] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    rejects: list[tuple[Any, ...]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def ds(self) -> date:
        """The day."""
        return self.run.first.ds

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to load, and nothing was to be expected: no session was held that day."""
        rows = any(facts.counts.fetched for facts in self.facts)
        return not self.error and not rows and not self.run.first.expects_rows


def stage_day(desk: Desk, loads: Sequence[Load], known: Mapping[str, History], folder: Path) -> StagedDay:
    """Fetch the parts of a day, and keep in `folder` what is to be published. Safe in many threads at once.

    `known` is what is published of each part, by its path: no thread asks the warehouse. Whatever goes wrong, but a
    stop, is the day's own `error`.
    """
    day = StagedDay(Run.begin(loads, desk.clock))
    with desk.client.pacer.patience.apart() as spent:
        try:
            for part in day.run.parts:
                part.at_first = replace(known[part.load.part.path], ds=part.load.ds)
                _stage(desk, day, part, folder)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - the days beside it go on; whoever takes the day tells of it
            day.error = error
            discard(day)
        for part in day.run.parts:
            part.note(calls=spent.calls, retries=spent.retries, waited_seconds=round(spent.waited, 3))
    return day


def _stage(desk: Desk, day: StagedDay, part: PartRun, folder: Path) -> None:
    """Fetch a part, judge it by itself, and put its Parquet files into the folder."""
    part.note(source=str(source_of(desk, part)))
    with hiding(lambda: desk.settings.secrets), Staging(part.load.partition, in_a_hurry=False) as staging:
        facts = fetch(desk, part, staging)
        day.facts.append(facts)
        if not facts.counts.fetched and not part.load.expects_rows:
            return
        checks.refuse(checks.check(part.load, facts, None, desk.limits), force=False)
        day.rejects += chain.from_iterable(staging.rejects(day.run.run_id))
        for number, made in enumerate(staging.write_parquet(small=not desk.warehouse.local)):
            name = f"{part.load.ds}-{part.load.part.path.replace('/', '-')}-{number:04}.parquet"
            day.files.append(Path(shutil.move(made, folder / name)))


def discard(day: StagedDay) -> None:
    """Take away the files of a day that is published, or never will be."""
    for path in day.files:
        path.unlink(missing_ok=True)
    day.files.clear()


def check_day(desk: Desk, day: StagedDay, known: Mapping[str, History], listed: RunRecord | None) -> None:
    """Compare each part with the day that `known` has for its path, and with the day's list. What refuses it is the day's error."""
    try:
        for part, facts in zip(day.run.parts, day.facts, strict=True):
            before = replace(known[part.load.part.path], ds=day.ds)
            compare(desk, part, facts, before, listed, in_a_range=True)
            if part.ranges:
                desk.memory.learn_starts(part.load.part.path, *part.ranges, day.ds)
    except DataCheckError as error:
        day.error = error
        discard(day)


def publish_days(desk: Desk, days: Sequence[StagedDay], left_out: Sequence[StagedDay] = ()) -> list[RunRecord]:
    """Publish days together, in one transaction, and record those that are left out with their errors. Gives the records.

    WarehouseError when the warehouse refuses it: then no day of them is published.
    """
    run_id = new_run_id(desk.clock.now())
    with lines_of(run_id):
        return _published(desk, days, left_out, run_id)


def _published(desk: Desk, days: Sequence[StagedDay], left_out: Sequence[StagedDay], run_id: str) -> list[RunRecord]:
    others = [record for day in left_out for record in _ended(desk, day, run_id)]
    desk.warehouse.begin(run_id)
    first = [*days, *left_out][0]
    desk.prepare(first.run.first.dataset)
    if not days:
        desk.warehouse.write_records(others)
        desk.warehouse.release()
        return others
    for day in days:
        day.run.finish("published", run_id=run_id)
    try:
        with stopping.transaction():
            records = desk.warehouse.publish(_delivery(desk, days, others, run_id))
    finally:
        committing.clear()
        desk.warehouse.release()
    for day in days:
        discard(day)
    return [*records, *others]


def _delivery(desk: Desk, days: Sequence[StagedDay], others: list[RunRecord], run_id: str) -> Delivery:
    files = [path for day in days for path in day.files]
    rejects = ((run_id, *row[1:]) for day in days for row in day.rejects)
    some = iter(lambda: list(islice(rejects, REJECTS_AT_ONCE)), [])
    return Delivery(
        days[0].run.first.dataset,
        [part.publication for day in days for part in day.run.parts],
        files if desk.warehouse.local else _joined(files, run_id),
        some,
        desk.clock,
        left_out=others,
    )


def _joined(files: list[Path], run_id: str) -> list[Path]:
    """Files of one folder as few large ones, in a folder of their own: each small one would stay small in the warehouse."""
    if len(files) < 2:
        return files
    folder = files[0].parent / run_id
    names = ", ".join(literal(str(path)) for path in files)
    with open_local(folder, {"memory_limit": _MEMORY}) as local:
        local.execute(
            f"COPY (SELECT * FROM read_parquet([{names}])) TO {literal(str(folder))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 50_000, FILE_SIZE_BYTES '{FILE_SIZE}', FILENAME_PATTERN 'days-{{i}}')"
        )
    return sorted(folder.glob("*.parquet"))


def _ended(desk: Desk, day: StagedDay, run_id: str) -> list[RunRecord]:
    """The records of a day that is not published."""
    if day.error is None:
        day.run.finish(IDLE, run_id=run_id)
    else:
        day.run.fail(day.error, desk.settings.secrets, run_id=run_id)
    return day.run.records
