"""A walk on the free plan with a shorter minute. Usage: free_plan.py PLAN ROWS MINUTE; prints one line of JSON.

The minute of the pacing is no setting, and need be none: this uses the walk itself, against a sandbox whose window for
five calls is as short as the pacing's.
"""

from __future__ import annotations

import json
import sys
import time
from typing import cast

from stockpipe.base.clock import Clock
from stockpipe.datasets import TICKERS
from stockpipe.massive.client import Client, Origin
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.massive.pages import Guard, Query, walk
from stockpipe.sandbox import SANDBOX_KEY, Sandbox
from stockpipe.settings import KeyPlan

plan, rows, minute = cast(KeyPlan, sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
clock = Clock()
with Sandbox(plan="free", rows=rows, minute=minute) as sandbox:
    pacer = Pacer(Patience(clock, clock.monotonic() + 3600), plan, minute=minute)
    started = time.perf_counter()
    with Client(Origin(sandbox.url, SANDBOX_KEY), pacer) as client:
        fetched = sum(len(page.rows) for page in walk(client, Query(TICKERS.parts()[0]), Guard(2500)))
    seconds = time.perf_counter() - started
    statuses = [call.status for call in sandbox.calls]
answer = {"seconds": seconds, "rows": fetched, "calls": statuses.count(200), "refused": statuses.count(429)}
sys.stdout.write(json.dumps(answer))
