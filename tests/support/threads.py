"""The same call in several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stockpipe.errors import StockpipeError


def at_once(count: int, call: Callable[[], object]) -> list[object]:
    """What each of `count` calls in threads of their own returned, or the error of ours that it raised."""
    ends: list[object] = []

    def run() -> None:
        try:
            ends.append(call())
        except StockpipeError as error:
            ends.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends
