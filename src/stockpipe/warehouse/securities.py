"""The tables of the security master, which `stockpipe master build` derives from the days of the tickers table."""

from __future__ import annotations

from stockpipe.datasets.column import DATE, FLAG, FLOAT, INTEGER, JSON, TIMESTAMP, Column, text
from stockpipe.warehouse.sql import Table

_ID, _TICKER = text(60), text(20)
_IDENTITY = (
    Column("TICKER", _TICKER, "Symbol, as the API writes it; case matters."),
    Column("NAME", text(500), "Name, in its latest wording."),
    Column("TYPE", text(20), "Ticker type code, such as CS or ETF; where old lists have none, the first known one."),
    Column("PRIMARY_EXCHANGE", text(50), "MIC of the primary listing."),
    Column("CIK", text(20), "SEC Central Index Key; one that flaps is smoothed."),
    Column("COMPOSITE_FIGI", text(50), "OpenFIGI in its country; the last known one."),
    Column("SHARE_CLASS_FIGI", text(50), "OpenFIGI of the share class; the last known one."),
)

SECURITIES = Table(
    '"SECURITIES"',
    (
        Column("SECURITY_ID", _ID, "Given once, never changed or reused: first ticker and day, such as FB.20120518."),
        Column("ISSUER_ID", _ID, "Groups what one company has listed: its classes, preferreds, warrants, units."),
        Column("STATUS", text(20), "listed, delisted, or unknown (missing in the last lists, and it may be back)."),
        Column("FIRST_DS", DATE, "The first day on which it was listed."),
        Column("LAST_DS", DATE, "The last day on which it was listed, so far."),
        Column("DELISTED_ON", DATE, "The end: the vendor's date where it is known, else the first day without it."),
        *_IDENTITY,
        Column("TICKERS", INTEGER, "How many tickers it had."),
    ),
    "One row a security, with its latest values.",
)
SECURITY_HISTORY = Table(
    '"SECURITY_HISTORY"',
    (
        Column("SECURITY_ID", _ID, "The security."),
        Column("VALID_FROM", DATE, "The first day of the stretch."),
        Column("VALID_TO", DATE, "The first day behind it; null while it lasts to the newest list."),
        *_IDENTITY,
        Column("EVIDENCE", text(2000), "What ties the stretch to the one before it."),
    ),
    "A stretch of days in which nothing that matters changed. As of a day: VALID_FROM <= d AND (VALID_TO > d OR VALID_TO IS NULL).",
)
SECURITY_EVENTS = Table(
    '"SECURITY_EVENTS"',
    (
        Column("DS", DATE, "The first list in which it shows."),
        Column("SECURITY_ID", _ID, "The security."),
        Column(
            "EVENT",
            text(20),
            "listed, renamed, name_changed, moved, type_changed, figi_assigned, figi_changed, delisted, relisted, ticker_reused, gap.",
        ),
        Column("TICKER", _TICKER, "Its ticker on this day."),
        Column("OLD", text(500), "The value before; of a gap, the last day before; of a reuse, who had the ticker."),
        Column("NEW", text(500), "The value since; of a gap, the first day after it."),
    ),
    "What happened to the securities.",
)
SECURITY_DECISIONS = Table(
    '"SECURITY_DECISIONS"',
    (
        Column("DECISION", text(20), "same or different."),
        Column("RULE", text(40), "The rule that decided; override where a person did."),
        Column("EVIDENCE", text(2000), "What it saw."),
        Column("CONFIDENCE", text(20), "high, medium or low; null for different."),
        Column("OVERRULED", FLAG, "Whether master-overrides.csv decided."),
        Column("EARLIER_SECURITY_ID", _ID, "The security of the earlier stretch."),
        Column("EARLIER_TICKER", _TICKER, "Its ticker."),
        Column("EARLIER_FROM", DATE, "Its first day."),
        Column("EARLIER_TO", DATE, "Its last day."),
        Column("LATER_SECURITY_ID", _ID, "The security of the later stretch."),
        Column("LATER_TICKER", _TICKER, "Its ticker."),
        Column("LATER_FROM", DATE, "Its first day."),
        Column("LATER_TO", DATE, "Its last day; null while it lasts to the newest list."),
    ),
    "Every link and every split that was decided, and why.",
)
SECURITY_ALIASES = Table(
    '"SECURITY_ALIASES"',
    (
        Column("ALIAS_ID", _ID, "An id that was given, and turned out to be another security's."),
        Column("SECURITY_ID", _ID, "The security that it stands for."),
    ),
    "Ids that stand for another one.",
)
SECURITY_STRETCHES = Table(
    '"SECURITY_STRETCHES"',
    (
        *(Column(column.name, column.type, f"As listed: {column.name}.") for column in _IDENTITY),
        Column("FIRST_DS", DATE, "The first list of the stretch."),
        Column("LAST_DS", DATE, "The last list of the stretch."),
    ),
    "What the master is made from: lists in a row in which a ticker had the same values. For the next build.",
)
SECURITY_LISTS = Table(
    '"SECURITY_LISTS"',
    (
        Column("DS", DATE, "The day."),
        Column("LISTED", INTEGER, "Rows of the listed stocks."),
        Column("STORE", text(20), "current or dated, the vendor's two stores; null where it is not known."),
        Column("STATE", text(20), "whole; torn (an absence in it proves nothing); broken (left out)."),
        Column("MARK", text(64), "Fingerprint of the content, from the run's record."),
    ),
    "The days that the master is made from.",
)
SECURITY_BUILDS = Table(
    '"SECURITY_BUILDS"',
    (
        Column("BUILD", INTEGER, "Number of the build; the newest one made what the tables have."),
        Column("RUN_ID", text(40), "The run."),
        Column("BUILT_UTC", TIMESTAMP, "When."),
        Column("SECONDS", FLOAT, "How long it took until it was published."),
        Column("HOW", text(20), "increment (the last state and the new days were read) or whole."),
        Column("FROM_DS", DATE, "Days before it were left out on request (--from); null for none."),
        Column("FIRST_DS", DATE, "The first list."),
        Column("LAST_DS", DATE, "The newest list."),
        Column("LISTS", INTEGER, "How many lists."),
        Column("ROWS_READ", INTEGER, "Rows that were read from the warehouse."),
        Column("FIGURES", JSON, "Rows of each table, links by rule, events by kind."),
        Column("DIGESTS", JSON, "Fingerprints of the tables, by which a change by another hand is seen."),
        Column("FORCED", JSON, "Checks that were overruled with --force."),
        Column("VERSION", text(40), "Version of stockpipe."),
    ),
    "What every build of the master did.",
)
DERIVED = (
    SECURITIES,
    SECURITY_HISTORY,
    SECURITY_EVENTS,
    SECURITY_DECISIONS,
    SECURITY_ALIASES,
    SECURITY_STRETCHES,
    SECURITY_LISTS,
)
"""The tables that every build replaces whole."""
MASTER_TABLES = (*DERIVED, SECURITY_BUILDS)
"""All tables of the master. Every build adds a row to the last one."""
MASTER_VIEWS = ('"UNIVERSE"', '"TICKER_MAP"')
"""The views beside them; `models/securities.py` has their SELECT."""


def placed(table: Table, prefix: str) -> Table:
    """A table with its place: `prefix` is a quoted database and schema with a dot behind, "" in a DuckDB file."""
    return Table(f"{prefix}{table.name}", table.columns, table.comment)
