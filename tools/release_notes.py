"""Check that a tag may become a release, and print its part of the changelog: `python tools/release_notes.py v2.1.0`."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def notes(tag: str, version: str, changelog: str) -> str:
    """Return what the changelog says about this version.

    `tag` is the name of the tag (`v2.1.0`), `version` what the code says of itself, `changelog` the text of CHANGELOG.md.
    Raises ValueError when the tag is not that version, when the changelog does not have it or says nothing about it, or
    when entries are still under [Unreleased]: they would be in the release and not in its notes.
    """
    if tag != f"v{version}":
        raise ValueError(
            f"The tag is {tag}, the version in src/stockpipe/base/version.py is {version}. Tag v{version}."
        )
    parts = re.split(r"^## \[([^\]]+)\].*\n", changelog, flags=re.MULTILINE)
    said = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    if said.get("Unreleased"):
        raise ValueError(f"CHANGELOG.md has entries under [Unreleased]. Move them to a heading ## [{version}].")
    if not said.get(version):
        raise ValueError(f"CHANGELOG.md has no entries for {version}. Write them under ## [{version}].")
    return said[version] + "\n"


if __name__ == "__main__":
    try:
        found = runpy.run_path(str(ROOT / "src/stockpipe/base/version.py"))["__version__"]
        print(notes(sys.argv[1], found, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), end="")
    except ValueError as error:
        sys.exit(str(error))
