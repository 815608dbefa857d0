"""A wait that takes longer than one expects is told: for what, and for how long at most."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

SAY_AFTER = 2.0
"""Seconds until a wait is told."""


def tell_wait(text: str) -> None:
    """Log that something is waited for. Commands that leave out what they connect to show it on a terminal all the same."""
    log.info("%s", text, extra={"waits": True})


@contextmanager
def told_if_slow(text: str, after: float = SAY_AFTER) -> Iterator[None]:
    """Tell the text when the block has not ended after so many seconds."""
    timer = threading.Timer(after, tell_wait, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
