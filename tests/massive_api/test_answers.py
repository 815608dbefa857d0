"""One answer, judged: how long the API asks to wait, and when a run has tried often enough."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stockpipe.datasets import TICKERS
from stockpipe.errors import ApiError
from stockpipe.massive.answers import Answer, Throttled, read_page
from support.clocks import FakeClock, pacer

NOW = datetime(2026, 2, 7, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0), ("0.5", 0.5), ("Sat, 07 Feb 2026 12:00:45 GMT", 45.0), ("86400", 86_400.0),
        ("0", None), ("-5", None), ("soon", None), ("", None), ("inf", None), ("nan", None), ("Sat, 07 Feb 2026 11:59:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date_and_junk_is_no_wish(header: str, seconds: float | None) -> None:
    with pytest.raises(Throttled) as caught:
        read_page(Answer(429, {"retry-after": header}, b""), TICKERS.source, on_cursor=False, now=NOW)
    assert caught.value.retry_after == seconds


def test_a_run_has_a_budget_of_retries_that_good_answers_refill() -> None:
    clock = FakeClock()
    paid = pacer(clock, plan="paid")
    for _ in range(30):
        paid.before_retry(OSError("reset"), 1, throttled=False)
    with pytest.raises(ApiError, match="did not give a usable answer"):
        paid.before_retry(OSError("reset"), 1, throttled=False)
    clock.seconds += 1
    for _ in range(4):
        paid.answered()
    paid.before_retry(OSError("reset"), 1, throttled=False)
    with pytest.raises(ApiError, match="did not give a usable answer"):
        paid.before_retry(OSError("reset"), 1, throttled=False)
