"""stockpipe prices: daily bars of some tickers, adjusted, as a table or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from stockpipe.cli.answer import hand_out, must_be_parquet
from stockpipe.cli.output import exit_codes, shared_options
from stockpipe.cli.read import commands_reader, readers_settings
from stockpipe.cli.table import Look, tell_sentence
from stockpipe.cli.values import number_of
from stockpipe.errors import UsageError
from stockpipe.reading.answer import Answer
from stockpipe.reading.prices import ADJUST

_FORMS = ("table", "json", "csv", "parquet")
_MOST_TOLD = 10
_LOOK = Look(
    whole=("TICKER", "DS", "CLOSE", "VOLUME"),
    spare=("SECURITY_ID", "VWAP", "DIVIDEND_FACTOR", "SPLIT_FACTOR", "ASKED", "RAW_CLOSE", "LOW", "HIGH", "OPEN"),
    once=("SECURITY_ID", "SPLIT_FACTOR", "DIVIDEND_FACTOR"),
)


@click.command()
@click.argument("tickers", nargs=-1, required=True)
@click.option("--from", "start", metavar="YYYY-MM-DD", help="First day; default: the first one that is loaded.")
@click.option("--to", "end", metavar="YYYY-MM-DD", help="Last day; default: the newest one.")
@click.option(
    "--adjust",
    type=click.Choice(ADJUST, case_sensitive=False),
    default="splits",
    show_default=True,
    help="none: as traded; splits: on the shares of the last bar; total: with dividends reinvested.",
)
@click.option("--known-on", metavar="YYYY-MM-DD", help="With what was known on this day, to repeat a back-test.")
@click.option("--format", "form", type=click.Choice(_FORMS, case_sensitive=False), help="Default: table, or by --out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a Parquet file, such as prices.parquet.")
@click.option("--all", "everything", is_flag=True, help="On a terminal, all rows of the table.")
@shared_options
def prices(tickers: tuple[str, ...], form: str | None, as_json: bool, out: Path | None, **options: Any) -> None:
    """Daily bars of some tickers, continuous over renames, from DAILY_BARS, SPLITS and DIVIDENDS.

    Splits and dividends that do not fit the prices are left out, and named on stderr.

    \b
    stockpipe prices AAPL MSFT --from 2020-08-01 --to 2020-09-01
    stockpipe prices AAPL --adjust total --format csv > aapl.csv
    stockpipe prices AAPL MSFT --adjust total --out prices.parquet
    """
    with exit_codes(as_json=as_json):
        chosen = _form(form, out, as_json=as_json)
        settings = readers_settings(options)
        days = {"start": options["start"], "end": options["end"]}
        with commands_reader(settings) as reader:
            found = reader.prices(tickers, **days, adjust=options["adjust"], known_on=options["known_on"])
            if options["adjust"] != "none" and not options["quiet"]:
                _tell_issues(reader.price_issues(tickers, known_on=options["known_on"]), options["adjust"])
            if not options["quiet"]:
                _tell_left_out(reader.bars_left_out(tickers, **days, known_on=options["known_on"]))
            if missing := _missing(tickers, found):
                _tell_missing(missing, reader.bars_loaded(missing))
        hand_out(found, chosen, out, _LOOK, everything=options["everything"], quiet=options["quiet"])


def _form(form: str | None, out: Path | None, *, as_json: bool) -> str:
    """The form of the answer; UsageError for two that differ, and for Parquet on a terminal."""
    must_be_parquet(out)
    said = {"json"} if as_json else set()
    said |= {form} if form else set()
    said |= {"parquet"} if out else set()
    if len(said) > 1:
        raise UsageError(
            f"{' and '.join(sorted(said))} are different forms.", hint="Ask for one of them; --out is Parquet."
        )
    chosen = next(iter(said), "table")
    if chosen == "parquet" and out is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", hint="Name a file with --out, or send the output to one.")
    return chosen


def _tell_issues(issues: Answer, adjust: str) -> None:
    """What is doubtful, on stderr, the first ones in full. What was not known of dividends is nothing to prices without them."""
    for row in issues:
        if row["ASKED"] is None and (row["EVENT"] == "split" or adjust == "total"):
            tell_sentence(f"Prices are not adjusted for {row['EVENT']}s: {row['ISSUE']}.")
    rows = [row for row in issues if row["ASKED"]]
    for row in rows[:_MOST_TOLD]:
        kept = "counted all the same" if row["USED"] else "left out"
        likely = f" ({row['LIKELY_DATE']})" if row["LIKELY_DATE"] else ""
        what = "not adjusted" if row["EVENT"] == "price" else kept
        tell_sentence(f"{row['ASKED']} {row['EX_DATE']}: {row['EVENT']}: {row['ISSUE']}{likely}; {what}.")
    if len(rows) > _MOST_TOLD:
        tell_sentence(f"And {len(rows) - _MOST_TOLD:,} more; ADJUSTMENT_ISSUES has all of them.")


def _tell_left_out(stretches: Answer) -> None:
    """Which bars under these tickers are not in the answer, and why, the first ones in full."""
    rows = stretches.rows()
    for row in rows[:_MOST_TOLD]:
        first, last, ticker, owner = (row[name] for name in ("FIRST_DS", "LAST_DS", "TICKER", "SECURITY_ID"))
        days = f"on {first}" if first == last else f"from {first} to {last}"
        if owner:
            why = f"they are of {owner}, and the last bars of {ticker} are not"
        else:
            why = f"no list of these days has {ticker}, so it is not known whose they are"
        tell_sentence(f"{row['ASKED']}: {number_of(row['BARS'], 'bar')} {days} left out: {why}.")
    if len(rows) > _MOST_TOLD:
        tell_sentence(f"And {len(rows) - _MOST_TOLD:,} more such stretches of days.")


def _missing(tickers: tuple[str, ...], found: Answer) -> list[str]:
    known = {row[0] for row in found.tuples()}
    return [ticker for ticker in dict.fromkeys(tickers) if ticker not in known]


def _tell_missing(missing: list[str], loaded: Answer) -> None:
    """Why there is nothing of some tickers: no bar in these days, or none at all."""
    days = {row["TICKER"]: f"{row['FIRST_DS']} to {row['LAST_DS']}" for row in loaded}
    if elsewhere := [f"{ticker} (there are bars from {days[ticker]})" for ticker in missing if ticker in days]:
        tell_sentence(f"No bars in these days: {', '.join(elsewhere)}.")
    if unknown := [ticker for ticker in missing if ticker not in days]:
        meant = [name for name in days if name.upper() in map(str.upper, unknown)]
        hint = f" Did you mean {' or '.join(meant)}? Upper and lower case matter." if meant else ""
        tell_sentence(f"No bar was ever loaded of {', '.join(unknown)}.{hint}")
