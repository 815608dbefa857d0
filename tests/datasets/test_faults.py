"""The faults of the wire, over every dataset: a passing one costs a try and no row, a lasting one publishes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from conftest import flags, table
from stockpipe.datasets import DATASETS
from stockpipe.errors import ApiError
from stockpipe.sandbox import Answer, Request, Sandbox
from support.clocks import FakeClock
from support.loads import load

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
FAULTS: dict[str, Callable[[Answer], Answer]] = {
    "500": lambda good: replace(good, status=500, body=b"oops", packed=None),
    "truncated": lambda good: replace(good, body=good.body[: len(good.body) // 2], packed=None, raw=True),
    "HTML with 200": lambda good: replace(good, body=b"<html>down</html>", packed=None),
    "nothing": lambda good: replace(good, body=b"", packed=None),
}


class Wire:
    """Spoils the first answers of a load, or all of them."""

    def __init__(self) -> None:
        self.faults: list[Callable[[Answer], Answer]] = []
        self.is_lasting = False

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if not self.faults:
                return respond(request)
            fault = self.faults[0] if self.is_lasting else self.faults.pop(0)
            return fault(respond(request))

        return answer


def test_every_dataset_survives_passing_faults_and_none_is_changed_by_a_lasting_one() -> None:
    wire = Wire()
    with Sandbox(rows=40, now=lambda: NOW, wrap=wire.wrap) as sandbox:
        env = flags(sandbox, STOCKPIPE_WAREHOUSE="duckdb")
        for name, dataset in DATASETS.items():
            wire.faults, wire.is_lasting = list(FAULTS.values()), False
            record = load(env, FakeClock(moment=NOW), dataset=name).records[0]
            assert (record.status, record.retries) == ("published", len(FAULTS)), name
            counted = f'SELECT count(*) FROM "{dataset.table}"'
            assert table(counted) == [(record.rows_published,)], name
            wire.faults, wire.is_lasting = [FAULTS["truncated"]], True
            with pytest.raises(ApiError, match="Nothing was published"):
                load(env, FakeClock(moment=NOW), dataset=name, force=True)
            assert table(counted) == [(record.rows_published,)], name
