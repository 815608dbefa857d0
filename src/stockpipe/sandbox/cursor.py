"""The API's two kinds of cursor: both are a query string in base64url without padding (observed 2021 to 2025).

Without `date` the cursor is an OFFSET (`ap=11000`), neither pinned nor keyset: a walk that meets a new build is torn.
With `date` it is a KEYSET (`ap=AGM.A|<64 hex digits>`), pinned to that date.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

Row = Mapping[str, object]


class BadCursor(ValueError):
    """A token that is no cursor; the text is what the API would say."""


def encode(params: Mapping[str, str], rows: Sequence[Row], end: int) -> str:
    """The cursor behind the page that ends before row `end` of the query's rows."""
    place = _place(rows, end - 1) if "date" in params else str(end)
    text = urlencode(sorted({**params, "ap": place, "as": ""}.items()))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str) -> tuple[dict[str, str], str]:
    """The parameters in a cursor and its place (`ap`); BadCursor when it holds none."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    params = dict(parse_qsl(text, keep_blank_values=True))
    place = params.pop("ap", "")
    params.pop("as", None)
    if not place:
        raise BadCursor("Failed to parse query parameters from URL: invalid cursor")
    return params, place


def start(place: str, rows: Sequence[Row], *, keyset: bool) -> int:
    """The index of the first row behind a cursor's place; BadCursor when the place is not in the rows."""
    if not keyset:
        if not (place.isascii() and place.isdigit() and len(place) < 10):
            raise BadCursor(
                f'Failed to parse query parameters from URL: strconv.Atoi: parsing "{place}": invalid syntax'
            )
        return int(place)
    ticker, _, digest = place.rpartition("|")
    for index, row in enumerate(rows):
        if _ticker(row) == ticker and _place(rows, index) == f"{ticker}|{digest}":
            return index + 1
    raise BadCursor("Failed to parse query parameters from URL: unknown position")


def _place(rows: Sequence[Row], index: int) -> str:
    """A row's place: its ticker and digest. Equal rows are numbered, or a walk would never pass the second of them."""
    row = rows[index]
    number = sum(rows[before] == row for before in range(index))
    text = repr(sorted(row.items())) + (f"#{number}" if number else "")
    return f"{_ticker(row)}|{hashlib.sha256(text.encode()).hexdigest()}"


def _ticker(row: Row) -> str:
    return str(row.get("ticker", ""))
