"""The charts of the page. A length starts at zero, a gap in the days is a gap in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from stockpipe.load.checks import Limits
from stockpipe.load.checks.volume import band
from stockpipe.report.facts import Facts, Published, sampled
from stockpipe.report.html import Html, joined, tag
from stockpipe.report.svg import LEFT, WIDTH, Ground, picture, rounded_up

KINDS = 6
"""So many types have a colour of their own; the rest is one."""
_CELL = 11
_STATES = {
    "published": ("published", ""),
    "unchanged": ("published", ""),
    "forced": ("forced", "F"),
    "refused": ("refused", "R"),
    "failed": ("failed", "X"),
    "interrupted": ("failed", "X"),
}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rows_chart(facts: Facts) -> Html:
    """Rows by day as a line, with the band that the breaker lets pass."""
    step, chosen = sampled([one.ds for one in facts.days])
    shown = {one.ds: one for one in facts.days if one.ds in set(chosen)}
    bands = _bands(facts.days, facts.limits, set(chosen))
    values = [float(one.rows) for one in shown.values()] + [edge for pair in bands.values() for edge in pair]
    room = (max(values) - min(values)) * 0.05 + 1
    ground = Ground(facts.days[0].ds, facts.day.ds, max(0.0, min(values) - room), max(values) + room)
    inside = [ground.axes("rows")]
    for stretch in stretches(chosen, step):
        inside.append(_band(ground, [day for day in stretch if day in bands], bands))
        points = " ".join(f"{ground.x(day):.1f},{ground.y(shown[day].rows):.1f}" for day in stretch)
        inside.append(tag("polyline", points=points, class_="line"))
        if len(stretch) == 1 or len(chosen) <= 31:
            inside += [tag("circle", cx=ground.x(d), cy=ground.y(shown[d].rows), r=2.5, class_="dot") for d in stretch]
    described = (
        f"From {facts.days[0].ds} to {facts.day.ds}. The shaded band is what the breaker lets pass against the day "
        "before. The axis of the rows does not start at zero."
    )
    return picture("Rows by day", described, *inside)


def types_chart(facts: Facts) -> Html:
    """The universe by type: columns from zero, one part for each of the largest types."""
    names = type_names(facts)
    days, step = sorted(facts.by_type), facts.step
    ground = Ground(
        days[0], days[-1] + timedelta(days=step), 0, rounded_up(max(sum(facts.by_type[d].values()) for d in days))
    )
    inside = [ground.axes("tickers")]
    for day in days:
        below = 0
        for number, name in enumerate(names):
            count = _count(facts.by_type[day], names, name)
            inside.append(_column(ground, day, step, (below, below + count), f"kind{number}"))
            below += count
    legend = _legend([(f"kind{number}", name) for number, name in enumerate(names)])
    return picture("Universe by type", f"Columns from zero. From below: {', '.join(names)}.", *inside, legend)


def flow_chart(facts: Facts) -> Html:
    """What came and went per week: columns up and down from zero."""
    most = rounded_up(max(max(came, went) for _, came, went in facts.flow))
    week = timedelta(days=7)
    mondays = [(day - timedelta(days=day.weekday()), came, went) for day, came, went in facts.flow]
    ground = Ground(mondays[0][0], mondays[-1][0] + week, -most, most)
    inside = [ground.axes("tickers", "week")]
    for monday, came, went in mondays:
        inside.append(_column(ground, monday, 7, (0, came), "came"))
        inside.append(_column(ground, monday, 7, (-went, 0), "went"))
    inside.append(tag("line", x1=LEFT, x2=WIDTH - 14, y1=ground.y(0), y2=ground.y(0), class_="zero"))
    described = "Above zero those that came, below zero those that went, per week; a renamed ticker counts as both."
    return picture("Flow per week", described, *inside, _legend([("came", "came"), ("went", "went")]))


def calendar_chart(facts: Facts) -> Html:
    """A square for each day of the last year: how its load ended."""
    last = facts.day.ds
    first = max(last - timedelta(days=364), min([*facts.calendar, last]))
    monday = first - timedelta(days=first.weekday())
    inside = [
        tag("text", name, x=4, y=30 + number * (_CELL + 1), class_="small") for number, name in enumerate(_WEEKDAYS)
    ]
    counts: dict[str, int] = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        state, sign = _STATES.get(facts.calendar.get(day, ""), ("missing", ""))
        counts[state] = counts.get(state, 0) + 1
        inside.append(_square(day, (day - monday).days // 7, state, sign))
    inside += _months(first, last, monday)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    legend = "An empty square has no load, F was forced, R was refused, X failed."
    return picture("Load calendar", f"From {first} to {last}: {told}. {legend}", *inside, height=126)


def type_names(facts: Facts) -> list[str]:
    """The types with a colour: the largest ones of the day, and "other" where there are more."""
    counts = facts.by_type[max(facts.by_type)]
    every = {name for of_day in facts.by_type.values() for name in of_day}
    names = sorted(every, key=lambda name: (-counts.get(name, 0), name))
    return names if len(names) <= KINDS + 1 else [*names[:KINDS], "other"]


def stretches(days: Sequence[date], step: int) -> list[list[date]]:
    """Days without a gap, together: two lie at most two columns apart, since each is the newest day of its column."""
    found = [[days[0]]]
    for before, day in pairwise(days):
        if (day - before).days > max(1, 2 * step - 1):
            found.append([])
        found[-1].append(day)
    return found


def _bands(days: Sequence[Published], limits: Limits, chosen: set[date]) -> dict[date, tuple[float, float]]:
    """What the breaker let pass on each of the chosen days, against the published day before."""
    return {
        day.ds: band(before.rows, (day.ds - before.ds).days, limits)
        for before, day in pairwise(days)
        if day.ds in chosen
    }


def _band(ground: Ground, days: list[date], bands: dict[date, tuple[float, float]]) -> Html:
    upper = [(ground.x(day), ground.y(bands[day][1])) for day in days]
    lower = [(ground.x(day), ground.y(bands[day][0])) for day in reversed(days)]
    return tag("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in (*upper, *lower)), class_="band")


def _column(ground: Ground, day: date, width: float, ends: tuple[float, float], kind: str) -> Html:
    left, right = ground.x(day, 0.08 * width), ground.x(day, 0.92 * width)
    top, bottom = ground.y(ends[1]), ground.y(ends[0])
    return tag("rect", x=left, y=top, width=max(0.5, right - left), height=bottom - top, class_=kind)


def _count(counts: dict[str, int], names: list[str], name: str) -> int:
    if name != "other" or len(names) <= KINDS:
        return counts.get(name, 0)
    return sum(count for kind, count in counts.items() if kind not in names)


def _legend(entries: list[tuple[str, str]]) -> Html:
    """Colours (as classes) with their names."""
    places = [(LEFT + number * 92, kind, name) for number, (kind, name) in enumerate(entries)]
    return joined(
        tag("g", tag("rect", x=x, y=4, width=10, height=10, class_=kind), tag("text", name, x=x + 14, y=13))
        for x, kind, name in places
    )


def _square(day: date, week: int, state: str, sign: str) -> Html:
    x, y = 34 + week * (_CELL + 1), 20 + day.weekday() * (_CELL + 1)
    drawn = tag("rect", x=x, y=y, width=_CELL, height=_CELL, class_=f"day {state}")
    mark = tag("text", sign, x=x + _CELL / 2, y=y + 9, text_anchor="middle", class_="mark") if sign else None
    return tag("g", tag("title", f"{day} {state}"), drawn, mark)


def _months(first: date, last: date, monday: date) -> list[Html]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        tag("text", f"{day:%Y-%m}", x=34 + (day - monday).days // 7 * (_CELL + 1), y=14, class_="small")
        for day in days
        if day.day == 1
    ]
