"""What it costs before the work begins: the start of the command, and a clean install."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure import OUR_PYTHON, ROOT, STOCKPIPE, Sample, clean_environment, middle, run_process


@dataclass(frozen=True)
class StartUp:
    """Median seconds of `stockpipe --help` and of a Python that does nothing."""

    ours: float
    python: float

    @property
    def extra_milliseconds(self) -> float:
        """What the command adds."""
        return (self.ours - self.python) * 1000


@dataclass(frozen=True)
class Install:
    """Seconds to make a virtual environment with everything in it, and its size in MB (10^6 bytes)."""

    seconds: float
    megabytes: float


def start_up(repeats: int) -> StartUp:
    """The two commands in turns."""
    environment, found = clean_environment(), dict[str, list[Sample]](ours=[], python=[])
    commands: dict[str, list[str | Path]] = {"ours": [STOCKPIPE, "--help"], "python": [OUR_PYTHON, "-c", "pass"]}
    for turn in range(repeats * 4 + 1):
        for name, command in commands.items():
            sample = run_process(command, environment, ROOT)
            if turn:  # the first one warms the disk cache
                found[name].append(sample)
    return StartUp(*(middle(found[name], lambda sample: sample.wall) for name in ("ours", "python")))


def clean_install() -> Install:
    """As README.md's "Installation" says it, the second time, so that pip has every package in its cache."""
    for _ in range(2):
        with tempfile.TemporaryDirectory(prefix="stockpipe-bench-") as folder:
            venv = Path(folder) / ".venv"
            python = venv / "bin" / "python"
            pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            started = time.perf_counter()
            steps: list[list[str | Path]] = [
                [sys.executable, "-m", "venv", venv],
                [*pip, "--require-hashes", "-r", ROOT / "requirements.txt"],
                [*pip, "--no-deps", ROOT],
            ]
            for command in steps:
                run_process(command, clean_environment(), Path(folder))
            seconds = time.perf_counter() - started
            size = sum(file.lstat().st_size for file in venv.rglob("*") if file.is_file())
    return Install(seconds, size / 10**6)
