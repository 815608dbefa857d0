"""`stockpipe datasets` and docs/datasets.md, both made from the declarations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stockpipe.cli import main
from stockpipe.datasets import DATASETS

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def said(*words: str) -> str:
    done = CliRunner().invoke(main, ["datasets", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_page_is_up_to_date() -> None:
    """Make it anew: stockpipe datasets --markdown > docs/datasets.md"""
    assert PAGE.read_text(encoding="utf-8") == said("--markdown")


def test_each_dataset_has_a_line_and_a_document() -> None:
    text, documents = said(), json.loads(said("--json"))
    assert [line.split()[0] for line in text.splitlines()[2:]] == list(DATASETS)
    assert text.splitlines()[3].split("  ")[0] == "daily_bars"
    assert "Unadjusted bars of all US stocks  " in text
    bars = next(document for document in documents if document["name"] == "daily_bars")
    assert (bars["kind"], bars["calls"], bars["plan"], bars["first_day"]) == ("day", 1, "basic", "2003-09-10")
    assert (bars["options"], bars["expected"]) == (["otc"], "after every session")
    assert bars["columns"][1] == {
        "name": "OPEN", "field": "o", "type": "decimal", "required": True, "unit": "USD", "meaning": "First price of the regular session.",
    }  # fmt: skip


@pytest.mark.parametrize("name", DATASETS)
def test_a_declaration_is_complete(name: str) -> None:
    dataset = DATASETS[name]
    names = [column.name for column in dataset.columns]
    assert len(names) == len(set(names))
    assert set(dataset.row_key) <= set(names)
    assert dataset.day.kind == "date"
    assert dataset.unknown
    assert dataset.rows > 0
    assert dataset.size
    assert all(column.meaning.endswith((".", ")")) for column in dataset.columns)
    if dataset.kind.write == "merge":
        assert {"number", "day", "until", "version"} <= {column.type.role for column in dataset.columns}
