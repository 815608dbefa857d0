"""What an administrator may have set: parameters of a fresh account, and the state of a warehouse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

SERVICE_DEFAULTS: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "DATE_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ROWS_PER_RESULTSET": 0,
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "America/Los_Angeles",
}
"""What a fresh account has, of the parameters that the stand-in knows."""


@dataclass
class Warehouse:
    """Times are the service's seconds."""

    suspended: bool = False
    auto_resume: bool = True
    monitor: str = ""  # the resource monitor whose quota is used up
    queue: float = 0.0  # how long a statement waits before it
    slow: float = 0.0  # how long it then works on one

    def alter(self, rest: str) -> None:
        """ALTER WAREHOUSE ... SUSPEND, RESUME, SET AUTO_RESUME = ..."""
        if found := re.search(r"\b(SUSPEND|RESUME)\b", rest, re.IGNORECASE):
            self.suspended = found[1].upper() == "SUSPEND"
        if found := re.search(r"AUTO_RESUME\s*=\s*(TRUE|FALSE)", rest, re.IGNORECASE):
            self.auto_resume = found[1].upper() == "TRUE"
