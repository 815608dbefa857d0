"""What a load did, for those who called it."""

from __future__ import annotations

from dataclasses import dataclass, field

from stockpipe.warehouse.runs import RunRecord


@dataclass(frozen=True)
class LoadResult:
    """What a run did: a record for each part, where the data is, and, for a dry run, the SQL it would run."""

    run_id: str
    table: str
    target: str
    records: list[RunRecord]
    sql: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows published, over all parts."""
        return sum(record.rows_published for record in self.records)
