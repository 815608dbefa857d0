"""The picture of the report in the docs, and what a browser says of the page: `make picture`.

    python tools/report_picture.py [--axe axe.min.js] [--out docs/report.png] [--keep FOLDER]

Thirty days of the synthetic market are loaded and a report of the newest one is written. Chromium (headless, no network)
then shows it 1280 and 390 pixels wide, light and dark: each is photographed, what the console says is an error, and with
--axe (the file of the npm package axe-core, `npm pack axe-core`) so is each serious or critical finding of its rules. The light
wide one becomes the picture, at seven tenths of its size. A failed look ends with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape, unescape
from pathlib import Path

import stockpipe
from stockpipe.sandbox import SANDBOX_KEY, Sandbox

ROOT = Path(__file__).resolve().parent.parent
DAYS = "30d"
WIDE, NARROW = 1280, 390
HEIGHT = 1735
_MOST_BYTES = 150_000
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_AXE = """<script>{axe}</script><script>axe.run().then(found => {{
const told = JSON.stringify(found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html).slice(0, 3)]));
const out = document.createElement("pre"); out.id = "told"; out.textContent = told; parent.document.body.append(out); }})</script>"""


def main() -> None:
    """Make the page, look at it in four ways, and keep the picture."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "report.png")
    parser.add_argument("--keep", type=Path, help="keep page and pictures in this folder")
    options = parser.parse_args()
    axe = options.axe.read_text(encoding="utf-8") if options.axe else ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        page = report(folder)
        found = [
            one for width in (WIDE, NARROW) for dark in (False, True) for one in looked_at(page, width, axe, dark=dark)
        ]
        if found:
            sys.exit("\n".join(found))
        shutil.copyfile(folder / f"{WIDE}-light.png", options.out)
    size = options.out.stat().st_size
    if size > _MOST_BYTES:
        sys.exit(f"{options.out} has {size:,} bytes, more than {_MOST_BYTES:,}.")
    print(f"{options.out}: {size:,} bytes; {'nothing serious found by axe' if axe else 'without axe'}")


def report(folder: Path) -> Path:
    """The page of the newest day."""
    file, page = folder / "days.duckdb", folder / "day.html"
    file.unlink(missing_ok=True)
    with Sandbox() as sandbox:
        settings = {"MASSIVE_BASE_URL": sandbox.url, "MASSIVE_API_KEY": SANDBOX_KEY, "MASSIVE_PLAN": "paid"}
        settings |= {"STOCKPIPE_WAREHOUSE": "duckdb", "STOCKPIPE_DUCKDB_PATH": str(file)}
        stockpipe.backfill(last=DAYS, settings=settings)
        stockpipe.backfill("daily_bars", last="7d", settings=settings)
        for dataset in ("splits", "dividends"):
            stockpipe.load(dataset, settings=settings)
    command = [sys.executable, "-m", "stockpipe", "report", "--duckdb-path", str(file), "--out", str(page), "-q"]
    subprocess.run(command, check=True)
    return page


def looked_at(page: Path, width: int, axe: str, *, dark: bool) -> list[str]:
    """Photograph the page; what is wrong with it. A window has at least 500 pixels, so it stands in a frame of its width."""
    name = f"{width}-{'dark' if dark else 'light'}"
    html = page.read_text(encoding="utf-8")
    scale = "--force-device-scale-factor=0.7" if width == WIDE else "--force-device-scale-factor=1"
    size = f"--window-size={max(width, 500)},{HEIGHT}"
    mode = ["--force-dark-mode"] if dark else []
    framed = page.with_name(f"{name}.html")
    framed.write_text(frame(html, width), encoding="utf-8")
    told = browser(size, scale, *mode, f"--screenshot={page.with_name(name)}.png", framed.as_uri())[1]
    found = [f"{name}: {line}" for line in told.splitlines() if ":CONSOLE" in line]
    if axe:
        framed.write_text(frame(_POLICY.sub("", html) + _AXE.format(axe=axe), width), encoding="utf-8")
        dump = browser(size, *mode, "--virtual-time-budget=20000", "--dump-dom", framed.as_uri())[0]
        answer = re.search(r'<pre id="told">(.*?)</pre>', dump, re.DOTALL)
        if answer is None:
            return [*found, f"{name}: axe gave no answer."]
        violations = json.loads(unescape(answer[1]))
        found += [f"{name}: {one}" for one in violations if one[0] in ("serious", "critical")]
    return found


def frame(html: str, width: int) -> str:
    """A document that shows another one at a width."""
    style = f"width:{width}px;height:{HEIGHT}px;border:0"
    return f'<!doctype html><body style="margin:0"><iframe title="report" style="{style}" srcdoc="{escape(html)}"></iframe>'


def browser(*arguments: str) -> tuple[str, str]:
    """What Chromium writes to both streams; SystemExit where there is none."""
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None:
        sys.exit(f"There is no browser: {', '.join(_CHROMIUM)} are not on the PATH. Debian: apt-get install chromium.")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr")
    done = subprocess.run([found, *quiet, *arguments], check=True, capture_output=True, text=True, timeout=120)
    return done.stdout, done.stderr


if __name__ == "__main__":
    main()
