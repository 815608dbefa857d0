"""Requests to stop: the one place that knows which signals came, what should end first, and what has to be interrupted."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Protocol

from stockpipe.base.runlog import current_run
from stockpipe.errors import Interrupted

_AGAIN = 0.1
_ASKS_TO_STOP = frozenset({int(signal.SIGINT), int(signal.SIGTERM)})


class Interruptible(Protocol):
    """What works in C, where Python sees no signal until it is done."""

    def interrupt(self) -> None:
        """End the work under way; called from another thread, and harmless when there is none."""


class Stopping:
    """What this process was asked for by signals.

    `signals` are those that came; a C library that was at work may turn our exception into one of its own. `publishing`
    is set while the transaction of a day is under way: who is asked to stop gently waits for its end. `gentle` is set by
    who always is asked so.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.publishing = threading.Event()
        self.gentle = False

    def asked(self) -> Interrupted | None:
        """The interruption that the first signal asks for; None when there was none."""
        return stopped_by(self.signals[0]) if self.signals else None

    def check(self) -> None:
        """Raise Interrupted where a signal asked to stop, whatever became of the exception that it raised."""
        if stopped := self.asked():
            raise stopped

    def came(self, number: int, *, gently: bool = False) -> None:
        """A signal came: raise Interrupted. `gently`, a transaction under way is waited for, unless it comes again."""
        self.signals.append(number)
        if not gently or not self.publishing.is_set() or len(self.signals) > 1:
            raise stopped_by(number)

    @contextlib.contextmanager
    def interruptible(self, work: Interruptible) -> Iterator[None]:
        """Let SIGINT and SIGTERM end a long piece of work in C within a moment; its own error then leaves this block.

        Python's handler runs when the work has ended. It matters in the main thread only, as all signals go there.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        already = len(self.signals)
        seen, told = socket.socketpair()
        told.setblocking(False)
        before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        watcher = threading.Thread(
            target=self._interrupt_on_signal, args=(seen, done := threading.Event(), work, already), daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            done.set()
            told.close()  # ends the watcher's wait
            watcher.join()
            seen.close()

    def _interrupt_on_signal(
        self, seen: socket.socket, done: threading.Event, work: Interruptible, already: int
    ) -> None:
        """Each byte is a signal's number. Once is not enough: it may come just before the work begins."""
        while numbers := seen.recv(64):
            already += sum(number in _ASKS_TO_STOP for number in numbers)
            waits = self.gentle and self.publishing.is_set() and already == 1
            if _ASKS_TO_STOP & set(numbers) and not waits:
                while not done.is_set():
                    work.interrupt()
                    done.wait(_AGAIN)
                return


stopping = Stopping()
"""The one of this process."""

stop_signals = stopping.signals
publishing = stopping.publishing
interruptible = stopping.interruptible


def stopped_by(number: int) -> Interrupted:
    """The interruption that a signal asks for; the exit code is the shell's own: 128 and the signal's number."""
    name = " (SIGTERM)" if number == signal.SIGTERM else ""
    rest = "; nothing was published" if current_run() else ""
    return Interrupted(f"Stopped on request{name}{rest}.", exit_code=128 + number)


def as_interrupt(error: BaseException) -> Interrupted | None:
    """The interruption that an error really is: when a signal asked to stop, whatever came up after it is its echo."""
    asked = stopping.asked()
    if isinstance(error, Interrupted):
        # A wait that was cut short does not know by which signal.
        return error if asked is None or error.exit_code == asked.exit_code else asked
    return asked or (stopped_by(signal.SIGINT) if isinstance(error, KeyboardInterrupt) else None)
