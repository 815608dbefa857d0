"""Airflow 3.1 or newer: load the day of the run's logical date with stockpipe, every day at 04:30 New York.

`CronTriggerTimetable` makes the logical date the moment of the run itself: the run of 04:30 on February 6th loads
February 6th. (A cron *data interval* timetable would label that run February 5th, the start of its interval.)

Connections: `massive_default` (password: the API key), and `snowflake_default` as the Snowflake provider has it,
or, when the variable `stockpipe_duckdb_path` is set, a DuckDB file instead. They are read when a task runs; reading
this file needs nothing but Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import (
    Asset,
    Connection,
    CronTriggerTimetable,
    Metadata,
    Variable,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

NEW_YORK = ZoneInfo("America/New_York")
TICKERS = Asset("stockpipe_tickers")
# What to load, one mapped task each. otc, fx and indices are there too.
LOADS = [
    {"dataset": "tickers", "market": "stocks"},
    {"dataset": "tickers", "market": "crypto"},
]


@dag(
    # The vendor makes its list at about 02:05 New York.
    schedule=CronTriggerTimetable("30 4 * * *", timezone="America/New_York"),
    start_date=datetime(2003, 9, 10, tzinfo=NEW_YORK),  # the vendor's first day: any later one may be backfilled
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,  # of the day: after 15, 30 and 60 minutes. The retries of a call are stockpipe's own.
        "retry_delay": timedelta(minutes=15),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(hours=2),
        "execution_timeout": timedelta(hours=2, minutes=15),  # stockpipe ends by itself after two hours
    },
    tags=["stockpipe"],
    doc_md=__doc__,
)
def stockpipe_daily() -> None:
    """Load every dataset and market of LOADS, then announce the day."""
    announce(load.expand_kwargs(LOADS))


# One at a time, over all runs and backfills: they share the rate limit of one key, and a DuckDB file has one writer.
@task(max_active_tis_per_dag=1, map_index_template="{{ task.op_kwargs['dataset'] }} {{ task.op_kwargs['market'] }}")
def load(dataset: str, market: str) -> dict[str, str | int]:
    """Load one market of a dataset; loading it again replaces the same rows."""
    import stockpipe
    from stockpipe.errors import StockpipeError

    day = day_of(moment_of_run())
    current = day == datetime.now(NEW_YORK).date()
    try:
        result = stockpipe.load(
            dataset,
            market=market,
            on=None if current else day,  # the list as it is now; for any other day the vendor's dated records
            settings=settings(),
            require_fresh=current,
        )
    except AirflowNotFoundException as error:
        raise AirflowFailException(str(error)) from error
    except StockpipeError as error:
        if error.transient:
            raise
        raise AirflowFailException(str(error)) from error
    return {"ds": day.isoformat(), "market": market, "rows": result.rows, "run_id": result.run_id}


@task(outlets=[TICKERS])
def announce(loaded: list[dict[str, str | int]]) -> Iterator[Metadata]:
    """Update the asset once, when the whole day is in; what waits for it finds the day and the rows in `extra`."""
    parts = loaded[:]  # `loaded` is a proxy that asks Airflow for its values; this asks once
    yield Metadata(TICKERS, {"ds": parts[0]["ds"], "rows": {str(part["market"]): part["rows"] for part in parts}})


def moment_of_run() -> datetime:
    """The logical date; a run that an asset or a person started without one has the moment it was made for."""
    run = get_current_context()["dag_run"]
    return run.logical_date or run.run_after


def day_of(moment: datetime) -> date:
    """The calendar day in New York of a moment.

    Midnight in UTC is a bare date, as in `airflow dags test stockpipe_daily 2026-02-06`, and means the day it names:
    in New York it would still be the evening before.
    """
    utc = moment.astimezone(UTC)
    return utc.date() if utc.time() == time() else moment.astimezone(NEW_YORK).date()


def settings() -> Mapping[str, str | None]:
    """stockpipe's settings from Airflow's connections and variables."""
    path = Variable.get("stockpipe_duckdb_path", default=None)
    return massive_settings() | (
        {"STOCKPIPE_WAREHOUSE": "duckdb", "STOCKPIPE_DUCKDB_PATH": path} if path else snowflake_settings()
    )


def massive_settings() -> dict[str, str | None]:
    """The key; host, port and schema only where the API is not at its usual address."""
    connection = Connection.get("massive_default")
    port = f":{connection.port}" if connection.port else ""
    origin = f"{connection.schema or 'https'}://{connection.host}{port}" if connection.host else None
    return {"POLYGON_API_KEY": connection.password, "MASSIVE_BASE_URL": origin}


def snowflake_settings() -> dict[str, str | None]:
    """The fields of the Snowflake provider's connection form: key pair, token or password, as it signs in itself.

    With `private_key_file` or `private_key_content` the password is the key's passphrase. (Older versions of the provider
    store the fields with a prefix.)
    """
    connection = Connection.get("snowflake_default")
    stored = connection.extra_dejson
    extra = {name.removeprefix("extra__snowflake__"): text for name, text in stored.items() if text}
    account, region = extra.get("account"), extra.get("region")
    return {
        "STOCKPIPE_WAREHOUSE": "snowflake",
        "SNOWFLAKE_USER": connection.login,
        "SNOWFLAKE_SCHEMA": connection.schema or extra.get("schema"),
        "SNOWFLAKE_ACCOUNT": f"{account}.{region}" if account and region else account,
        **{f"SNOWFLAKE_{name.upper()}": extra.get(name) for name in ("warehouse", "database", "role")},
        **proof(extra, connection.password),
    }


def proof(extra: Mapping[str, str], password: str | None) -> dict[str, str | None]:
    """What proves who signs in, in stockpipe's settings."""
    given = {
        "SNOWFLAKE_PRIVATE_KEY_PATH": extra.get("private_key_file"),
        "SNOWFLAKE_PRIVATE_KEY": extra.get("private_key_content"),
    }
    key = {name: text for name, text in given.items() if text}
    if key:
        return key | ({"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": password} if password else {})
    authenticator = extra.get("authenticator", "snowflake")
    way = {} if authenticator == "snowflake" else {"SNOWFLAKE_AUTHENTICATOR": authenticator}
    if token := extra.get("token"):
        return {"SNOWFLAKE_TOKEN": token, **way}
    return {"SNOWFLAKE_PASSWORD": password, **way}


stockpipe_daily()
