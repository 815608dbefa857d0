"""What the commands share: logging, errors with their exit codes, tables, progress. Data to stdout, the rest to stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stockpipe.connections import NAME as CONNECTION_NAME
from stockpipe.errors import ConfigError, StockpipeError, as_interrupt, printable
from stockpipe.fetch import Progress
from stockpipe.runlog import RunId, run_of, running
from stockpipe.settings import Settings

log = logging.getLogger("stockpipe")

_TRACEBACK = logging.Formatter()
# A line for each of these pages and their tenfolds: the longest list makes a dozen lines, not hundreds.
_PAGES_A_LINE = (10, 20, 50)


class _Console(logging.Handler):
    """Plain sentences on whatever stderr is at the moment (a progress bar may stand in front of it)."""

    def emit(self, record: logging.LogRecord) -> None:
        label = {"WARNING": "Warning: ", "ERROR": "Error: ", "CRITICAL": "Error: "}.get(record.levelname, "")
        with contextlib.suppress(OSError, ValueError):
            print(label + self.format(record), file=sys.stderr, flush=True)


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file. What goes wrong with it is told on stderr, but a signal that asks to stop is no fault of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if isinstance(sys.exc_info()[1], StockpipeError):
            raise  # noqa: PLE0704 - logging calls this while it handles the error
        super().handleError(record)


class _Redact(logging.Filter):
    """The last line of defence: no secret leaves in a log line, whoever wrote it."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage(), self._secrets), None
        if record.exc_info:
            # A traceback ends with the error's text, which may quote anything.
            record.exc_text = redacted(_TRACEBACK.formatException(record.exc_info), self._secrets)
            record.exc_info = None
        return True


def redacted(text: str, secrets: frozenset[str]) -> str:
    """A text without secrets, as what others sent may hold one."""
    for secret in sorted(secrets, key=len, reverse=True):
        # A secret of a letter or two would blot out ordinary words.
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    return text


class _JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, run_id ("" outside of a run), message."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        entry = {
            "time": stamp,
            "level": record.levelname,
            "logger": record.name,
            "run_id": getattr(record, "run_id", ""),
            "message": record.getMessage(),
        }
        if record.exc_text:
            entry["exception"] = record.exc_text
        return json.dumps(entry, ensure_ascii=False)


class _FileLines(logging.Formatter):
    """One line for each record in the log file: time, level, run (- outside of one), message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s - %(levelname)s - %(run)s - %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.run = getattr(record, "run_id", "") or "-"
        record.msg, record.args = " ".join(record.getMessage().split()), None
        return super().format(record)


def configure_logging(
    settings: Settings,
    *,
    verbose: int = 0,
    quiet: bool = False,
    log_file: Path | None = None,
    log_format: str = "text",
    warn: bool = True,
) -> None:
    """Set up logging for one command: sentences on stderr, and a rotating file where one is asked for.

    `warn` says whether what the settings warn about is logged at once.
    """
    redact = _Redact(settings.secrets)
    console = _Console(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)
    console.setFormatter(_JsonLines() if log_format == "json" else logging.Formatter("%(message)s"))
    handlers: list[logging.Handler] = [console]
    if log_file is not None:
        handlers.append(_file_handler(log_file, log_format))
    for handler in handlers:
        handler.addFilter(redact)
        handler.addFilter(RunId())
    log.handlers[:] = handlers
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    log.propagate = False
    for warning in settings.warnings if warn else ():
        log.warning("%s", warning)


def _file_handler(path: Path, log_format: str) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, maxBytes=10_000_000, backupCount=5, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The log file {path} cannot be written: {error.strerror}.", hint="Name another with --log-file."
        ) from error
    handler.setFormatter(_JsonLines() if log_format == "json" else _FileLines())
    return handler


@contextlib.contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """End the process with the error's own code and one clear message; no traceback for what was foreseen."""
    try:
        yield
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a command ends here, and `_say` tells with what
        with running(run_of(error)):
            code = _say(error, as_json=as_json)
        raise SystemExit(code) from None


def _say(error: BaseException, *, as_json: bool) -> int:
    """Tell the user what ended the command; returns the exit code."""
    known, code = as_interrupt(error) or error, 1
    if isinstance(known, StockpipeError):
        message, hint, code = known.message, known.hint, known.exit_code
    else:
        log.debug("unexpected error", exc_info=error)
        message = f"Unexpected {type(error).__name__}: {printable(str(error))}"
        hint = "Please report this with what you did; -v shows more."
    run_id = run_of(error)
    text = "\n       ".join(line for line in (message, hint, run_id and f"Run {run_id}") if line)
    if log.handlers:
        log.error("%s", text)
    else:
        print(f"Error: {text}", file=sys.stderr)
    if as_json:
        document = {"exit_code": code, "error": type(known).__name__, "message": message, "hint": hint}
        print_json({"status": "failed", **document} | ({"run_id": run_id} if run_id else {}))
    return code


def print_json(document: Any) -> None:
    """The one document of `--json`, on stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Collection[str] = (), *, fold: bool = True
) -> None:
    """A table on stdout; control characters in outside text are shown escaped. `right` names columns of numbers.

    On a terminal long cells are folded to its width. Elsewhere, and without `fold`, each row is one line, for grep, awk
    and the eye.
    """
    cells = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    names = [printable(name) for name in columns]
    numbers = [name in right for name in columns]
    if fold and sys.stdout.isatty():
        _folded_table(names, cells, numbers)
        return
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for line in (names, ["-" * width for width in widths], *cells):
        aligned = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numbers, strict=True)
        ]
        print("  ".join(aligned).rstrip())


def _folded_table(names: list[str], cells: list[list[str]], numbers: list[bool]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, number in zip(names, numbers, strict=True):
        table.add_column(Text(name), overflow="fold", justify="right" if number else "left")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


@contextlib.contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Show how the fetch goes: a line that renews itself on a terminal, a log line every ten pages elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _log_lines
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Fetching...", total=None)

        def show(pages: int, rows: int) -> None:
            bar.update(task, description=f"Fetching... {pages} pages, {rows:,} rows")

        yield show


def _log_lines(pages: int, rows: int) -> None:
    tens = 10 ** max(0, len(str(pages)) - 2)
    if pages % tens == 0 and pages // tens in _PAGES_A_LINE:
        log.info("Fetching... %d pages, %s rows", pages, f"{rows:,}")


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def given_settings(options: Mapping[str, Any]) -> dict[str, str | None]:
    """The settings that the shared options name."""
    return {
        "STOCKPIPE_WAREHOUSE": options["warehouse"],
        "STOCKPIPE_DUCKDB_PATH": options["duckdb_path"],
        CONNECTION_NAME: options["connection"],
    }


def shared_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command with settings has."""
    options: tuple[Decorator, ...] = (
        click.option("--warehouse", help="duckdb or snowflake; default: snowflake when SNOWFLAKE_ACCOUNT is set."),
        click.option("--duckdb-path", help="The DuckDB file (STOCKPIPE_DUCKDB_PATH)."),
        click.option("--connection", metavar="NAME", help="A connection of Snowflake's connections.toml."),
        click.option("--env-file", type=click.Path(path_type=Path), help="File with settings; default: .env"),
        click.option("-v", "--verbose", count=True, help="Say more: every call, every statement."),
        click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
    )
    for option in reversed(options):
        function = option(function)
    return function
