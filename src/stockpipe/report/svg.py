"""The ground of a chart: its size, its scales and its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from stockpipe.report.html import Html, joined, tag

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 24, 44


@dataclass(frozen=True)
class Ground:
    """A plane of days and numbers: `first` to `last` from left to right, `low` to `high` from bottom to top."""

    first: date
    last: date
    low: float
    high: float

    def x(self, day: date, shift: float = 0.0) -> float:
        """Where a day lies; `shift` moves it by so many days."""
        span = max(1, (self.last - self.first).days)
        return LEFT + (WIDTH - LEFT - RIGHT) * ((day - self.first).days + shift) / span

    def y(self, value: float) -> float:
        """Where a number lies."""
        share = (value - self.low) / ((self.high - self.low) or 1)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def axes(self, named: str, unit: str = "day") -> Html:
        """Both axes with lines, numbers and names; `named` is the name of the numbers."""
        return joined((*self._numbers(named), *self._days(unit)))

    def _numbers(self, named: str) -> list[Html]:
        lines = [tag("text", named, x=4, y=12, class_="axis")]
        for value in ticks(self.low, self.high):
            lines.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=self.y(value), y2=self.y(value), class_="grid"))
            lines.append(tag("text", f"{value:,.0f}", x=LEFT - 6, y=self.y(value) + 4, text_anchor="end"))
        return lines

    def _days(self, unit: str) -> list[Html]:
        lines = [tag("text", unit, x=WIDTH - RIGHT, y=HEIGHT - 4, class_="axis", text_anchor="end")]
        for day in day_ticks(self.first, self.last):
            lines.append(
                tag("line", x1=self.x(day), x2=self.x(day), y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 5, class_="tick")
            )
            # The last one would stand out on the right.
            anchor = "end" if self.first < day == self.last else "middle"
            lines.append(tag("text", str(day), x=self.x(day), y=HEIGHT - BOTTOM + 18, text_anchor=anchor))
        return lines


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten, never below one."""
    step = _step(high - low, about)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def day_ticks(first: date, last: date, most: int = 6) -> list[date]:
    """Days at equal distances, the last one included."""
    span = (last - first).days
    step = max(1, math.ceil(span / most))
    return [last - timedelta(days=back) for back in range(0, span + 1, step)][::-1]


def rounded_up(value: float) -> float:
    """The next round number, as the upper end of an axis that begins at zero."""
    step = _step(value, 5)
    return step * max(1, math.ceil(value / step))


def _step(span: float, about: int) -> float:
    rough = max(1.0, span / about)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def picture(title: str, described: str, *inside: Html, height: int = HEIGHT) -> Html:
    """An SVG that a screen reader can name and describe, in a frame that scrolls where the screen is narrow."""
    drawn = tag(
        "svg",
        tag("title", title),
        tag("desc", described),
        *inside,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=f"{title}. {described}",
    )
    return tag("div", drawn, class_="chart", tabindex=0, role="group", aria_label=title)
