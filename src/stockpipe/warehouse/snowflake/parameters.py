"""What a session is told about itself, so that no setting of the account or the user changes what we mean or show.

Left to the account on purpose: WEEK_START, WEEK_OF_YEAR_POLICY and TWO_DIGIT_CENTURY_START (only a question of your own
has weeks or years of two digits), USE_CACHED_RESULT (the same rows, and cheaper), what concerns replication, Snowpark,
stored procedures, geography and unloading (we use none of it), and the warehouse's own STATEMENT_TIMEOUT_IN_SECONDS
(an owner's guard: the service takes the smaller one).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A session parameter, the value that we give it, and why the account's own would not do."""

    name: str
    value: str | int | bool
    why: str


_MOMENT = "YYYY-MM-DD HH24:MI:SS.FF9"
_AS_TEXT = "a cast to text follows it; the account's default cuts a time to milliseconds"
_AS_SENT = "another form makes our dates and times an error, or another day"

SETTLED = (
    Parameter("AUTOCOMMIT", True, "off, the record of an unchanged or failed run is rolled back at the session's end"),
    Parameter("TRANSACTION_ABORT_ON_ERROR", False, "a statement that fails is ours to roll back"),
    Parameter("MULTI_STATEMENT_COUNT", 1, "one statement a request, also where the account lets in several"),
    Parameter("QUOTED_IDENTIFIERS_IGNORE_CASE", False, 'on, "ticker" means TICKER'),
    Parameter("ROWS_PER_RESULTSET", 0, "any other number cuts an answer, an export too"),
    Parameter("TIMEZONE", "UTC", "what is written into a TIMESTAMP_LTZ or TIMESTAMP_TZ column is UTC"),
    Parameter("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ", "what TIMESTAMP means in a statement"),
    Parameter("CLIENT_TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ", "what a bound time is taken for"),
    Parameter("DATE_INPUT_FORMAT", "AUTO", _AS_SENT),
    Parameter("TIME_INPUT_FORMAT", "AUTO", _AS_SENT),
    Parameter("TIMESTAMP_INPUT_FORMAT", "AUTO", _AS_SENT),
    Parameter("DATE_OUTPUT_FORMAT", "YYYY-MM-DD", "a cast to text follows it"),
    Parameter("TIME_OUTPUT_FORMAT", "HH24:MI:SS.FF9", _AS_TEXT),
    Parameter("TIMESTAMP_OUTPUT_FORMAT", f"{_MOMENT} TZHTZM", _AS_TEXT),
    Parameter("TIMESTAMP_NTZ_OUTPUT_FORMAT", _MOMENT, _AS_TEXT),
    Parameter("TIMESTAMP_LTZ_OUTPUT_FORMAT", f"{_MOMENT} TZHTZM", _AS_TEXT),
    Parameter("TIMESTAMP_TZ_OUTPUT_FORMAT", f"{_MOMENT} TZHTZM", _AS_TEXT),
    Parameter("BINARY_INPUT_FORMAT", "HEX", "how a text becomes bytes"),
    Parameter("BINARY_OUTPUT_FORMAT", "HEX", "how bytes become text"),
    Parameter("JSON_INDENT", 0, "a VARIANT is shown on one line"),
    Parameter("STRICT_JSON_OUTPUT", False, "an undefined value in a VARIANT is shown as the service keeps it"),
    Parameter("ERROR_ON_NONDETERMINISTIC_MERGE", True, "a MERGE that could change a row in two ways is refused"),
    Parameter("ERROR_ON_NONDETERMINISTIC_UPDATE", True, "the same for an UPDATE"),
)


def session_parameters(query_tag: str, seconds: int) -> dict[str, str | int | bool]:
    """All that is given at sign-in. `seconds` is the longest that a statement may take, wait for a lock, or be queued."""
    return {
        "QUERY_TAG": query_tag,
        **{parameter.name: parameter.value for parameter in SETTLED},
        **time_limits(seconds, seconds),
        "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": seconds,
    }


def time_limits(statement: int, lock: int) -> dict[str, str | int | bool]:
    """How many seconds a statement may take, and wait for a lock; also for a single statement."""
    return {"STATEMENT_TIMEOUT_IN_SECONDS": statement, "LOCK_TIMEOUT": lock}
