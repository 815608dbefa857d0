"""Snowflake's compute warehouse: the smallest question that it has to compute, as a run's first statement would find it."""

from __future__ import annotations

from stockpipe.base.days import in_words
from stockpipe.base.waiting import told_if_slow
from stockpipe.errors import WarehouseError
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis
from stockpipe.setup.doctor.session import Questions
from stockpipe.warehouse.snowflake.connection import number_of
from stockpipe.warehouse.snowflake.privileges import does_not_resume, or_granted
from stockpipe.warehouse.snowflake.refusals import NO_WAREHOUSE, of_statement

# Random numbers are in no result cache, and rows of a generator cannot be told from metadata.
_COMPUTED = "SELECT max(RANDOM()) FROM TABLE(GENERATOR(ROWCOUNT => 10))"
_SECONDS = 60
_TIMED_OUT = 630
_BUSY = (
    "A run waits as long as STOCKPIPE_DEADLINE says. Use a warehouse that is less busy (SNOWFLAKE_WAREHOUSE), or raise its "
    "MAX_CONCURRENCY_LEVEL or its number of clusters."
)


def examine_compute(ask: Questions, settings: Settings, role: str | None, warehouse: object) -> Diagnosis:
    """Whether the session's `warehouse` computes; it wakes for that, and sleeps again after its AUTO_SUSPEND."""
    if warehouse is None:
        return _not_there(settings, role)
    limits = {"STATEMENT_TIMEOUT_IN_SECONDS": _SECONDS, "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": _SECONDS}
    try:
        with told_if_slow(f"Waiting for the warehouse {warehouse}, up to {in_words(_SECONDS)}."):
            ask.ask(_COMPUTED, **limits)
    except WarehouseError as error:
        text, number = f"{warehouse} does not compute: {error.message}", number_of(error)
        if number == _TIMED_OUT:
            return Diagnosis("WARN", "warehouse", f"{warehouse} did not answer within {_SECONDS} s", _BUSY)
        remedy = (
            does_not_resume(str(warehouse), role) if number == NO_WAREHOUSE else of_statement(number, error.message)
        )
        return Diagnosis("FAIL", "warehouse", text, remedy or error.hint, 6)
    return Diagnosis("OK", "warehouse", str(warehouse))


def _not_there(settings: Settings, role: str | None) -> Diagnosis:
    wanted = settings.get("SNOWFLAKE_WAREHOUSE")
    if wanted:
        text = f"{wanted}: not there, or {role or 'the role'} may not use it"
        remedy = or_granted("Correct SNOWFLAKE_WAREHOUSE", f"USAGE ON WAREHOUSE {wanted}", role)
    else:
        text = "SNOWFLAKE_WAREHOUSE is not set, and the user has no default warehouse"
        remedy = f"Set SNOWFLAKE_WAREHOUSE to a compute warehouse that {role or 'the role'} may use."
    # Who does not tell the role need not tell the warehouse.
    return Diagnosis("FAIL", "warehouse", text, remedy, 6) if role else Diagnosis("WARN", "warehouse", text, remedy)
