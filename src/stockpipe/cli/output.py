"""What the commands share: errors with their exit codes, tables, progress, options. Data to stdout, the rest to stderr."""

from __future__ import annotations

import codecs
import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stockpipe.base.clock import Clock
from stockpipe.base.disk import no_room
from stockpipe.base.runlog import run_of, running
from stockpipe.base.stopping import as_interrupt
from stockpipe.base.text import printable
from stockpipe.cli.choices import warehouse_option
from stockpipe.cli.logs import painted, safe
from stockpipe.cli.next_command import typeable
from stockpipe.cli.values import json_text, number_of
from stockpipe.errors import ConfigError, StockpipeError
from stockpipe.settings import Settings
from stockpipe.settings.connections import NAME as CONNECTION_NAME

if TYPE_CHECKING:
    from stockpipe.load.desk import Progress

log = logging.getLogger("stockpipe")

# A line for each of these pages and their tenfolds: the longest list makes a dozen lines, not hundreds.
_PAGES_A_LINE = (10, 20, 50)
_SILENCE = 60.0
_SENTENCES = ("message", "hint", "text", "remedy", "warnings", "reason")
# The settings that options of the same meaning name, in the commands that have them.
_SETTINGS = {
    "warehouse": "STOCKPIPE_WAREHOUSE",
    "duckdb_path": "STOCKPIPE_DUCKDB_PATH",
    "connection": CONNECTION_NAME,
    "deadline": "STOCKPIPE_DEADLINE",
    "requests_per_second": "STOCKPIPE_REQUESTS_PER_SECOND",
    "load_method": "STOCKPIPE_LOAD_METHOD",
}
_FLAGS = {"sample_data": "STOCKPIPE_SAMPLE_DATA", "master": "STOCKPIPE_MASTER"}

# The shell's own for what SIGPIPE ends, as it ends most tools: 128 and the signal's number.
_READER_GONE = 141


@contextlib.contextmanager
def exit_codes(*, as_json: bool = False) -> Iterator[None]:
    """End the process with the error's own code and one clear message; no traceback for what was foreseen.

    A reader of stdout that goes away, as `head` does, is a quiet end.
    """
    try:
        yield
        print(end="", flush=True)
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a command ends here, and `_say` tells with what
        if isinstance(error, BrokenPipeError) and not run_of(error):
            raise SystemExit(_READER_GONE) from None
        with running(run_of(error)):
            code = _say(error, as_json=as_json)
        raise SystemExit(code) from None
    finally:
        _give_up_unwritten()


def _give_up_unwritten() -> None:
    """Redirect unflushed output to the null device once the reader has gone.

    Otherwise the interpreter prints a BrokenPipeError at exit and returns 120.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(error: BaseException, *, as_json: bool) -> int:
    """Tell the user what ended the command; returns the exit code."""
    known, code = as_interrupt(error) or error, 1
    if isinstance(known, StockpipeError):
        message, hint, code = known.message, known.hint, known.exit_code
    elif isinstance(known, OSError) and no_room(known):
        message, code = f"{known.filename or 'The output'} cannot be written: {known.strerror}.", ConfigError.exit_code
        hint = "Make room on the disk that it goes to, or send it to another one."
    elif isinstance(known, PermissionError) and known.filename:
        message, code = f"{known.filename} cannot be used: {known.strerror}.", ConfigError.exit_code
        hint = "Open the file and its folder to the user who runs this, or name another one."
    else:
        log.debug("unexpected error", exc_info=error)
        message = f"Unexpected {type(error).__name__}: {printable(str(error))}"
        hint = "Please report this with what you did; -v shows more."
    message, hint = safe(message), typeable(safe(hint))
    run_id = run_of(error)
    text = "\n       ".join(line for line in (message, hint, run_id and f"Run {run_id}") if line)
    if log.handlers:
        log.error("%s", text)
    else:
        print(painted("Error:", "red"), text, file=sys.stderr)
    if as_json:
        document = {"exit_code": code, "error": type(known).__name__, "message": message, "hint": hint}
        with contextlib.suppress(OSError):
            print_json({"status": "failed", **document} | ({"run_id": run_id} if run_id else {}))
    return code


def print_json(document: Any, *, data: bool = False) -> None:
    """The one document of `--json`, on stdout, in the form of `values`; where that is not UTF-8, with JSON's own escapes.

    No sentence in it shows a secret. `data` is what the warehouse answered, which stays as it is.
    """
    text = json_text(document if data else _without_secrets(document))
    # JSON lets the first ones stand, and a terminal obeys them.
    lacking = "[\x7f-\x9f\ud800-\udfff]" if _is_utf8(sys.stdout.encoding) else "[^\x00-\x7e]"
    print(re.sub(lacking, lambda found: json.dumps(found[0])[1:-1] if ord(found[0]) > 0x7F else "\\u007f", text))


def _without_secrets(part: Any, name: str = "") -> Any:
    """The document with its sentences made safe; words, such as a status, are our own."""
    if isinstance(part, dict):
        return {key: _without_secrets(value, str(key).lower()) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_without_secrets(value, name) for value in part]
    return safe(part) if isinstance(part, str) and name in _SENTENCES else part


def _is_utf8(encoding: str | None) -> bool:
    return encoding is not None and codecs.lookup(encoding).name == "utf-8"


@contextlib.contextmanager
def progress_bar(*, quiet: bool, clock: Clock) -> Iterator[Progress]:
    """Show how the fetch goes: a line that renews itself on a terminal, now and then a log line elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield _LogLines(clock)
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Fetching...", total=None)

        def show(pages: int, rows: int) -> None:
            bar.update(task, description=f"Fetching... {_so_far(pages, rows)}")

        yield show


def _so_far(pages: int, rows: int) -> str:
    return f"{pages} page{'' if pages == 1 else 's'}, {number_of(rows, 'row')}"


class _LogLines:
    """A line after ten pages, twenty, fifty, and so on; and after each minute without one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()

    def __call__(self, pages: int, rows: int) -> None:
        tens = 10 ** max(0, len(str(pages)) - 2)
        now = self._clock.monotonic()
        if (pages % tens == 0 and pages // tens in _PAGES_A_LINE) or now - self._last >= _SILENCE:
            log.info("Fetching... %s", _so_far(pages, rows))
            self._last = now


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def given_settings(options: Mapping[str, Any]) -> dict[str, str | None]:
    """The settings that the options of a command name; a flag that is not given leaves its setting to other places."""
    said = {setting: options[name] for name, setting in _SETTINGS.items() if name in options}
    return said | {setting: "true" for name, setting in _FLAGS.items() if options.get(name)}


def check_flags(settings: Settings) -> None:
    """Raise for a flag that makes no sense (UsageError), before anything is missed that is merely not set."""
    from stockpipe.massive.open import paced

    _ = settings.warehouse
    paced(settings, Clock())


connection_option = click.option("--connection", metavar="NAME", help="A connection of Snowflake's connections.toml.")


def shared_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command with settings has."""
    options: tuple[Decorator, ...] = (
        warehouse_option,
        click.option("--duckdb-path", metavar="PATH", help="The DuckDB file (STOCKPIPE_DUCKDB_PATH)."),
        connection_option,
        click.option("--env-file", type=click.Path(path_type=Path), help="File with settings; default: .env"),
        click.option("-v", "--verbose", count=True, help="Say more: every call, every statement."),
        click.option("-q", "--quiet", is_flag=True, help="Say only warnings and errors."),
    )
    for option in reversed(options):
        function = option(function)
    return function
