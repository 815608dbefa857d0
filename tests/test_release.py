"""What a tag must fulfil to become a release, and what the release workflow may do."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
RELEASE = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [2.1.0] - 2026-12-01\n\n- New.\n\n## [2.0.0] - 2026-11-20\n\n- Old.\n"
notes: Callable[[str, str, str], str] = runpy.run_path(str(ROOT / "tools/release_notes.py"))["notes"]


def test_the_notes_are_the_part_of_that_version() -> None:
    assert notes("v2.1.0", "2.1.0", CHANGELOG) == "- New.\n"
    assert notes("v2.0.0", "2.0.0", CHANGELOG) == "- Old.\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "message"),
    [
        ("v2.1.1", "2.1.0", CHANGELOG, r"The tag is v2\.1\.1, the version .* is 2\.1\.0\. Tag v2\.1\.0\."),
        ("2.1.0", "2.1.0", CHANGELOG, r"The tag is 2\.1\.0"),
        ("v2.1.0", "2.1.0", CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- Later.\n"), r"under \[Unreleased\]"),
        ("v2.2.0", "2.2.0", CHANGELOG, r"no entries for 2\.2\.0"),
        ("v2.1.0", "2.1.0", CHANGELOG.replace("- New.\n", ""), r"no entries for 2\.1\.0"),
    ],
)
def test_a_tag_that_is_not_ready_is_refused(tag: str, version: str, changelog: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        notes(tag, version, changelog)


def test_only_the_job_that_needs_it_may_write_or_sign() -> None:
    head, body = RELEASE.split("\njobs:\n")
    assert "\npermissions:\n  contents: read\n" in head
    jobs = re.split(r"^  (?=[a-z]+:\n)", body, flags=re.MULTILINE)[1:]
    may = {job.split(":")[0]: set(re.findall(r"^      ([a-z-]+: write)", job, re.MULTILINE)) for job in jobs}
    assert may == {
        "build": {"id-token: write", "attestations: write"},
        "publish": {"id-token: write"},
        "release": {"contents: write"},
    }
    assert "secrets." not in RELEASE


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_have_a_version_and_no_script_has_text_from_outside(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert len(used) >= 2
    assert [name for name in used if not re.search(r"@(v\d+|release/v\d+)$", name)] == []
    scripts = re.findall(r"^( +)(?:- )?run: (.*(?:\n\1 +.*)*)", text, re.MULTILINE)
    assert scripts
    assert [script for _, script in scripts if "${{" in script] == []
