"""Lists of the newer endpoints (/stocks/v1): filters, one `sort` of several columns, pages, cursors that are binary.

Observed in recorded answers of 2026: no `count`, and a cursor in base64url with its `=` signs, whose bytes are no text.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from stockpipe.sandbox.asked import Asked, Reply, read_limit
from stockpipe.sandbox.cursor import BadCursor
from stockpipe.sandbox.refusals import Refused

Row = dict[str, object]
_MAGIC = b"\x01\x07\x0f\xfb"
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
    "any_of": lambda value, bound: value in bound.split(","),
}


@dataclass(frozen=True)
class Listing:
    """How one list is asked for: its fields that filter and sort, the usual order, the usual and the largest page."""

    fields: tuple[str, ...]
    sort: str
    limit: int
    most: int

    def answer(self, asked: Asked, rows: Callable[[int], Sequence[Row]], finish: Callable[[Row, int], Row]) -> Reply:
        """A page. `rows` gives the list as of an ordinal, `finish` a row as it is sent."""
        params, place, day = dict(asked.params), 0, asked.today.toordinal()
        if "cursor" in params:
            params, place, day = _decode(params["cursor"])
            asked = replace(asked, params=params)
        limit = read_limit(params, self.limit, self.most)
        found = self._sorted(self._filtered(rows(day), params), params)
        page = [finish(row, day) for row in found[place : place + limit]]
        body: dict[str, object] = {"status": "OK", "request_id": secrets.token_hex(16), "results": page}
        if place + limit < len(found):
            token = _encode(params, place + limit, day)
            body["next_url"] = f"{asked.base_url}{asked.path}?cursor={token}"
        return Reply(msgspec.json.encode(body), len(page))

    def _filtered(self, rows: Sequence[Row], params: Mapping[str, str]) -> Sequence[Row]:
        for name, bound in params.items():
            field, _, how = name.partition(".")
            if field in self.fields and (not how or how in _TESTS):
                test = _TESTS[how] if how else str.__eq__
                rows = [row for row in rows if test(str(row.get(field, "")), bound)]
        return rows

    def _sorted(self, rows: Sequence[Row], params: Mapping[str, str]) -> Sequence[Row]:
        """Sorted by the last column first; a list that is in order already costs little."""
        for part in reversed(params.get("sort", self.sort).split(",")):
            field, _, order = part.partition(".")
            if field not in self.fields or order not in ("", "asc", "desc"):
                raise Refused(400, "ERROR", error=f"'{part}' is not a valid sort")
            rows = sorted(rows, key=lambda row, field=field: _order(row.get(field)), reverse=order == "desc")  # type: ignore[misc]
        return rows


def _order(value: object) -> tuple[int, float, str]:
    return (1, float(value), "") if isinstance(value, int | float) else (0, 0.0, str(value or ""))


def _encode(params: Mapping[str, str], place: int, day: int) -> str:
    body = zlib.compress(json.dumps([dict(params), place, day]).encode())
    # Of a length that leaves the token its `=` signs.
    return base64.urlsafe_b64encode(_MAGIC + body + b"\xff" * ((1 - len(_MAGIC + body)) % 3)).decode()


def _decode(token: str) -> tuple[dict[str, str], int, int]:
    try:
        packed = base64.b64decode(token, altchars=b"-_", validate=True)
        if not packed.startswith(_MAGIC):
            raise ValueError("no cursor")
        params, place, day = json.loads(zlib.decompressobj().decompress(packed[len(_MAGIC) :]))
    except (binascii.Error, TypeError, ValueError, zlib.error):
        raise BadCursor("Failed to parse query parameters from URL: invalid cursor") from None
    return params, place, day
