"""How far back a key's plan reaches: learned with a dozen calls, where each day would be refused, and remembered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

from stockpipe.datasets import Dataset, Part
from stockpipe.errors import ApiError, OutOfReach
from stockpipe.load.desk import Desk
from stockpipe.massive.pages import Query


def out_of_reach(desk: Desk, dataset: Dataset, days: Sequence[date]) -> int:
    """How many of the days (rising) the key's plan is known not to reach, from this command or an earlier one."""
    until = desk.refused_until(dataset)
    return bisect_right(days, until) if until else 0


def known_refusal(days: Sequence[date], count: int) -> OutOfReach:
    """Why the first `count` days are left out without a call."""
    return OutOfReach(
        f"The key's plan does not reach back to {days[count - 1]}, as the API said within the last week.",
        hint="Choose later days. If the plan was changed since, load one of these days (run --date): then all are asked for again.",
    )


def first_reached(desk: Desk, part: Part, days: Sequence[date], low: int) -> int:
    """The place of the first day that the plan reaches, from `low` on; the number of days where none is.

    Found by halves. The border of another dataset, or of some days ago, is tried first: it is that of the key's plan.
    """
    high, border = len(days), desk.refused_until()
    place = bisect_right(days, border) if border else 0
    for guess in (low, place, place - 1) if border else ():
        if low <= guess < high:
            low, high = (low, guess) if _reaches(desk, part, days[guess]) else (guess + 1, high)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _reaches(desk, part, days[middle]) else (middle + 1, high)
    return low


def _reaches(desk: Desk, part: Part, day: date) -> bool:
    """Whether the API does not refuse a day. Another fault is told of when the day itself is fetched."""
    query = Query(part, day)
    try:
        desk.client.page(query.target, query.source)
    except OutOfReach:
        return False
    except ApiError:
        return True
    return True
