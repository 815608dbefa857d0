"""The report in short: lines for a terminal, and one document for a program."""

from __future__ import annotations

from typing import Any

from stockpipe.report.facts import Facts
from stockpipe.report.trust import looked_at, verdict

_MOST = 10


def lines(facts: Facts) -> list[str]:
    """The verdict, what changed, and what was looked at."""
    told = ["Sample data from the sandbox, not the real market."] if facts.day.source.is_sample else []
    told.append(verdict(facts))
    for kind in ("new", "gone", "renamed"):
        rows = facts.changed(kind)
        if rows:
            names = [f"{row['OLD']} to {row['NEW']}" if kind == "renamed" else row["TICKER"] for row in rows]
            more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
            told.append(f"  {kind:<14}{', '.join(names[:_MOST])}{more}")
    found = looked_at(facts)
    width = max(len(one.name) for one in found)
    told += [f"  {one.name:<{width}}  {'      ' if one.state == 'good' else 'look  '}{one.text}" for one in found]
    return told


def document(facts: Facts) -> dict[str, Any]:
    """All numbers of the page: days in ISO 8601, the SQL behind each."""
    day = facts.day
    return {
        "day": day.ds.isoformat(),
        "previous_day": facts.before.ds.isoformat() if facts.before else None,
        "market": facts.part.label,
        "sample": day.source.is_sample,
        "source": str(day.source),
        "verdict": verdict(facts),
        "rows": day.rows,
        "rejected": day.rejected,
        "build_date": day.build.isoformat() if day.build else None,
        "run_id": day.run_id,
        "content_hash": day.content_hash,
        "trust": [{"name": one.name, "state": one.state, "text": one.text} for one in looked_at(facts)],
        "changes": [{key.lower(): _plain(value) for key, value in row.items()} for row in facts.changes],
        "days": [{"day": one.ds.isoformat(), "rows": one.rows, "rejected": one.rejected} for one in facts.days],
        "by_type": {ds.isoformat(): counts for ds, counts in facts.by_type.items()},
        "by_exchange": [{"exchange": e, "type": kind, "tickers": count} for e, kind, count in facts.by_exchange],
        "flow": [{"day": ds.isoformat(), "came": came, "went": went} for ds, came, went in facts.flow],
        "listings": {one.name: [dict(zip(one.heads, row, strict=True)) for row in one.rows] for one in facts.listings},
        "calendar": {ds.isoformat(): state for ds, state in facts.calendar.items()},
        "sql": {question.name: question.sql for question in facts.questions},
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
