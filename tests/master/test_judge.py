"""The rules against hidden identities: the usual and the hard synthetic market. `make test-master` measures more of them."""

from __future__ import annotations

from datetime import date

import pytest

from stockpipe.master.resolve.resolver import resolve
from support.judge import judge, live


@pytest.mark.parametrize("hard", [False, True])
def test_no_false_link_and_no_missed_one_that_could_be_decided(hard: bool) -> None:
    truth = live(11, hard=hard, rows=500, first=date(2004, 6, 1), days=90)

    score = judge(truth, resolve(truth.stretches, truth.lists))

    assert not score.wrong, score.examples
    assert score.recall >= 0.995, score.examples
    assert score.right["renamed, same FIGI"] > 5


def test_the_judge_sees_a_false_link_and_a_missed_one() -> None:
    truth = live(11, hard=True, rows=200, first=date(2004, 6, 1), days=40)
    resolved = resolve(truth.stretches, truth.lists)
    good = judge(truth, resolved)
    chains = [chain for chain in resolved.chains if len(chain) > 1]
    one, two = [chain for chain in resolved.chains if chain[0].first > 5 or chain[-1].last < 30][:2]

    resolved.chains = [chain for chain in resolved.chains if chain not in (one, two)] + [[*one, *two]]
    assert judge(truth, resolved).wrong.total() == 1
    resolved.chains = [chain for chain in resolved.chains if chain is not chains[0]] + [[part] for part in chains[0]]
    assert judge(truth, resolved).right.total() < good.right.total()
