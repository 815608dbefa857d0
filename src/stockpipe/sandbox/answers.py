"""Which answer belongs to which path. A new dataset's answer is one line here."""

from __future__ import annotations

import re
from collections.abc import Callable

from stockpipe.sandbox.actions import dividends, splits
from stockpipe.sandbox.asked import Asked, Reply
from stockpipe.sandbox.bars import GROUPED, grouped_daily

Respond = Callable[[Asked], Reply]

_ANSWERS: dict[str, Respond] = {
    rf"{GROUPED}[^/]+": grouped_daily,
    "/stocks/v1/splits": splits,
    "/stocks/v1/dividends": dividends,
}


def answer_of(path: str) -> Respond | None:
    """What answers a path; None where nothing does."""
    return next((respond for pattern, respond in _ANSWERS.items() if re.fullmatch(pattern, path)), None)
