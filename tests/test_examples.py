"""Every query that is printed or written as an example is true with more than one day and market in the table."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import stockpipe
from conftest import PROGRAM, command, flags
from stockpipe.cli import COMMANDS, main
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "Makefile",
    "integrations/README.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]
_QUERY = re.compile(r"(?:stockpipe query\b[^\"\n]*(?:\\\n\s*)?|\.query\()\"([^\"]+)\"")
MON, TUE = "2026-02-02", "2026-02-03"


def examples() -> set[str]:
    """The SQL behind `stockpipe query` in pages, Makefile and help, and of `.query(...)` in Python."""
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    texts += [CliRunner().invoke(main, [*name, "--help"]).output for name in ([], *([one] for one in COMMANDS))]
    return {re.sub(r"\s+", " ", sql) for text in texts for sql in _QUERY.findall(text)}


@pytest.fixture
def two_days_and_markets() -> dict[str, str]:
    """Settings of a file with two days of two markets, listed and delisted."""
    with Sandbox(rows=1200) as sandbox:
        settings = flags(sandbox)
        for market in ("indices", "stocks"):
            for day in (MON, TUE):
                stockpipe.load(market=market, active="both", on=day, settings=settings)
    return settings


def test_every_example_gives_figures_of_one_day_and_one_market(two_days_and_markets: dict[str, str]) -> None:
    found = {sql for sql in examples() if "..." not in sql}
    assert len(found) >= 4
    warehouse = open_warehouse(load_settings(two_days_and_markets, env={}))
    listed = warehouse.query(f"SELECT count(*) FROM TICKERS WHERE DS = '{TUE}' AND MARKET = 'stocks' AND ACTIVE").rows[
        0
    ][0]
    types = warehouse.query(
        f"SELECT TYPE, count(*) FROM TICKERS WHERE DS = '{TUE}' AND MARKET = 'stocks' AND ACTIVE GROUP BY 1"
    )
    for sql in sorted(found):
        result = warehouse.query(re.sub(r"DS ?= ?'[\d-]+'", f"DS = '{TUE}'", sql))
        if "count(*)" not in sql:
            day, market = result.columns.index("DS"), result.columns.index("MARKET")
            assert {(str(row[day]), row[market]) for row in result.rows} == {(TUE, "stocks")}, sql
        elif "GROUP BY" in sql:
            assert dict(result.rows) == dict(types.rows), sql
        else:
            assert result.rows == [(listed,)], sql
    warehouse.close()


@pytest.mark.usefixtures("two_days_and_markets")
def test_what_run_prints_as_next_shows_the_day_it_loaded() -> None:
    with Sandbox() as sandbox:
        done = command("run", "--market", "indices", "--date", MON, env=flags(sandbox))
    following = next(line for line in done.stderr.splitlines() if line.startswith("  Next "))
    words = shlex.split(following.removeprefix(f"  Next      {PROGRAM}"))
    shown = command(*words, "--format", "csv").stdout.splitlines()
    assert (len(shown), {(MON in line, ",indices," in line) for line in shown[1:]}) == (6, {(True, True)})


def test_the_demo_of_the_makefile_names_its_file_in_both_lines() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ndemo:")[2].partition("\n\n")[0]
    assert recipe.count("--duckdb-path stockpipe-demo.duckdb") == 2
