"""What a check says, and how far a day may differ from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stockpipe.base.text import printable
from stockpipe.settings import Settings

Severity = Literal["warn", "refuse"]


@dataclass(frozen=True)
class Finding:
    """One doubt about a part: which check has it, how grave it is, the sentence for the user, and what to do, where
    that is not the usual."""

    check: str
    severity: Severity
    text: str
    way_out: str = ""


@dataclass(frozen=True)
class Limits:
    """How far a day may differ from the last one, as shares: a loss of 0.05 is 5 %.

    They are for up to a month between the two days; a longer gap allows as much again for each further month.
    """

    loss: float = 0.05
    growth: float = 0.20

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As set; ConfigError for a value that cannot be used."""
        loss = settings.number("STOCKPIPE_MAX_LOSS", most=100) / 100
        return cls(loss, settings.number("STOCKPIPE_MAX_GROWTH") / 100)


def some(names: Sequence[str], most: int = 8, *, more: int = 0) -> str:
    """The first names of a list, and how many more there are; `more` are those that it leaves out itself."""
    shown, rest = ", ".join(printable(name) for name in names[:most]), max(0, len(names) - most) + more
    return f"{shown} and {rest:,} more" if rest else shown
