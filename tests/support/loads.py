"""Loads with a clock of the test's own. How a load is started stands here and in no test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stockpipe import LoadResult
from stockpipe.base.clock import Clock
from stockpipe.load.job import plan_job
from stockpipe.observe.watch import load_watched
from stockpipe.settings import load_settings
from support.clocks import QuickClock


def load(settings: Mapping[str, str | None], clock: Clock | None = None, **job: Any) -> LoadResult:
    """What `stockpipe.load` does, on a clock whose waits take a thousandth of their time; `job` as `plan_job` takes it."""
    clock = clock or QuickClock()
    return load_watched(plan_job(clock, **job), load_settings(settings, origin="the test"), clock)
