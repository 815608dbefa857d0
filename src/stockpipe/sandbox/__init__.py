"""A local Massive API over a synthetic market, or over a real listing dump: the demo, the tests, offline work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from stockpipe.sandbox.app import Answer, App, Request, Source
from stockpipe.sandbox.asked import Plan
from stockpipe.sandbox.server import Respond, Server

SANDBOX_KEY = "sandbox-key"
DEFAULT_SEED = 7


@dataclass(frozen=True)
class Call:
    """One request that was answered; `at` is monotonic seconds. The key is not kept."""

    path: str
    query: Mapping[str, str]
    status: int
    at: float


class Sandbox:
    """A local Massive API on 127.0.0.1. Use it as a context manager, or `start` and `stop` it.

    `data` serves a file instead of the synthetic market; `rows` makes that market have exactly so many active stocks;
    `hard` makes it one whose identities are hard to follow (`hard.py`).
    `plan="free"` allows five calls in `minute` seconds and reaches two years back; each plan also has a key of its own,
    such as `sandbox-key-starter`; `latency` is seconds added to each answer. `wrap` may put
    itself before the API, to spoil its answers in tests.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        data: Path | None = None,
        plan: Plan = "paid",
        latency: float = 0.0,
        seed: int = DEFAULT_SEED,
        rows: int | None = None,
        hard: bool = False,
        minute: float = 60.0,
        key: str = SANDBOX_KEY,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        wrap: Callable[[Respond], Respond] | None = None,
    ) -> None:
        self.app = App(
            _source(data, seed, rows, hard=hard), key, plan=plan, minute=minute, now=now, monotonic=monotonic
        )
        self.calls: list[Call] = []
        self._respond = wrap(self.app.answer) if wrap else self.app.answer
        self._address, self._latency = (host, port), latency
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, known once started."""
        return self.app.base_url

    def start(self) -> None:
        """Listen, unless it does already; OSError when the port is taken."""
        if self._server is not None:
            return
        self._server = Server(self._address, self._answer, self._latency)
        self.app.base_url = f"http://{self._address[0]}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; nothing happens when it was not started."""
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def serve_forever(self) -> None:
        """Serve until the process is interrupted."""
        if self._server is None:
            self.start()
        try:
            while (thread := self._thread) and thread.is_alive():
                thread.join(0.5)
        finally:
            self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        answer = self._respond(request)
        shown = {name: text for name, text in request.query.items() if name != "apiKey"}
        self.calls.append(Call(request.path, shown, answer.status, time.monotonic()))
        return answer


def _source(data: Path | None, seed: int, rows: int | None, *, hard: bool) -> Source:
    if data is not None:
        from stockpipe.sandbox.dump import Dump

        return Dump(data)
    from stockpipe.sandbox.market import Market

    return Market(seed, rows, hard=hard)


__all__ = ["SANDBOX_KEY", "Answer", "App", "Call", "Request", "Sandbox", "Source"]
