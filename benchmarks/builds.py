"""What is derived from generated days, each in a process of its own: the security master (master.py), adjusted prices (prices.py)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loads import Say
from measure import HERE, OUR_PYTHON, BenchmarkError, clean_environment


@dataclass(frozen=True)
class MasterBuild:
    """Seconds of a whole build and of the next night's, of a question as of a day; what is read and what the history takes."""

    days: int
    rows: int
    securities: int
    whole_build_seconds: float
    nightly_build_seconds: float
    universe_milliseconds: float
    history_rows_per_cent_of_snapshot_rows: float
    read_rows_per_cent_of_snapshot_rows: float
    peak_memory_mb_before_the_build: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Prices:
    """What questions about adjusted prices take, the whole panel as Parquet, and the same by hand in pandas (None: left out)."""

    bars: int
    securities: int
    prices_ms: float
    unkept_security_ms: float
    unkept_day_ms: float
    factors_seconds: float
    security_ms: float
    newest_day_ms: float
    middle_day_ms: float
    panel_seconds: float
    panel_rows_a_second_a_core: float
    panel_limit_rows_a_second_a_core: float
    panel_megabytes: float
    peak_memory_mb_before_the_panel: float
    peak_memory_mb: float
    copy_security_ms: float
    copy_day_ms: float
    pandas_seconds: float | None = None
    pandas_peak_memory_mb: float | None = None
    largest_difference: float | None = None


def master_build(days: int, say: Say) -> MasterBuild:
    """Days of 12,000 listed stocks, generated in the DuckDB file itself."""
    say(f"security master over {days:,} days")
    return MasterBuild(**_measured("master.py", "--days", str(days)))


def prices(bars: int, say: Say) -> Prices:
    """Bars of 20 years, generated in the DuckDB file itself."""
    say(f"adjusted prices over {bars:,} bars")
    return Prices(**_measured("prices.py", "--bars", str(bars)))


def _measured(script: str, *arguments: str) -> dict[str, Any]:
    """What a script prints."""
    command: list[str | Path] = [OUR_PYTHON, HERE / script, *arguments]
    done = subprocess.run(command, env=clean_environment(), check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if done.returncode:
        raise BenchmarkError(f"{script} ended with {done.returncode}.")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
