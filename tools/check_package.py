"""Build the wheel and the sdist, look into both, and try the wheel in an empty environment: `make test-package`.

Leaves both files in `dist/`, where the release takes them from. Runs in `tools/.venv-package`, whose versions are pinned:
the wheel is built with that environment's hatchling and without the network. It needs an index once, to install what the
wheel asks for, as a user would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email import message_from_string
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
CODE = {
    path.relative_to(ROOT / "src").as_posix()
    for path in (ROOT / "src/stockpipe").rglob("*")
    if path.is_file() and path.parent.name != "__pycache__"
} | {"stockpipe/py.typed"}
SDIST_MAY_HOLD = {"src", "docs", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "script.py", "scheduler.py",
                  "PKG-INFO", ".gitignore"}  # fmt: skip


def main() -> None:
    """Run every step; the first one that fails ends the program with its reason."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT))
    wheel, sdist = only("*.whl"), only("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
    check_wheel(wheel)
    check_sdist(sdist)
    try_wheel(wheel)
    print(f"{wheel.name} and {sdist.name} are good")


def run(*words: str, folder: Path = ROOT) -> str:
    """Run a program in a folder and return its stdout; what it says is shown when it fails.

    Python's own variables do not reach it: a PYTHONPATH would make the checkout look like an installed package.
    """
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "STOCKPIPE_"))}
    done = subprocess.run(words, check=False, cwd=folder, env=clean, capture_output=True, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def only(pattern: str) -> Path:
    """Return the one file of `dist/` that has this form."""
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        sys.exit(f"dist/ has {len(found)} files {pattern}. One is expected.")
    return found[0]


def check_wheel(path: Path) -> None:
    """The wheel has every file of `src/`, the marker of types among them, and nothing else."""
    with zipfile.ZipFile(path) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
        meta = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        check_metadata(file.read(meta).decode())
    expect("The wheel lacks", CODE - names)
    expect("The wheel should not have", names - CODE)


def check_metadata(text: str) -> None:
    """The metadata names the license and the project's pages, and no link of the README is relative."""
    meta = message_from_string(text)
    urls = {line.split(", ")[0] for line in meta.get_all("Project-URL", [])}
    expect("The metadata lacks the URL", {"Homepage", "Documentation", "Changelog", "Issues"} - urls)
    expect("The metadata lacks", {name for name in ("License-Expression", "Requires-Python") if not meta[name]})
    readme = str(meta.get_payload())
    links = {part.split(")")[0] for part in readme.split("](")[1:]}
    expect(
        "The README on an index has a relative link", {link for link in links if "://" not in link and link[:1] != "#"}
    )


def check_sdist(path: Path) -> None:
    """The sdist has what is built and read, and nothing of the tests."""
    with tarfile.open(path) as file:
        names = {name.split("/", 1)[1] for name in file.getnames() if "/" in name}
    expect("The sdist should not have", {name.split("/")[0] for name in names} - SDIST_MAY_HOLD)
    expect("The sdist lacks", {f"src/{name}" for name in CODE} - names)


def expect(what: str, faults: set[str]) -> None:
    """End the program with what is wrong, unless nothing is."""
    if faults:
        sys.exit(f"{what}: {', '.join(sorted(faults))}")


def try_wheel(wheel: Path) -> None:
    """Install the wheel with what it asks for into an empty environment; ask its version, and load the demo's day."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        venv.create(folder / "env", with_pip=True)
        programs = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        run(str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel), folder=folder)
        said = run(str(programs / "stockpipe"), "--version", folder=folder)
        if wheel.name.split("-")[1] not in said:
            sys.exit(f"stockpipe --version of {wheel.name} says {said!r}")
        run(str(programs / "stockpipe"), "demo", folder=folder)


if __name__ == "__main__":
    main()
