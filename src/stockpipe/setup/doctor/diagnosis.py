"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stockpipe.errors import StockpipeError

Level = Literal["OK", "WARN", "FAIL", "SKIP"]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at, what it is like, and what to do about it.

    `exit_code` is the one with which a run would end because of it; 0 unless it is a failure.
    """

    level: Level
    name: str
    text: str
    remedy: str = ""
    exit_code: int = 0


def failed(name: str, error: StockpipeError) -> Diagnosis:
    """The finding for an error that a run would end with."""
    return Diagnosis("FAIL", name, error.message, error.hint, error.exit_code)
