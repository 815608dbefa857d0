"""What the commands share: logging, errors with their exit codes, tables, progress. Data to stdout, the rest to stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stockpipe.connections import NAME as CONNECTION_NAME
from stockpipe.errors import ConfigError, StockpipeError, as_interrupt, printable
from stockpipe.fetch import Progress
from stockpipe.settings import Settings

log = logging.getLogger("stockpipe")

_PAGES_A_LINE = 10


class _Console(logging.Handler):
    """Plain sentences on whatever stderr is at the moment (a progress bar may stand in front of it)."""

    def emit(self, record: logging.LogRecord) -> None:
        label = {"WARNING": "Warning: ", "ERROR": "Error: ", "CRITICAL": "Error: "}.get(record.levelname, "")
        with contextlib.suppress(OSError, ValueError):
            print(label + self.format(record), file=sys.stderr, flush=True)


class _Redact(logging.Filter):
    """The last line of defence: no secret leaves in a log line, whoever wrote it."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        # A secret of a letter or two would blot out ordinary words.
        self._secrets = [secret for secret in secrets if len(secret) >= 4]

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        record.msg, record.args = text, None
        return True


class _JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        entry = {
            "time": stamp,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(entry, ensure_ascii=False)


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
    log.handlers[:] = handlers
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    log.propagate = False
    for warning in settings.warnings if warn else ():
        log.warning("%s", warning)


def _file_handler(path: Path, log_format: str) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=10_000_000, backupCount=5, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The log file {path} cannot be written: {error.strerror}.", hint="Name another with --log-file."
        ) from error
    text = logging.Formatter("%(asctime)s - %(levelname)s - %(message)s")
    handler.setFormatter(_JsonLines() if log_format == "json" else text)
    return handler


@contextlib.contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """End the process with the error's own code and one clear message; no traceback for what was foreseen."""
    try:
        yield
    except StockpipeError as error:
        _say_error(error.message, error.hint, type(error).__name__, error.exit_code, as_json=as_json)
        raise SystemExit(error.exit_code) from None
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as error:
        if (stopped := as_interrupt(error)) is not None:
            _say_error(stopped.message, stopped.hint, "Interrupted", stopped.exit_code, as_json=as_json)
            raise SystemExit(stopped.exit_code) from None
        log.debug("unexpected error", exc_info=True)
        hint = "Please report this with what you did; -v shows more."
        _say_error(
            f"Unexpected {type(error).__name__}: {printable(str(error))}",
            hint,
            type(error).__name__,
            1,
            as_json=as_json,
        )
        raise SystemExit(1) from None


def _say_error(message: str, hint: str, kind: str, code: int, *, as_json: bool) -> None:
    logger = log if log.handlers else logging.getLogger("stockpipe.startup")
    text = f"{message}\n       {hint}" if hint else message
    if log.handlers:
        logger.error("%s", text)
    else:
        print(f"Error: {text}", file=sys.stderr)
    if as_json:
        print_json({"status": "failed", "exit_code": code, "error": kind, "message": message, "hint": hint})


def print_json(document: Any) -> None:
    """The one document of `--json`, on stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout; control characters in outside text are shown escaped."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    wide = None if sys.stdout.isatty() else 250
    Console(width=wide, highlight=False).print(table)


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
    if pages % _PAGES_A_LINE == 0:
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
