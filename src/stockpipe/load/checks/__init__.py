"""May this day be published? Every doubt is a finding: a warning, a refusal, or the sign of a torn list.

The facts come from the staged day and from the record of the last published one. Where the vendor's list is known to
misbehave, the check says how (seen in dumps of 2025 and 2026): pages of two builds mixed in one walk, a build late by
hours or days, lists cut by a 429, days with a third of the market missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from stockpipe.base.text import printable
from stockpipe.datasets import Dataset
from stockpipe.errors import DataCheckError
from stockpipe.load.staging import StagedDay
from stockpipe.settings import Settings
from stockpipe.warehouse.runs import RunRecord

Severity = Literal["warn", "refuse"]

MOST_REJECTED = 0.01
PAGE = 1000
UNUSUAL_MOVE = 0.01
DAYS_A_MONTH = 30
# Below this many rows a share says nothing: a list of twenty may well lose two.
ENOUGH_ROWS = 200


@dataclass(frozen=True)
class Finding:
    """One doubt about a day: what kind, how grave, and the sentence for the user."""

    check: str
    severity: Severity
    text: str


@dataclass(frozen=True)
class Limits:
    """How far a day may differ from the last one, as shares: a loss of 0.05 is 5 %.

    They are for up to a month between the two days; a longer gap allows as much again for each further month.
    """

    loss: float = 0.05
    growth: float = 0.20
    require_fresh: bool = False

    @classmethod
    def of(cls, settings: Settings, *, require_fresh: bool = False) -> Limits:
        """As set; ConfigError for a value that cannot be used."""
        loss = settings.number("STOCKPIPE_MAX_LOSS", most=100) / 100
        return cls(loss, settings.number("STOCKPIPE_MAX_GROWTH") / 100, require_fresh)


@dataclass(frozen=True)
class Asked:
    """What was asked for, as far as the checks need it. `current`: the list of today, asked without a date."""

    dataset: Dataset
    market: str
    active: bool
    ds: date
    current: bool


def torn(asked: Asked, day: StagedDay) -> str | None:
    """Why a current list looks torn (pages of two builds mixed), or None. A torn list is worth another walk."""
    if not asked.current:
        return None
    builds = day.build_dates
    if build_date(asked, day) and len(builds) > 1:
        mixed = ", ".join(f"{build} ({rows:,} rows)" for build, rows in builds.items())
        return f"its rows carry the stamps of {len(builds)} nightly builds: {mixed}"
    if day.border_repeats:
        return f"tickers stand on two pages: {_some(day.border_repeats)}"
    return None


def build_date(asked: Asked, day: StagedDay) -> date | None:
    """The date of the vendor's nightly build, from the rows' stamps (UTC); None where stamps do not tell it."""
    nightly = asked.current and asked.active and asked.dataset.markets[asked.market].nightly_build
    return max(day.build_dates) if nightly and day.build_dates else None


def judge(asked: Asked, day: StagedDay, last: RunRecord | None, limits: Limits) -> list[Finding]:
    """All findings about a staged day; `last` is the record of the day to compare with, None on a first day."""
    day.counts.prove()
    findings = [*_contents(asked, day), *_freshness(asked, day, limits), *_shape(asked, day, last)]
    if last is not None and last.rows_published:
        findings += [*_volume(asked.ds, day, last, limits), *_list_end(day, last)]
    elif day.counts.published and day.counts.fetched % PAGE == 0:
        text = f"The list has exactly {day.counts.fetched:,} rows, whole pages only: it may have been cut, and there is no earlier day to compare with."
        findings.append(Finding("cut", "warn", text))
    return findings


def refuse(findings: list[Finding], *, force: bool) -> list[str]:
    """Raise DataCheckError when a finding refuses the day; with `force`, return what was overruled instead."""
    refusals = [finding for finding in findings if finding.severity == "refuse"]
    if refusals and not force:
        raise DataCheckError(
            " ".join(finding.text for finding in refusals),
            hint="Nothing was published. If the day is right all the same, run again with --force: it is recorded.",
            checks=(finding.check for finding in refusals),
        )
    return [f"{finding.check}: {finding.text}" for finding in refusals]


def _contents(asked: Asked, day: StagedDay) -> list[Finding]:
    counts, findings = day.counts, []
    if not counts.published and not (asked.market == "crypto" and not asked.active):
        findings.append(Finding("empty", "refuse", "The list has no row that could be published."))
    if counts.rejected > max(MOST_REJECTED * counts.fetched, 1):
        reasons = "; ".join(
            f"{printable(ticker or '(no ticker)')}: {printable(reason)}" for ticker, reason in day.reject_reasons[:3]
        )
        text = f"{counts.rejected:,} of {counts.fetched:,} rows were rejected, more than 1 %: {reasons}."
        findings.append(Finding("rejects", "refuse", text))
    elif counts.rejected:
        findings.append(Finding("rejects", "warn", f"{counts.rejected:,} rows were rejected; see: stockpipe rejects."))
    if day.conflicts:
        findings.append(
            Finding(
                "conflicts",
                "warn",
                f"Two different active rows for: {_some(day.conflicts)}. The more complete, then the newer one was kept.",
            )
        )
    if (reason := torn(asked, day)) is not None:
        findings.append(Finding("torn", "refuse", f"The list is torn: {reason}."))
    return findings


def _freshness(asked: Asked, day: StagedDay, limits: Limits) -> list[Finding]:
    build = build_date(asked, day)
    if build is None or build >= asked.ds:
        return []
    text = f"The vendor's list is the build of {build}, older than the day loaded ({asked.ds})."
    return [Finding("stale", "refuse" if limits.require_fresh else "warn", text)]


def _shape(asked: Asked, day: StagedDay, last: RunRecord | None) -> list[Finding]:
    """Fields that came or went."""
    findings = []
    if day.new_fields:
        text = f"The API sent fields that stockpipe does not know, kept in EXTRA: {_some(day.new_fields)}."
        findings.append(Finding("new fields", "warn", text))
    if day.counts.published < ENOUGH_ROWS:
        return findings
    empty = [name for name, filled in day.field_counts.items() if not filled]
    had = last.field_counts if last else {}
    vanished = [name for name in empty if had.get(name, 0) >= ENOUGH_ROWS]
    if vanished:
        text = f"No row has {_some(vanished)} any more, which the last published day ({last.ds if last else ''}) had."
        findings.append(Finding("vanished", "refuse", text))
    expected = {
        column.name for column in asked.dataset.fields if column.field in asked.dataset.markets[asked.market].expected
    }
    never = [name for name in empty if name in expected and name not in vanished]
    if never and last is None and asked.active:
        findings.append(Finding("absent", "warn", f"No row has {_some(never)}, which {asked.market} usually have."))
    return findings


def _volume(ds: date, day: StagedDay, last: RunRecord, limits: Limits) -> list[Finding]:
    now, before = day.counts.published, last.rows_published
    change = (now - before) / before
    # A short list may move by a few rows whatever share that is.
    few = abs(now - before) <= max(2, math.isqrt(min(before, now)) // 4)
    if few:
        return []
    days = (ds - last.ds).days
    months = max(1.0, days / DAYS_A_MONTH)
    sentence = f"{now:,} rows against {before:,} on {last.ds} ({change:+.1%})"
    loss, growth = limits.loss * months, limits.growth * months
    if change <= -loss:
        return [Finding("volume", "refuse", f"{sentence}: a loss of {loss:.0%} or more.")]
    if change >= growth:
        return [Finding("volume", "refuse", f"{sentence}: a rise of {growth:.0%} or more.")]
    if abs(change) >= UNUSUAL_MOVE * months:
        return [Finding("volume", "warn", f"{sentence}: unusual for {f'{days} days' if days > 1 else 'one day'}.")]
    return []


def _list_end(day: StagedDay, last: RunRecord) -> list[Finding]:
    """A list cut by the API ends far before yesterday's: its last ticker begins with another letter."""
    ends, ended = day.last_ticker or "", last.last_ticker or ""
    if not ends or not ended or ends[:1].upper() >= ended[:1].upper():
        return []
    text = f"The list ends with {printable(ends)}; on {last.ds} it ended with {printable(ended)}: it may have been cut."
    return [Finding("cut", "warn", text)]


def _some(names: list[str], most: int = 8) -> str:
    shown = ", ".join(printable(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
