"""The local Massive API as a process of its own, which counts the calls where they arrive.

Prints its URL as one line of JSON, then answers each line on standard input with one line of JSON: the calls since the
last question. It is the sandbox as `stockpipe sandbox` serves it; with --pages, the light pages over it.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from typing import Any

from light_pages import light_pages
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.sandbox.server import Respond


class CallLog:
    """Puts itself before the API and notes each call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: list[float] = []
        self._statuses: list[int] = []
        self._built = 0
        # A page that was served before is the same object. It is kept, so that no other one gets its identity.
        self._known: dict[int, Answer] = {}

    def around(self, respond: Respond) -> Respond:
        """The same answers, noted."""

        def answer(request: Request) -> Answer:
            arrived = time.monotonic()
            given = respond(request)
            with self._lock:
                self._at.append(arrived)
                self._statuses.append(given.status)
                # Light pages are put together at once, and bars anew each time.
                if given.status == 200 and not given.raw and id(given) not in self._known:
                    self._known[id(given)] = given
                    self._built += 1
            return given

        return answer

    def taken(self) -> dict[str, Any]:
        """What was noted since the last time."""
        with self._lock:
            noted = {"at": self._at, "statuses": self._statuses, "built": self._built}
            self._at, self._statuses, self._built = [], [], 0
        return noted


def say(value: Any) -> None:
    """One line of JSON to the runner."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--pages", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    options = parser.parse_args()
    log = CallLog()
    lighten = light_pages(options.pages) if options.pages else lambda respond: respond
    with Sandbox(rows=options.rows, latency=options.latency, wrap=lambda real: log.around(lighten(real))) as sandbox:
        say(sandbox.url)
        for _ in sys.stdin:
            sandbox.calls.clear()  # the sandbox's own list, which nobody reads here
            say(log.taken())


if __name__ == "__main__":
    main()
