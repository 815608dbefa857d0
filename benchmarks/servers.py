"""The runner's end of the two local servers. Each is a process of its own that answers questions line by line."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import HERE, OUR_PYTHON, ROOT, BenchmarkError, clean_environment


@dataclass(frozen=True)
class Calls:
    """What reached the API: when (monotonic seconds), the answers' statuses, and how many pages it had to make first."""

    at: list[float]
    statuses: Counter[int]
    built: int

    @property
    def count(self) -> int:
        """How many calls."""
        return len(self.at)

    @property
    def rate(self) -> float:
        """Calls a second, from the first to the last one."""
        return (self.count - 1) / (self.at[-1] - self.at[0]) if self.count > 1 else 0.0

    @property
    def busiest_second(self) -> int:
        """The most calls in any window of one second."""
        most = first = 0
        for last, at in enumerate(self.at):
            while at - self.at[first] >= 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most


class _LineServer:
    """A child process that says one JSON line when it is ready, and one for each line it is sent."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ready = self._hear()

    def ask(self, question: str) -> Any:
        """Send a line, read the answer."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self._process.stdout  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError("A local server ended; what it said is above.")
        return json.loads(line)


class Api:
    """The local Massive API."""

    def __init__(self, lines: _LineServer) -> None:
        self._lines = lines
        self.url = str(lines.ready)

    def calls(self) -> Calls:
        """The calls since the last question."""
        told = self._lines.ask("calls")
        return Calls(sorted(told["at"]), Counter(told["statuses"]), told["built"])


class Snowflake:
    """The local Snowflake. `env` is what a client needs to reach it."""

    def __init__(self, lines: _LineServer) -> None:
        self._lines = lines
        self.env: dict[str, str] = lines.ready

    def traffic(self, table: str) -> dict[str, Any]:
        """Statements, round trips and bytes since the last question, and the rows that the table has now."""
        told: dict[str, Any] = self._lines.ask(table)
        return told


@contextmanager
def api(*, rows: int | None = None, pages: int | None = None, latency: float = 0.0) -> Iterator[Api]:
    """The sandbox with so many rows, or, for long walks, the light pages over it."""
    size = ["--rows", str(rows)] if rows else ["--pages", str(pages)]
    with _serving([HERE / "serve_api.py", *size, "--latency", str(latency)], {}) as lines:
        yield Api(lines)


@contextmanager
def snowflake() -> Iterator[Snowflake]:
    """A fresh, empty account."""
    with _serving([HERE / "serve_snowflake.py"], {"PYTHONPATH": str(ROOT / "tests")}) as lines:
        yield Snowflake(lines)


@contextmanager
def _serving(command: Sequence[str | Path], settings: Mapping[str, str]) -> Iterator[_LineServer]:
    process = subprocess.Popen(  # noqa: S603
        [OUR_PYTHON, *command],
        env=clean_environment(**settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _LineServer(process)
    finally:
        assert process.stdin  # noqa: S101
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
