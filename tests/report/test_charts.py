"""The charts: round numbers, zero where a length is compared, gaps as gaps. Expected places are written down."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from stockpipe.report.charts import calendar_chart, flow_chart, rows_chart, stretches, type_names, types_chart
from stockpipe.report.facts import sampled, weekly
from stockpipe.report.svg import Ground, day_ticks, rounded_up, ticks
from support.reports import FIRST, facts


def plane(first: int, last: int, low: float, high: float) -> Ground:
    return Ground(FIRST + timedelta(days=first), FIRST + timedelta(days=last), low, high)


def days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (950, 1200, [950, 1000, 1050, 1100, 1150, 1200]),
        (11_244, 14_203, [12_000, 13_000, 14_000]),
        (0, 1, [0, 1]),
        (-7, 7, [-5, 0, 5]),
        (5, 5, [5]),
    ],
)
def test_ticks_are_round_numbers_within_the_range(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == found


@pytest.mark.parametrize(("value", "end"), [(0, 1), (7, 8), (12_391, 15_000), (1, 1)])
def test_an_axis_from_zero_ends_at_a_round_number(value: float, end: float) -> None:
    assert rounded_up(value) == end


def test_day_ticks_end_with_the_last_day() -> None:
    assert day_ticks(FIRST, FIRST) == days(0)
    assert day_ticks(FIRST, FIRST + timedelta(days=60)) == days(0, 10, 20, 30, 40, 50, 60)


def test_a_plane_puts_its_corners_where_the_axes_are() -> None:
    ground = plane(0, 10, 0, 100)
    assert (ground.x(days(0)[0]), ground.x(days(10)[0])) == (64, 706)
    assert (ground.y(0), ground.y(100), ground.y(50)) == (216, 24, 120)
    assert plane(0, 0, 5, 5).y(5) == 216


def test_the_days_at_both_ends_of_an_axis_stay_inside() -> None:
    def anchors(first: int, last: int) -> list[str]:
        axes = str(plane(first, last, 0, 1).axes("rows"))
        return re.findall(r'text-anchor="(\w+)">\d{4}-', axes)

    assert anchors(0, 0) == ["middle"]  # one day stands at the left edge
    assert anchors(0, 20)[-1] == "end"


@pytest.mark.parametrize(
    ("numbers", "step", "chosen"),
    [
        ((0,), 1, (0,)),
        (range(104), 1, tuple(range(104))),
        (range(105), 7, tuple(range(6, 105, 7))),
        ((0, 1, 50, 727), 7, (1, 50, 727)),
    ],
)
def test_a_chart_has_at_most_104_columns_each_with_its_newest_day(
    numbers: range | tuple[int, ...], step: int, chosen: tuple[int, ...]
) -> None:
    found = sampled(days(*numbers))
    assert found[0] == step
    assert [(day - FIRST).days for day in found[1]][-3:] == list(chosen)[-3:]


def test_a_missing_day_cuts_the_line() -> None:
    assert stretches(days(0, 1, 3, 4), 1) == [days(0, 1), days(3, 4)]
    assert stretches(days(0, 13, 20), 7) == [days(0, 13, 20)]
    assert stretches(days(0, 14), 7) == [days(0), days(14)]
    drawn = rows_chart(facts(10, 11, 12, 13, 14, skip=(2,)))
    assert drawn.count("<polyline") == 2


def test_weeks_are_compared_with_the_week_before_only() -> None:
    assert weekly(days(0, 4, 6, 7, 13, 27, 28)) == [tuple(days(6, 13)), tuple(days(27, 28))]
    assert weekly(days(0, 1)) == []
    assert len(weekly(days(*range(0, 800, 7)))) == 52


def test_the_band_of_the_breaker_is_drawn_around_each_day() -> None:
    drawn = rows_chart(facts(1000, 1000))
    (points,) = re.findall(r'<polygon points="([^"]*)" class="band"', drawn)
    heights = [float(pair.split(",")[1]) for pair in points.split()]
    assert len(heights) == 2
    assert heights[0] < heights[1]
    assert "1,100" in drawn


def test_columns_begin_at_zero_and_stand_on_each_other() -> None:
    drawn = types_chart(facts(100, 100))
    lower = re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)" class="kind0"/>', drawn)
    tops = {float(y) + float(height) for y, height in lower if float(height) != 10}
    assert tops == {216.0}
    assert ">CS<" in drawn
    assert ">ETF<" in drawn


def test_small_types_are_one_and_none_is_lost() -> None:
    counts = {f"T{number}": 100 - number for number in range(9)}
    many = facts(by_type={FIRST: counts})
    assert type_names(many) == ["T0", "T1", "T2", "T3", "T4", "T5", "other"]
    assert type_names(facts(by_type={FIRST: {f"T{n}": 7 - n for n in range(7)}}))[-1] == "T6"
    heights = re.findall(r'height="([\d.]+)" class="kind6"/>', types_chart(many))
    assert float(heights[0]) == pytest.approx(192 * (94 + 93 + 92) / 1000, abs=0.01)


def test_flow_goes_up_and_down_from_zero() -> None:
    drawn = flow_chart(facts(flow=[(FIRST, 4, 2), (FIRST + timedelta(days=7), 0, 3)]))
    came, went = (
        re.findall(rf'y="([\d.]+)" width="[\d.]+" height="([\d.]+)" class="{kind}"', drawn)[:2]
        for kind in ("came", "went")
    )
    assert [float(y) + float(height) for y, height in came] == [120, 120]
    assert [float(y) for y, _ in went] == [120, 120]
    assert [float(height) for _, height in went] == [48, 72]


def test_the_calendar_shows_how_each_day_ended() -> None:
    calendar = dict(zip(days(0, 1, 3, 4), ("published", "forced", "failed", "refused"), strict=True))
    drawn = calendar_chart(facts(1, 1, 1, 1, 1, calendar=calendar))
    assert [re.findall(rf"<title>{day} (\w+)</title>", drawn) for day in days(0, 1, 2, 3, 4)] == [
        ["published"], ["forced"], ["missing"], ["failed"], ["refused"],
    ]  # fmt: skip
    assert re.findall(r'class="mark">(.)<', drawn) == ["F", "X", "R"]
