"""A build of the security master over generated days, in a process of its own (master.py)."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loads import Say
from measure import HERE, OUR_PYTHON, clean_environment


@dataclass(frozen=True)
class MasterBuild:
    """Seconds of a whole build and of the next night's, of a question as of a day, and what the history takes."""

    days: int
    rows: int
    securities: int
    whole_build_seconds: float
    nightly_build_seconds: float
    universe_milliseconds: float
    history_rows_per_cent_of_snapshot_rows: float
    peak_memory_mb_before_the_build: float
    peak_memory_mb: float


def master_build(days: int, say: Say) -> MasterBuild:
    """Days of 12,000 listed stocks, generated in the DuckDB file itself."""
    say(f"security master over {days:,} days")
    command: list[str | Path] = [OUR_PYTHON, HERE / "master.py", "--days", str(days)]
    done = subprocess.run(command, env=clean_environment(), check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return MasterBuild(**json.loads(done.stdout))
