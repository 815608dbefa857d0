"""What one process costs, from its start to its end: wall time, CPU time, peak memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUR_PYTHON = Path(sys.executable)
STOCKPIPE = OUR_PYTHON.with_name("stockpipe")
PEER_PYTHON = HERE / ".venv" / "bin" / "python"
MEBIBYTE = 2**20
# getrusage counts in KiB, on macOS in bytes.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_FOREIGN_SETTINGS = ("STOCKPIPE_", "MASSIVE_", "POLYGON_", "SNOWFLAKE_", "RATE_LIMIT_", "DLT_", "PYTHON")


class BenchmarkError(Exception):
    """A competitor or a server did not do what was asked: there is no number to report."""


@dataclass(frozen=True)
class Sample:
    """One process: seconds on the clock, seconds of CPU (user and system), peak memory in MiB."""

    wall: float
    cpu: float
    peak: float


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without anybody's settings of stockpipe, dlt or Python, and then `settings`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN_SETTINGS)}
    return kept | settings


def run_process(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, *, limit: float = 1800
) -> Sample:
    """Run a command in `folder` to its end; BenchmarkError, with the end of its output, when it fails.

    `wait4` tells what exactly this child used. A child begins as a copy of this process, so its peak can not be seen
    below ours: the runner therefore imports nothing heavy (see `own_peak`).
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        killer = Timer(limit, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise BenchmarkError(_last_words(command, process.returncode, output.read()))
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT / MEBIBYTE)


def own_peak() -> float:
    """Peak memory of this process in MiB; that of the runner is the least that `run_process` can see."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / MEBIBYTE


def milliseconds(ask: Callable[[], object]) -> float:
    """What a question takes: the middle of three, behind one that reads the file."""
    times = []
    for _ in range(4):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return round(sorted(times[1:])[1], 1)


def middle(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """The median of one value over the samples."""
    return statistics.median(map(value, samples))


def _last_words(command: Sequence[str | Path], code: int, output: bytes) -> str:
    shown = " ".join(Path(part).name for part in command[:2])
    return f"{shown} ended with {code}: {output.decode(errors='replace').strip()[-1500:]}"
