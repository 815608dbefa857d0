"""How the pages of the documentation site are laid out; `make docs` builds it."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stockpipe.cli import COMMANDS

ROOT = Path(__file__).parent.parent
SITE = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
STAGED: dict[str, Any] = runpy.run_path(str(ROOT / "tools/stage_docs.py"))
REPOSITORY = STAGED["REPOSITORY"]


def pages(nav: Any) -> list[str]:
    """Return all pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages(part)]


def test_each_page_is_in_the_navigation_once_under_its_kind() -> None:
    assert [name for part in SITE["nav"] for name in part] == ["Home", "Tutorial", "How-to", "Reference", "Explanation"]
    made = {path.name for path in (ROOT / "docs").glob("*.md")} | set(STAGED["FROM_README"]) | {"commands.md"}
    assert sorted(pages(SITE["nav"])) == sorted(made)


@pytest.mark.parametrize(
    ("folder", "target", "anchor", "link"),
    [
        ("", "docs/cost.md", "", "cost.md"),
        ("", "docs/cost.md", "#the-arithmetic", "cost.md#the-arithmetic"),
        ("", "LICENSE", "", f"{REPOSITORY}/LICENSE"),
        ("", "", "#installation", f"{REPOSITORY}/README.md#installation"),
        ("docs", "cost.md", "", "cost.md"),
        ("docs", "../integrations/README.md", "#dagster", f"{REPOSITORY}/integrations/README.md#dagster"),
        ("docs", "", "#here", "#here"),
    ],
)
def test_a_link_leads_to_a_page_of_the_site_or_to_the_repository(
    folder: str, target: str, anchor: str, link: str
) -> None:
    assert STAGED["led"](target, anchor, ROOT / folder) == link


def test_a_link_to_a_file_that_is_not_there_ends_it() -> None:
    with pytest.raises(SystemExit, match=r"A link leads to \.\./gone\.md"):
        STAGED["led"]("../gone.md", "", ROOT / "docs")


def test_links_are_found_in_a_text_and_addresses_left_alone() -> None:
    found = STAGED["LINK"].findall("[a](x.md) [b](https://x.example/y) ![c](p/d.png#e) [f](#g) [m](mailto:a@b.example)")
    assert found == [("x.md", ""), ("p/d.png", "#e"), ("", "#g")]


def test_every_command_has_its_help_on_the_page_of_commands() -> None:
    text = STAGED["commands"]()
    assert [
        name for name in COMMANDS if f"\n## stockpipe {name}\n\n```text\nUsage: stockpipe {name} " not in text
    ] == []
    assert "## stockpipe master build\n" in text
