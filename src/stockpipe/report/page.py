"""The page: one HTML file that opens without a network, runs no script, and prints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from typing import Any

from stockpipe.base.version import __version__
from stockpipe.report import charts
from stockpipe.report.facts import Facts
from stockpipe.report.html import Html, joined, table, tag
from stockpipe.report.trust import looked_at, verdict

MOST_ROWS = 100
"""So many rows of one kind of change are shown; the page says how many more there are."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STATES = {"good": "good", "look": "look at it"}


def page(facts: Facts) -> str:
    """The whole file."""
    title = f"{facts.part.label}, {facts.day.ds}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"stockpipe: {title}"),
        tag("style", Html(files(__package__).joinpath("page.css").read_text(encoding="utf-8"))),
    )
    main = tag("main", *_sections(facts), id="content")
    body = tag("body", _header(facts, title), main, _footer(facts))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(facts: Facts, title: str) -> Html:
    sample = None
    if facts.day.source.is_sample:
        sample = tag("p", "Sample data from the sandbox, not the real market.", class_="sample", role="note")
    return tag("header", tag("h1", title), sample, tag("p", verdict(facts), class_="verdict"))


def _sections(facts: Facts) -> Iterable[Html]:
    yield _section("What happened", *_changes(facts), source="Changes" if facts.before else None)
    yield _section("Can it be trusted?", _trust(facts), charts.rows_chart(facts), _days_table(facts), source="Days")
    yield _section("Universe by type", charts.types_chart(facts), _types_table(facts), source="Universe by type")
    if facts.flow:
        flow = _folded("Numbers", table("Per week", ("To", "Came", "Went"), _dated(facts.flow)))
        yield _section("Flow per week", charts.flow_chart(facts), flow, source="Flow per week")
    for one in facts.listings:
        yield _section(one.name, _listed(one.name, one.heads, one.rows), source=one.name)
    yield _section("Exchange by type", _exchanges(facts), source="Exchange by type")
    yield _section("Load calendar", charts.calendar_chart(facts), _calendar_key(), source="Load calendar")


def _section(title: str, *inside: Html, source: str | None) -> Html:
    """A part of the page; `source` is the statement at its foot that its numbers come from."""
    link = tag("p", "SQL: ", tag("a", source, href=f"#{_anchor(source)}"), class_="quiet") if source else None
    return tag("section", tag("h2", title), *inside, link)


def _changes(facts: Facts) -> Iterable[Html]:
    if facts.before is None:
        yield tag("p", "This is the first published day: there is nothing to compare it with.")
        return
    yield tag("p", f"Since {facts.before.ds}, the published day before.")
    for kind, title in (("new", "New"), ("gone", "Gone")):
        rows = [[row["TICKER"], row["NAME"], row["TYPE"], row["PRIMARY_EXCHANGE"]] for row in facts.changed(kind)]
        yield _listed(title, ("Ticker", "Name", "Type", "Exchange"), rows)
    renamed = [[row["OLD"], row["NEW"], row["NAME"], row["TYPE"]] for row in facts.changed("renamed")]
    yield _listed("Renamed (same composite FIGI)", ("From", "To", "Name", "Type"), renamed)
    changed = [[row["TICKER"], row["COLUMN_NAME"], row["OLD"], row["NEW"]] for row in facts.changed("changed")]
    yield _listed("Changed values", ("Ticker", "What", "Before", "After"), changed)


def _listed(title: str, heads: tuple[str, ...], rows: list[list[Any]]) -> Html:
    if not rows:
        return tag("p", f"{title}: none.")
    more = len(rows) - MOST_ROWS
    told = f"{title}: {len(rows):,}" + (f", of which the first {MOST_ROWS} are shown" if more > 0 else "")
    shown = tag("div", table(told, heads, rows[:MOST_ROWS]), class_="wide", tabindex=0, role="group", aria_label=title)
    return shown if len(rows) <= 12 else _folded(told, shown)


def _trust(facts: Facts) -> Html:
    lines = [
        tag(
            "tr",
            tag("th", one.name, scope="row"),
            tag("td", _STATES[one.state], class_=f"state {one.state}"),
            tag("td", one.text),
        )
        for one in looked_at(facts)
    ]
    return tag("table", tag("caption", "What was looked at"), tag("tbody", *lines))


def _days_table(facts: Facts) -> Html:
    rows: list[list[str | int]] = [
        [str(day.ds), day.rows, day.rejected, str(day.build or ""), ", ".join(day.forced)]
        for day in reversed(facts.days[-60:])
    ]
    return _folded("Numbers", table("The last published days", ("Day", "Rows", "Rejected", "Build", "Forced"), rows))


def _types_table(facts: Facts) -> Html:
    latest = facts.by_type[max(facts.by_type)]
    rows = sorted(latest.items(), key=lambda item: (-item[1], item[0]))
    return _folded("Numbers", table(f"On {max(facts.by_type)}", ("Type", "Tickers"), rows))


def _exchanges(facts: Facts) -> Html:
    kinds = list(dict.fromkeys(kind for _, kind, _ in facts.by_exchange))
    counts = {(exchange, kind): count for exchange, kind, count in facts.by_exchange}
    rows = [
        [exchange, sum(counts.get((exchange, kind), 0) for kind in kinds), *(counts.get((exchange, k)) for k in kinds)]
        for exchange in dict.fromkeys(exchange for exchange, _, _ in facts.by_exchange)
    ]
    shown = table(f"Tickers on {facts.day.ds}", ("Exchange", "All", *kinds), rows)
    return tag("div", shown, class_="wide", tabindex=0, role="group", aria_label="Exchange by type")


def _calendar_key() -> Html:
    told = "Green: published. F: forced past a check. R: refused by a check. X: failed or stopped. Empty: no load."
    return tag("p", told, class_="quiet")


def _dated(rows: Iterable[tuple[date, int, int]]) -> Iterable[tuple[str, int, int]]:
    return ((str(day), came, went) for day, came, went in reversed(list(rows)))


def _folded(summary: str, inside: Html) -> Html:
    return tag("details", tag("summary", summary), inside)


def _footer(facts: Facts) -> Html:
    day = facts.day
    origin = [
        ("Source", str(day.source)),
        ("Read from", facts.target),
        ("Run", day.run_id),
        ("Digest of the rows", day.content_hash),
        ("Made", f"{facts.made:%Y-%m-%d %H:%M} UTC by stockpipe {__version__}"),
    ]
    asked = [
        tag("details", tag("summary", question.name), tag("pre", question.sql, tabindex=0), id=_anchor(question.name))
        for question in facts.questions
    ]
    return tag(
        "footer",
        tag("h2", "Where the numbers come from"),
        table("This page", ("What", "Value"), origin),
        tag("p", "Each number can be repeated: stockpipe query with the statement.", class_="quiet"),
        joined(asked),
    )


def _anchor(name: str) -> str:
    return f"sql-{name.lower().replace(' ', '-')}"
