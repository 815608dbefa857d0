"""Random faults, mixed: after every run the day is complete and exact, or as it was. A failing seed is in the test's name."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import SIDE_BY_SIDE, flags, spread, table, write_listing
from stockpipe.errors import StockpipeError
from stockpipe.sandbox import Answer, Request, Sandbox
from support.faults import TRANSIENT
from support.loads import load

Respond = Callable[[Request], Answer]


@pytest.mark.parametrize("seed", range(60))
def test_any_mixture_of_faults_ends_in_one_of_two_ways(seed: int) -> None:
    chance = random.Random(seed)
    share = chance.choice((0.05, 0.2, 0.5, 0.9))

    def spoil(respond: Respond) -> Respond:
        def spoiled(request: Request) -> Answer:
            return TRANSIENT[chance.choice(list(TRANSIENT))] if chance.random() < share else respond(request)

        return spoiled

    old = write_listing(Path("old.csv"), spread(3000))
    new = write_listing(Path("new.csv"), [row | {"name": "New"} for row in spread(3005)])
    walk = SIDE_BY_SIDE if seed % 2 else {}
    with Sandbox(data=old) as sandbox:
        load(flags(sandbox, **walk))
    with Sandbox(data=new, wrap=spoil) as sandbox:
        for _ in range(3):
            try:
                rows = load(flags(sandbox, **walk)).rows
            except StockpipeError:
                rows = 0
            found = table("SELECT count(*), count(DISTINCT TICKER), count(*) FILTER (NAME = 'New') FROM TICKERS")
            whole_new = [(3005, 3005, 3005)]
            assert found == whole_new if rows else found in ([(3000, 3000, 0)], whole_new)
