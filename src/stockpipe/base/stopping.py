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
    who always is asked so. `committing` is set from a COMMIT to the end of the load: a first signal comes too late to
    stop it, so that nobody is told that nothing was published where a day was. `committed` is set when the day is published.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.publishing = threading.Event()
        self.committing = threading.Event()
        self.committed = threading.Event()
        self.gentle = False
        self._blocks = 0  # of `held`, one in another

    def asked(self) -> Interrupted | None:
        """The interruption that the first signal asks for; None when there was none."""
        return self.stopped_by(self.signals[0]) if self.signals else None

    def check(self) -> None:
        """Raise Interrupted where a signal asked to stop, whatever became of the exception that it raised."""
        if stopped := self.asked():
            raise stopped

    def came(self, number: int, *, gently: bool = False) -> None:
        """A signal came: raise Interrupted, unless it is the first one and something is waited for.

        That is a COMMIT, and `gently` the whole transaction.
        """
        self.signals.append(number)
        if not self._blocks:
            self._raise_unless_it_waits(gently)

    def _raise_unless_it_waits(self, gently: bool) -> None:
        if len(self.signals) > 1 or not self._waits(gently):
            raise self.stopped_by(self.signals[-1])

    def forget_commits(self) -> None:
        """A load begins: nothing of it is published yet."""
        self.committing.clear()
        self.committed.clear()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """The publish of a day, or of some: who is asked to stop gently waits for its end. When none fails, it is there."""
        self.publishing.set()
        try:
            yield
            self.committed.set()
        finally:
            self.publishing.clear()

    def _waits(self, gently: bool) -> bool:
        return self.committing.is_set() or (gently and self.publishing.is_set())

    def stopped_by(self, number: int) -> Interrupted:
        """The interruption that a signal asks for; the exit code is the shell's own: 128 and the signal's number."""
        name = " (SIGTERM)" if number == signal.SIGTERM else ""
        return Interrupted(f"Stopped on request{name}{self._outcome()}.", exit_code=128 + number)

    def _outcome(self) -> str:
        """What a run that is stopped now has done; "" outside of a run."""
        if not current_run():
            return ""
        if self.committing.is_set():
            return "; whether the day was published, stockpipe runs tells"
        return "; what was published before stays" if self.committed.is_set() else "; nothing was published"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait for the end of a block in which nothing may be raised, such as an import of C code."""
        self._blocks += 1
        already = len(self.signals)
        try:
            yield
        finally:
            self._blocks -= 1
            # In place of an error too: it is the signal's echo.
            if len(self.signals) > already:
                self._raise_unless_it_waits(self.gentle)

    @contextlib.contextmanager
    def interruptible(self, work: Interruptible) -> Iterator[None]:
        """Let SIGINT and SIGTERM end a long piece of work in C within a moment; Interrupted then leaves this block.

        Python's handler runs between two statements of the work, or when it has ended, and raises nothing in here: the
        block is left first. It matters in the main thread only, as all signals go there.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with self.held():
            seen, told = socket.socketpair()
            told.setblocking(False)
            before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
            watcher = threading.Thread(
                target=self._interrupt_on_signal,
                args=(seen, done := threading.Event(), work, len(self.signals)),
                daemon=True,
            )
            watcher.start()
            try:
                yield
            finally:
                done.set()
                signal.set_wakeup_fd(before)
                told.close()  # ends the watcher's wait
                watcher.join()
                seen.close()

    def _interrupt_on_signal(
        self, seen: socket.socket, done: threading.Event, work: Interruptible, already: int
    ) -> None:
        """Each byte is a signal's number. Once is not enough: it may come just before the work begins."""
        while numbers := seen.recv(64):
            already += sum(number in _ASKS_TO_STOP for number in numbers)
            waits = self._waits(self.gentle) and already == 1
            if _ASKS_TO_STOP & set(numbers) and not waits:
                while not done.is_set():
                    with contextlib.suppress(Exception):  # it may just be closing
                        work.interrupt()
                    done.wait(_AGAIN)
                return


stopping = Stopping()
"""The one of this process."""

stop_signals = stopping.signals
committing = stopping.committing
interruptible = stopping.interruptible
stopped_by = stopping.stopped_by


def as_interrupt(error: BaseException) -> Interrupted | None:
    """The interruption that an error really is: when a signal asked to stop, whatever came up after it is its echo."""
    asked = stopping.asked()
    if isinstance(error, Interrupted):
        # A wait that was cut short does not know by which signal.
        return error if asked is None or error.exit_code == asked.exit_code else asked
    return asked or (stopped_by(signal.SIGINT) if isinstance(error, KeyboardInterrupt) else None)
