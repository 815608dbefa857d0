"""Requests that the API answers with an error body."""

from __future__ import annotations

import secrets

TOO_MANY = (
    "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. "
    "https://massive.com/pricing"
)
NO_TIMEFRAME = "Your plan doesn't include this data timeframe. Please upgrade your plan at https://massive.com/pricing"
NOT_OVER = (
    "Attempted to request today's data before end of day. Please upgrade your plan at https://massive.com/pricing"
)


class Refused(Exception):
    """A request that is answered with an error body: its HTTP status, the word for `status`, and the text."""

    def __init__(self, status: int, kind: str, **text: str) -> None:
        self.status, self.body = status, {"status": kind, "request_id": secrets.token_hex(16), **text}
