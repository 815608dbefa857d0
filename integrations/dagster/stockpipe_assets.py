"""Dagster: one partitioned asset; a partition is a market and a day in New York. `dagster dev -f stockpipe_assets.py`

The settings are stockpipe's own, from the environment of the code location (POLYGON_API_KEY, SNOWFLAKE_* and so on).
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

NEW_YORK = "America/New_York"
MARKETS = ["stocks", "crypto"]
# end_offset=1: today's partition exists while today lasts.
DAYS = dg.DailyPartitionsDefinition("2003-09-10", timezone=NEW_YORK, end_offset=1)


@dg.asset(
    partitions_def=dg.MultiPartitionsDefinition({"day": DAYS, "market": dg.StaticPartitionsDefinition(MARKETS)}),
    retry_policy=dg.RetryPolicy(max_retries=3, delay=900, backoff=dg.Backoff.EXPONENTIAL),
    pool="massive_api",  # set its limit to 1: every run shares the rate limit of one key
)
def tickers(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The tickers of a market on a day; materializing them again replaces the same rows."""
    import stockpipe
    from stockpipe.errors import StockpipeError

    keys = context.partition_key.keys_by_dimension
    current = keys["day"] == datetime.now(ZoneInfo(NEW_YORK)).date().isoformat()
    try:
        result = stockpipe.load(market=keys["market"], on=None if current else keys["day"], require_fresh=current)
    except StockpipeError as error:
        raise dg.Failure(str(error), allow_retries=error.transient) from error
    return dg.MaterializeResult(metadata={"rows": result.rows, "table": result.table, "run_id": result.run_id})


# The vendor makes its list at about 02:05 New York.
@dg.schedule(target=tickers, cron_schedule="30 4 * * *", execution_timezone=NEW_YORK)
def daily(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    """Every market of today."""
    day = context.scheduled_execution_time.astimezone(ZoneInfo(NEW_YORK)).date().isoformat()
    keys = [dg.MultiPartitionKey({"day": day, "market": market}) for market in MARKETS]
    return [dg.RunRequest(run_key=str(key), partition_key=key) for key in keys]


defs = dg.Definitions(assets=[tickers], schedules=[daily])
