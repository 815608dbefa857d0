"""The log file: it rotates, and a fault of it is told. Imported only where one is asked for, as it costs time to import."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import sys
from pathlib import Path

from stockpipe.errors import ConfigError, StockpipeError

log = logging.getLogger(__name__)

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
    """A log file. What goes wrong with it is a warning, once; a signal that asks to stop is no fault of it.

    Several processes may write to one file: a line is one write at the end of the file, and a file that another process
    has rotated is left for the new one.
    """

    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        fault = sys.exc_info()[1]
        if isinstance(fault, StockpipeError):
            raise  # noqa: PLE0704 - logging calls this while it handles the error
        if isinstance(fault, OSError):
            self._tell(fault)
        else:
            super().handleError(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's own name
        if self.stream is not None and self._was_rotated(self.stream.fileno()):
            self._let_go()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802 - logging's own name
        """Rotate; where that cannot be done, go on in the same file."""
        try:
            super().doRollover()
        except OSError as error:
            self._tell(error)
            self.stream = self.stream or self._open()

    def close(self) -> None:
        self._let_go()
        super().close()

    def _was_rotated(self, opened: int) -> bool:
        try:
            return not os.path.samestat(Path(self.baseFilename).stat(), os.fstat(opened))
        except FileNotFoundError:
            return True

    def _tell(self, fault: OSError) -> None:
        # What could not be written must not be retried when the file is closed.
        self._let_go()
        if not self._told:
            self._told = True
            why = fault.strerror or type(fault).__name__
            log.warning("The log file %s cannot be written: %s. The run goes on.", self.baseFilename, why)

    def _let_go(self) -> None:
        if self.stream is not None:
            stream, self.stream = self.stream, None
            with contextlib.suppress(OSError):
                stream.close()
