"""What the pages of the documentation show, and how it is compared with what is really printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(sys.executable).with_name("stockpipe")


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of one kind, such as `console`, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def under(name: str, heading: str) -> str:
    """What stands under a heading of a page, up to the next one of the same level."""
    return page(name).partition(f"\n{heading}\n")[2].partition(f"\n{heading.split(maxsplit=1)[0]} ")[0]


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a block of the kind `console`, and the output that is shown for it."""
    found = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(found[::2], found[1::2], strict=True))


def shell(script: str, path: str = os.defpath, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a user's shell does; what stderr gets comes in the order in which it was written."""
    names = {name: text for name, text in os.environ.items() if name not in ("UV", "VIRTUAL_ENV")}
    return subprocess.run(
        ["bash", "-c", script], env=names | {"PATH": path} | env, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
    )  # fmt: skip


def shape(text: str) -> list[str]:
    """Output without what differs from day to day: numbers, times, the name of a run, and how wide a column is."""
    without = re.sub(r"\d{8}T\d{9}Z-[0-9a-f]{8}", "RUN", text)
    without = re.sub(r"\b[0-9a-f]{32}\b", "ID", without)
    without = re.sub(r"[+-]?\d[\d,.-]*(e-\d+)?", "N", without)
    return [re.sub(r"-{2,}", "--", re.sub(r" +", " ", line)).strip() for line in without.splitlines() if line.strip()]


def is_shown(printed: str, shown: str) -> bool:
    """Whether a page shows what is printed. A line of three dots stands for some lines, three dots in a line for a text."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n"
        for line in shape(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in shape(printed))) is not None
