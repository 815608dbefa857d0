"""Load today's tickers: `python script.py` does what `stockpipe run` does, with the same options.

Kept from stockpipe 1, together with `fetch_and_ingest_tickers_to_snowflake()` for those who import it.
"""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import stockpipe
except ImportError:  # not installed: `pip install -r requirements.txt && python script.py` works from the checkout
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    import stockpipe


def fetch_and_ingest_tickers_to_snowflake() -> tuple[int, str]:
    """Load today's active stocks into the warehouse of the settings; returns the rows and the table's name.

    Raises the errors of `stockpipe.errors`. Version 1 printed them and returned (None, None), so that every scheduler
    took a failure for a success.
    """
    result = stockpipe.load()
    return result.rows, result.table


if __name__ == "__main__":
    from stockpipe.__main__ import main

    main(["run", *sys.argv[1:]], obj="alone")
