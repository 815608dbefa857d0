"""The notebook in examples/ runs from top to bottom, and each of its five questions has an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import stockpipe
from conftest import flags
from stockpipe.sandbox import Sandbox

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "research.ipynb"
DAYS = ("2026-02-05", "2026-02-13")


def test_the_notebook_answers_its_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(rows=800, now=lambda: datetime(2026, 2, 13, 23, 30, tzinfo=UTC)) as sandbox:
        for day in DAYS:
            for dataset in ("tickers", "daily_bars"):
                stockpipe.load(dataset, date=day, settings=flags(sandbox, STOCKPIPE_MAX_LOSS="50"))
        for dataset in ("splits", "dividends"):
            stockpipe.load(dataset, settings=flags(sandbox))
    monkeypatch.setenv("FILE", "stockpipe.duckdb")
    found: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), found)  # noqa: S102 - our own example
    assert [str(day) for day in found["days"]] == list(DAYS)
    assert len(found["universe"]) > 500
    assert len(found["history"]) >= 1
    assert found["counts"].keys() <= {"new", "gone", "renamed", "changed"}
    assert len(found["returns"]) == 5
    assert all(abs(value) < 0.5 for value in found["returns"].values())
    assert len(found["records"]) == 6
