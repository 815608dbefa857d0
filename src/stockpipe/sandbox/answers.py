"""Which answer belongs to which path. A new dataset's answer is one line here."""

from __future__ import annotations

import re
from collections.abc import Callable

from stockpipe.sandbox.actions import dividends, splits
from stockpipe.sandbox.asked import Asked, Reply
from stockpipe.sandbox.bars import GROUPED, grouped_daily
from stockpipe.sandbox.holidays import upcoming
from stockpipe.sandbox.ipos import ipos
from stockpipe.sandbox.live import snapshot
from stockpipe.sandbox.shorts import free_float, short_interest, short_volume

Respond = Callable[[Asked], Reply]

_ANSWERS: dict[str, Respond] = {
    rf"{GROUPED}[^/]+": grouped_daily,
    "/stocks/v1/splits": splits,
    "/stocks/v1/dividends": dividends,
    "/stocks/v1/short-interest": short_interest,
    "/stocks/v1/short-volume": short_volume,
    "/stocks/vX/float": free_float,
    "/vX/reference/ipos": ipos,
    "/v1/marketstatus/upcoming": upcoming,
    "/v2/snapshot/locale/us/markets/stocks/tickers": snapshot,
}


def answer_of(path: str) -> Respond | None:
    """What answers a path; None where nothing does."""
    return next((respond for pattern, respond in _ANSWERS.items() if re.fullmatch(pattern, path)), None)
