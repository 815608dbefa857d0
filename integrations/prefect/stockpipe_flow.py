"""Prefect: a flow that loads every market of a day.

`python stockpipe_flow.py 2026-02-06` loads that day; without a day the program serves the flow, daily at 04:30 New York.

The settings are stockpipe's own, from the environment of the worker (POLYGON_API_KEY, SNOWFLAKE_* and so on).
"""

import sys
from datetime import date, datetime
from zoneinfo import ZoneInfo

from prefect import flow, task
from prefect.schedules import Cron

NEW_YORK = "America/New_York"
MARKETS = ("stocks", "crypto")


def worth_a_retry(_task: object, _run: object, state: object) -> bool:
    """Whether a retry can help: not after a refused key, a wrong setting or an implausible day."""
    from stockpipe.errors import StockpipeError

    error = state.result(raise_on_failure=False)
    return not isinstance(error, StockpipeError) or error.transient


@task(
    retries=3,
    retry_delay_seconds=[900, 1800, 3600],
    retry_condition_fn=worth_a_retry,
    task_run_name="{market} {day}",
)
def load(market: str, day: date) -> int:
    """Load one market of a day; loading it again replaces the same rows."""
    import stockpipe

    current = day == datetime.now(ZoneInfo(NEW_YORK)).date()
    return stockpipe.load(market=market, on=None if current else day, require_fresh=current).rows


@flow(log_prints=True)
def stockpipe_daily(day: date | None = None) -> dict[str, int]:
    """Load every market of a day, one after the other: they share the rate limit of one key."""
    day = day or datetime.now(ZoneInfo(NEW_YORK)).date()
    rows = {market: load(market, day) for market in MARKETS}
    print(f"{day}: {rows}")
    return rows


if __name__ == "__main__":
    if len(sys.argv) > 1:
        stockpipe_daily(date.fromisoformat(sys.argv[1]))
    else:
        # The vendor makes its list at about 02:05 New York.
        stockpipe_daily.serve("stockpipe-daily", schedule=Cron("30 4 * * *", timezone=NEW_YORK), global_limit=1)
