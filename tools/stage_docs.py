"""Lay out the pages of the documentation site in `build/docs`, for `make docs`.

The pages of `docs/` are taken as they are. Parts of the README become pages of their own, and a page of all commands is made
from their help: each thing is written once. A link to a file outside of `docs/` becomes one to the repository, and a file
that is not there ends the program. Whether links between pages hold is checked by the generator (`zensical build --strict`).
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import click

from stockpipe.cli import main as stockpipe

ROOT = Path(__file__).parent.parent
STAGE = ROOT / "build/docs"
REPOSITORY = "https://github.com/Jeanmarturell/stock_trading_python_app/blob/HEAD"
# Page -> headings of the README. The first paragraph of the home page is that of the README.
FROM_README = {
    "index.md": ("Overview", "Architecture"),
    "tutorial.md": ("Quick start",),
    "installation.md": ("Prerequisites", "Installation"),
    "settings.md": ("Configuration",),
    "tables.md": ("Data schema",),
}
LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]*)(#[^)\s]*)?(?=\))")


def main() -> None:
    """Write all pages anew."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    for path in (ROOT / "docs").iterdir():
        if path.suffix == ".md":
            write(path.name, path.read_text(encoding="utf-8"), path.parent)
        else:
            copy = shutil.copytree if path.is_dir() else shutil.copy2
            copy(path, STAGE / path.name)
    for name, text in readme_pages((ROOT / "README.md").read_text(encoding="utf-8")).items():
        write(name, text, ROOT)
    write("commands.md", commands(), ROOT / "docs")


def write(name: str, text: str, folder: Path) -> None:
    """Write one page whose links are meant from `folder`. Two pages of one name are refused."""
    if (STAGE / name).exists():
        sys.exit(f"docs/{name} has the name of a page that is made here. Rename it, or change tools/stage_docs.py.")
    (STAGE / name).write_text(LINK.sub(lambda found: led(found[1], found[2] or "", folder), text), encoding="utf-8")


def led(target: str, anchor: str, folder: Path) -> str:
    """Return a link as it must stand in the site: `docs/cost.md` -> `cost.md`, `../LICENSE` -> the repository's file."""
    if not target:  # a heading: of the same page in docs/, of the whole README in a part of it
        return anchor if folder != ROOT else f"{REPOSITORY}/README.md{anchor}"
    path = (folder / target).resolve()
    if not path.exists():
        sys.exit(f"A link leads to {target}, which is not in {folder}.")
    if path.is_relative_to(ROOT / "docs"):
        return path.relative_to(ROOT / "docs").as_posix() + anchor
    return f"{REPOSITORY}/{path.relative_to(ROOT).as_posix()}{anchor}"


def readme_pages(text: str) -> dict[str, str]:
    """Cut the README at its headings: page -> text, with the first heading as the title of the page."""
    start, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    pages = {}
    for name, headings in FROM_README.items():
        first, *rest = headings
        title = start.rstrip() + "\n\n## Overview\n" if name == "index.md" else f"# {first}\n"
        pages[name] = title + said[first] + "".join(f"## {heading}\n{said[heading]}" for heading in rest)
    return pages


def commands() -> str:
    """Return the page of all commands: what `stockpipe COMMAND --help` says, 100 signs wide."""
    parts = ["# Commands\n\nWhat `stockpipe COMMAND --help` says. What each is for: the other pages.\n"]
    with click.Context(stockpipe, info_name="stockpipe") as context:
        for name in stockpipe.list_commands(context):
            if command := stockpipe.get_command(context, name):
                parts += helps(command, f"stockpipe {name}")
    return "\n".join(parts)


def helps(command: click.Command, words: str) -> list[str]:
    """Return the help of a command, then that of the commands below it."""
    context = click.Context(command, info_name=words, terminal_width=100, max_content_width=100)
    own = f"## {words}\n\n```text\n{command.get_help(context)}\n```\n"
    below = command.commands if isinstance(command, click.Group) else {}
    return [own, *(part for name, each in below.items() for part in helps(each, f"{words} {name}"))]


if __name__ == "__main__":
    main()
