"""What a load did, for those who called it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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

    def as_dict(self) -> dict[str, Any]:
        """The document of `run --json`: status, counts, the records, days and times in ISO 8601."""
        return {
            "status": self.records[0].status,
            "exit_code": 0,
            "run_id": self.run_id,
            "table": self.table,
            "target": self.target,
            "rows": self.rows,
            "rejected": sum(record.rows_rejected for record in self.records),
            "records": [record.as_dict() for record in self.records],
            "sql": self.sql,
        }
