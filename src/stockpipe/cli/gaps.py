"""stockpipe status --gaps: days that are missing between published ones, with the command that loads them."""

from __future__ import annotations

from typing import Any

import click

from stockpipe.cli.next_command import next_command
from stockpipe.cli.output import print_json
from stockpipe.cli.parts import run_words
from stockpipe.cli.proposals import fits, in_lines
from stockpipe.cli.table import Look, print_table, tell_what_is_missing
from stockpipe.datasets import Part
from stockpipe.errors import DataCheckError
from stockpipe.schedule.missing import Gap, gaps
from stockpipe.warehouse import Warehouse
from stockpipe.warehouse.history import Chosen, last_days, published_days, refused_days
from stockpipe.warehouse.sessions import sessions_of

_COLUMNS = ("LIST", "FIRST DAY", "LAST DAY", "PUBLISHED", "MISSING")
_LOOK = Look(right=("PUBLISHED", "MISSING"), whole=("LIST", "FIRST DAY", "LAST DAY"))


def show_gaps(warehouse: Warehouse, chosen: Chosen, *, as_json: bool) -> int:
    """Tell of each list that was ever loaded what is missing in it; the exit code: 7 for a gap, or where no day is, else 0."""
    parts = dict.fromkeys(record.part_id.part for record in last_days(warehouse, chosen, 1))
    # A day on which there was nothing to load is none of the published ones, and no session, so no gap either.
    found = [(part, published_days(warehouse, [part], idle=False)) for part in parts if part]
    sessions = sessions_of(warehouse)
    lists = [(part, sorted(days), gaps(part.dataset, days, sessions)) for part, days in found]
    code = DataCheckError.exit_code if not lists or any(missing for *_, missing in lists) else 0
    if as_json:
        print_json({"exit_code": code, "lists": [_document(*one) for one in lists]})
        return code
    shown = print_table(
        _COLUMNS,
        [
            [_name(part), days[0], days[-1], len(days), sum(gap.days for gap in missing)]
            for part, days, missing in lists
        ],
        _LOOK,
    )
    tell_what_is_missing(shown)
    for part, _, missing in lists:
        refused = refused_days(warehouse, part) if missing else set()
        for gap in missing:
            if gap.days == 1 and gap.first in refused:
                [words] = run_words([part])
                run = next_command("run", "--date", gap.first.isoformat(), *words)
                _tell(f"{_name(part)}: {gap.first} was refused by a check; a run tells why", run)
            else:
                _tell(f"{_name(part)}: {_said(gap)}", _command(part, gap))
    return code


def _tell(what: str, command: str) -> None:
    line = f"{what}; {command}"
    click.echo(line if fits(line) else f"{what}:\n{in_lines(command, '  ')}", err=True)


def _name(part: Part) -> str:
    return part.dataset.name if part.label == part.dataset.name else f"{part.dataset.name}: {part.label}"


def _said(gap: Gap) -> str:
    return f"{gap.first} is missing" if gap.days == 1 else f"{gap.first} to {gap.last} are missing ({gap.days} days)"


def _command(part: Part, gap: Gap) -> str:
    [words] = run_words([part])
    return next_command("backfill", "--from", gap.first.isoformat(), "--to", gap.last.isoformat(), *words)


def _document(part: Part, days: list[Any], missing: list[Gap]) -> dict[str, Any]:
    return {
        "list": _name(part),
        "first_day": days[0].isoformat(),
        "last_day": days[-1].isoformat(),
        "published": len(days),
        "gaps": [
            {
                "from": gap.first.isoformat(),
                "to": gap.last.isoformat(),
                "days": gap.days,
                "command": _command(part, gap),
            }
            for gap in missing
        ],
    }
