"""The log file: it rotates, and a fault of it is told. Imported only where one is asked for, as it costs time to import."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from pathlib import Path

from stockpipe.errors import ConfigError, StockpipeError

_BYTES, _OLD_FILES = 10_000_000, 5


def open_log_file(path: Path, lines: logging.Formatter) -> logging.Handler:
    """A handler that writes to `path` and keeps five older files; ConfigError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of a link, the file that it leads to is rotated; the link stays.
        handler = _LogFile(
            os.path.realpath(path) if path.is_file() else path,
            maxBytes=_BYTES,
            backupCount=_OLD_FILES,
            encoding="utf-8",
        )
    except OSError as error:
        raise ConfigError(
            f"The log file {path} cannot be written: {error.strerror}.", hint="Name another with --log-file."
        ) from error
    handler.setFormatter(lines)
    return handler


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file. What goes wrong with it is told on stderr, but a signal that asks to stop is no fault of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if isinstance(sys.exc_info()[1], StockpipeError):
            raise  # noqa: PLE0704 - logging calls this while it handles the error
        super().handleError(record)
