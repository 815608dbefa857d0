"""Load every day, in the foreground: `python scheduler.py`. It is `stockpipe schedule` with the time below."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    from stockpipe.__main__ import main
except ImportError:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    from stockpipe.__main__ import main

# Edit this line. The time of day in New York; the vendor's nightly list is made at about 02:05 there.
EVERY_DAY_AT = "04:30"

if __name__ == "__main__":
    # As a default, so that --at and --cron still go before it.
    main(["schedule", *sys.argv[1:]], default_map={"schedule": {"at": EVERY_DAY_AT}}, obj="alone")
