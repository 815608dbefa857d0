"""A staged part beside the day that is published before it: may it pass?"""

from __future__ import annotations

import logging

from stockpipe.load import checks
from stockpipe.load.desk import Desk
from stockpipe.load.run import PartRun
from stockpipe.load.sources import source_findings, source_of
from stockpipe.load.staged import StagedPart
from stockpipe.warehouse import History
from stockpipe.warehouse.runs import RunRecord
from stockpipe.warehouse.source import Source

log = logging.getLogger(__name__)


def compare(
    desk: Desk,
    part: PartRun,
    facts: StagedPart,
    known: History,
    listed: RunRecord | None,
    *,
    in_a_range: bool = False,
) -> None:
    """Compare a part with what is `known` of the published days, and note warnings and what `force` overruled.

    `listed` is the record of the list that names those whose facts a part has, where there is one. In a range of days a
    day without an earlier one is compared with the next later one, and the warnings are not logged day by day.
    DataCheckError unless the part may pass.
    """
    checks.must_be_newest(part.load, known)
    came = source_of(desk, part)
    last = known.before(came) or (known.after(came) if in_a_range else None)
    findings = [
        *source_findings(desk, part, known),
        *checks.check(part.load, facts, last, desk.limits),
        *checks.members(part.load, facts, listed if listed and Source.of(listed).kind == came.kind else None),
    ]
    warnings = [finding.text for finding in findings if finding.severity == "warn"]
    for text in warnings:
        log.log(logging.DEBUG if in_a_range else logging.WARNING, "%s: %s", part.load.part.label, text)
    part.note(forced=checks.refuse(findings, force=part.load.force), warnings=warnings)
