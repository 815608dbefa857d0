"""Real securities between two real lists: what was judged by hand, and what the rules say. Needs the dumps."""

from __future__ import annotations

from datetime import date

import pytest

from stockpipe.master.resolve.ids import Where
from stockpipe.master.resolve.resolver import resolve
from support import real_lists

pytestmark = pytest.mark.skipif(not real_lists.CASES.exists(), reason="the real lists are not beside the repository")


def test_every_real_case_is_decided_as_it_was_judged() -> None:
    lists, stretches = real_lists.stretches()
    resolved = resolve(stretches, lists)
    where = Where(resolved.chains, lists)

    wrong = []
    for case in real_lists.cases():
        before = where.at(case["ticker_before"], date.fromisoformat(case["date_before"]))
        after = where.at(case["ticker_after"], date.fromisoformat(case["date_after"]))
        assert None not in (before, after), case
        if ("same" if before == after else "different") != case["verdict"]:
            wrong.append(case)

    assert wrong == []
