"""Requests to stop: which signals came, and whether a transaction is in progress that should end first."""

from __future__ import annotations

import signal
import threading

from stockpipe.errors import Interrupted

stop_signals: list[int] = []
"""The signals that asked this process to stop. A C library that was at work may turn our exception into one of its own."""

publishing = threading.Event()
"""Set while the transaction of a day is under way: who is asked to stop gently waits for its end."""


def stopped_by(number: int) -> Interrupted:
    """The interruption that a signal asks for; the exit code is the shell's own: 128 and the signal's number."""
    name = " (SIGTERM)" if number == signal.SIGTERM else ""
    return Interrupted(f"Stopped on request{name}; nothing was published.", exit_code=128 + number)


def as_interrupt(error: BaseException) -> Interrupted | None:
    """The interruption that an error really is: when a signal asked to stop, whatever came up after it is its echo."""
    asked = stopped_by(stop_signals[0]) if stop_signals else None
    if isinstance(error, Interrupted):
        # A wait that was cut short does not know by which signal.
        return error if asked is None or error.exit_code == asked.exit_code else asked
    return asked or (stopped_by(signal.SIGINT) if isinstance(error, KeyboardInterrupt) else None)
