"""Logging of the commands: sentences or JSON on stderr, a file where one is asked for, and no secret in either."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from stockpipe.base.runlog import RunId
from stockpipe.base.text import redacted
from stockpipe.cli.next_command import typeable
from stockpipe.settings import Settings

log = logging.getLogger("stockpipe")

_TRACEBACK = logging.Formatter()


class _Console(logging.Handler):
    """Writes to whatever stderr is at the moment (a progress bar may stand in front of it)."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(self.format(record), file=sys.stderr, flush=True)


class _Redact(logging.Filter):
    """The last line of defence: no secret leaves in a log line, whoever wrote it."""

    def __init__(self, secrets: Callable[[], frozenset[str]]) -> None:
        super().__init__()
        self.secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        secrets = self.secrets()
        record.msg, record.args = redacted(record.getMessage(), secrets), None
        if record.exc_info:
            # A traceback ends with the error's text, which may quote anything.
            record.exc_text = redacted(_TRACEBACK.formatException(record.exc_info), secrets)
            record.exc_info = None
        return True


def _is_grave_or_waits(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or (getattr(record, "waits", False) and sys.stderr.isatty())


def safe(text: str) -> str:
    """A text without the secrets of the settings that the log was set up with, for what is told in another way."""
    filters = (known for handler in log.handlers for known in handler.filters)
    return redacted(text, next((known.secrets() for known in filters if isinstance(known, _Redact)), ()))


class _Sentences(logging.Formatter):
    """What a person reads: the message, behind a word for its gravity where it is grave, in colour on a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.levelno >= logging.ERROR:
            # The hints of errors are typeable already, and what an error quotes is no proposal.
            return f"{painted('Error:', 'red')} {text}"
        label = f"{painted('Warning:', 'yellow')} " if record.levelno >= logging.WARNING else ""
        return label + typeable(text)


def colour() -> bool | None:
    """For click, which leaves colours out where nobody sees them: NO_COLOR leaves them out everywhere."""
    return False if os.environ.get("NO_COLOR") else None


def painted(text: str, paint: str, stream: TextIO | None = None) -> str:
    """A text in a colour, where the stream (by default stderr) is a terminal, and NO_COLOR is not set."""
    seen = (stream or sys.stderr).isatty() and colour() is None
    return click.style(text, fg=paint, bold=True) if seen else text


class _JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, run_id ("" outside of a run), message."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        entry = {
            "time": stamp,
            "level": record.levelname,
            "logger": record.name,
            "run_id": getattr(record, "run_id", ""),
            "message": _one_line(record),
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
        record.msg, record.args = _one_line(record), None
        return super().format(record)


def _one_line(record: logging.LogRecord) -> str:
    return " ".join(record.getMessage().split())


def configure_logging(
    settings: Settings,
    *,
    verbose: int = 0,
    quiet: bool = False,
    log_file: Path | None = None,
    log_format: str = "text",
    warn: bool = True,
    waits: bool = False,
) -> None:
    """Set up logging for one command: sentences on stderr, and a rotating file where one is asked for.

    `warn` says whether what the settings warn about is logged at once; `waits`, whether what is waited for is told on a
    terminal although the rest is `quiet`.
    """
    redact = _Redact(lambda: settings.secrets)
    console = _Console(logging.WARNING if quiet and not waits else logging.DEBUG if verbose else logging.INFO)
    if quiet and waits:
        console.addFilter(_is_grave_or_waits)
    console.setFormatter(_JsonLines() if log_format == "json" else _Sentences())
    handlers: list[logging.Handler] = [console]
    if log_file is not None:
        from stockpipe.cli.logfile import open_log_file

        handlers.append(open_log_file(log_file, _JsonLines() if log_format == "json" else _FileLines()))
    for handler in handlers:
        handler.addFilter(redact)
        handler.addFilter(RunId())
    log.handlers[:] = handlers
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    log.propagate = False
    for warning in settings.warnings if warn else ():
        log.warning("%s", warning)
