"""A free key, 5 calls a minute: each wait is told, and the calls of the run before count."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import flags, many, write_listing
from stockpipe.base.clock import Clock
from stockpipe.datasets import DATASETS
from stockpipe.load.fetch import _expect_calls
from stockpipe.massive.cuts import CutPlan
from stockpipe.massive.pages import Query
from stockpipe.sandbox import Sandbox
from support.clocks import FakeClock, pacer
from support.loads import DELISTED, STOCKS, load


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: Clock, tmp_path: Path) -> Iterator[Sandbox]:
    """Seven pages, for a key of the free plan whose minute is on the test's clock."""
    with Sandbox(
        data=write_listing(tmp_path / "list.csv", many(6500)), plan="free", monotonic=clock.monotonic
    ) as sandbox:
        yield sandbox


def test_the_wait_is_told_from_the_first_run_on_and_the_next_run_knows_its_calls(
    sandbox: Sandbox, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    settings = flags(sandbox, MASSIVE_PLAN="free")
    with caplog.at_level(logging.INFO):
        load(settings, clock)
        clock.seconds += 5
        load(settings, clock, force=True)
    told = [message for message in caplog.messages if message.startswith("Free plan")]
    # No earlier day is known at first; the second run knows the seven pages, and that two calls were made just before.
    assert told == [
        "Free plan, 5 calls a minute: next call in 1 min; about 2 min left for this list if it is as long as usual.",
        "Free plan, 5 calls a minute: next call in 55 s; about 1 min left for this list.",
        "Free plan, 5 calls a minute: next call in 5 s; about 5 s left for this list.",
    ]
    assert [call.status for call in sandbox.calls] == [200] * 14


@pytest.mark.parametrize("how", [{"dry_run": True}, {"dry_run": False}])
def test_the_calls_of_a_dry_run_and_of_an_unchanged_day_count_too(
    sandbox: Sandbox, clock: FakeClock, how: dict[str, Any]
) -> None:
    settings = flags(sandbox, MASSIVE_PLAN="free")
    for _ in range(3):
        load(settings, clock, **how)
    assert {call.status for call in sandbox.calls} == {200}


@pytest.mark.parametrize(
    ("query", "plan", "left", "as_usual"),
    [
        (Query(STOCKS), CutPlan(counts=(900, 1000, 101)), 3, False),
        (Query(STOCKS), CutPlan(), 13, True),
        (Query(DELISTED), CutPlan(), 0, True),
        (Query(DATASETS["dividends"].parts()[0]), CutPlan(), 160, True),
    ],
)
def test_how_many_calls_are_to_come(query: Query, plan: CutPlan, left: int, as_usual: bool) -> None:
    paced = pacer(FakeClock(), plan="free")
    _expect_calls(paced, query, plan)
    assert (paced.calls_left, paced.as_usual) == (left, as_usual)


def test_a_day_of_stocks_takes_two_minutes_and_three_right_after_another_run(clock: FakeClock, tmp_path: Path) -> None:
    """What the README says of a free key: 13 calls, five a minute."""
    listing = write_listing(tmp_path / "all.csv", many(12_400))
    took = []
    with Sandbox(data=listing, plan="free", monotonic=clock.monotonic) as sandbox:
        for _ in range(2):
            began = clock.seconds
            load(flags(sandbox, MASSIVE_PLAN="free"), clock, force=True)
            took.append(round((clock.seconds - began) / 60))
    assert took == [2, 3]
