"""A day and a time of day have one form, from the command line, from Python and in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from stockpipe.base import calls
from stockpipe.base.days import in_words, read_day, time_of_day
from stockpipe.errors import UsageError
from stockpipe.load.loads import day_of

READERS: list[Callable[[str], date]] = [read_day, day_of, lambda text: calls.day("date", text)]
NO_DAYS = (
    "20260206", "2026-W06-5", "2026-2-6", "2026-02-6", "2026-02-30", "26-02-06", " 2026-02-06", "2026-02-06 ", "2026-02-06\n",
    "2026-02-06T00:00", "\u0662026-02-06", "06.02.2026", "",
)  # fmt: skip


@pytest.mark.parametrize("read", READERS)
def test_a_day_is_written_in_one_way(read: Callable[[str], date]) -> None:
    assert (read("2026-02-06"), read("0001-01-01")) == (date(2026, 2, 6), date(1, 1, 1))
    for text in NO_DAYS:
        with pytest.raises(UsageError, match="is not a date") as raised:
            read(text)
        assert raised.value.hint == "Write it as YYYY-MM-DD, such as 2026-02-07."


def test_a_time_of_day_is_hours_and_minutes() -> None:
    assert [time_of_day(text) for text in ("00:00", "4:30", "23:59")] == [(0, 0), (4, 30), (23, 59)]
    for text in ("24:00", "4.30", "04:60", "0430", "04:30:00", "04:30+00:00", "T04:30", "\u0664:30", "04:30\n", ""):
        with pytest.raises(UsageError, match="is not a time of day"):
            time_of_day(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"), (5, "5 s"), (59.4, "59 s"), (59.6, "1 min"), (100, "1 min 40 s"), (599.4, "9 min 59 s"), (599.6, "10 min"),
        (725, "12 min"), (3600, "1 h"), (5369, "1 h 29 min"), (169_000, "46 h 57 min"), (172_800, "2 d"), (900_000, "10 d 10 h"),
    ],
)  # fmt: skip
def test_a_duration_is_told_in_two_figures_at_most(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
