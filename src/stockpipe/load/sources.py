"""Where a part comes from, checked as early as it is known: before the first call, and with the first answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stockpipe.base.text import in_quotes
from stockpipe.datasets import DATASETS, Dataset, DayFacts
from stockpipe.errors import DataCheckError
from stockpipe.load import checks
from stockpipe.load.desk import Desk
from stockpipe.load.run import PartRun
from stockpipe.warehouse import History
from stockpipe.warehouse.history import records_between, without_sample_days
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.source import Source


def source_of(desk: Desk, part: PartRun) -> Source:
    """Where a part comes from, as far as the answers have told by now."""
    return Source(desk.client.origin.base_url, desk.client.sandbox, part.load.dated)


def check_sources(desk: Desk, parts: Sequence[PartRun], *, called: bool) -> None:
    """Note where the parts come from; DataCheckError where that is no source for their table. `force` accepts it.

    What is published is asked once; the comparison before the publish asks anew. A remote warehouse is asked about dated
    loads only: an ordinary day is compared when it is fetched, as asking wakes a warehouse which costs money.
    """
    for part in parts:
        came = source_of(desk, part)
        part.note(source=str(came))
        _must_be_asked_for(desk, came)
        if part.load.force or not (desk.warehouse.local or (part.load.dated and not called)):
            continue
        if part.at_first is None:
            part.at_first = history(desk, part)
        checks.refuse(source_findings(desk, part, part.at_first, called=called), force=False)


def history(desk: Desk, part: PartRun) -> History:
    """What is published of a part. A dry run asks too, where that wakes nothing."""
    return desk.warehouse.history(part.load.partition) if desk.warehouse.local or not part.load.dry_run else History()


def listed(desk: Desk, dataset: Dataset, days: Sequence[date], *, dry_run: bool = False) -> dict[date, RunRecord]:
    """For days (rising), the record of the list that names those whose facts the dataset has, where it is published.

    Asked once for all days. A dry run asks too, where that wakes nothing.
    """
    kind = dataset.kind
    if not isinstance(kind, DayFacts) or not kind.members or not days or (dry_run and not desk.warehouse.local):
        return {}
    members = next(iter(DATASETS[kind.members].parts()))
    return records_between(desk.warehouse, members, days[0], days[-1])


def source_findings(desk: Desk, part: PartRun, known: History, *, called: bool = True) -> list[checks.Finding]:
    """What is to be said of where a part comes from."""
    came = source_of(desk, part)
    return list(checks.source(part.load, came, known, way_out(desk, part.load.dataset, known), called=called))


def way_out(desk: Desk, dataset: Dataset, known: History) -> str:
    """What to do about days of two sources: another place, or the end of the sample days."""
    place = "another file (--duckdb-path)" if desk.warehouse.local else "another schema (SNOWFLAKE_SCHEMA)"
    text = f"Name {place}, or add --force to have both in one table: it is recorded."
    if not any(source.is_sample for source in known.sources):
        return text
    statements = without_sample_days(dataset, in_quotes(desk.warehouse.table(dataset)))
    return f"{text} These statements remove the sample days: {'; '.join(statements)};"


def _must_be_asked_for(desk: Desk, came: Source) -> None:
    if came.is_sample and not desk.warehouse.local and not desk.settings.lets_samples_in:
        raise DataCheckError(
            f"These rows are sample data from {came}, and {desk.warehouse.label} is no place for that unless it is asked for.",
            hint="Nothing was published. To load sample data into Snowflake, add --sample-data (STOCKPIPE_SAMPLE_DATA=true).",
            checks=["source"],
        )
