"""What is remembered between runs, in a small file beside the data: it makes runs quicker and is never needed.

It holds the plan that a key was seen to have and how far back it reaches, under a salted digest of the key, where the
ranges of the next walk begin, and how many rows the last published day had in each of them. A missing, broken or unwritable file costs some time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from stockpipe.base.files import read_plain, replace_file
from stockpipe.settings import KeyPlan

log = logging.getLogger(__name__)

# A paid key shows itself anew in every run; a free one that was upgraded would stay slow for ever.
FREE_FOR = timedelta(days=7)
# A plan that was changed is asked again after this.
REACH_FOR = timedelta(days=7)
# Between days further apart a list may have become another one.
COUNTS_FOR = timedelta(days=30)
# Seconds: the free plan counts the calls of a minute.
CALLS_FOR = 61.0
MOST_STARTS = 5000
# A range holds about a page of a thousand rows. What is many times that was not counted by us.
MOST_ROWS = 100_000
MOST_BYTES = 10_000_000


@dataclass
class Memory:
    """The remembered facts. Build it with `recall`; `keep` writes them back."""

    path: Path
    _facts: dict[str, Any] = field(default_factory=dict)

    def plan(self, key: str, today: date) -> KeyPlan:
        """The plan that a key was last seen to have, `auto` when that is not known or too long ago."""
        seen: Any = self._part("plans").get(self._digest(key))
        try:
            plan, since = seen["plan"], date.fromisoformat(seen["seen"])
        except (TypeError, KeyError, ValueError):
            return "auto"
        known = plan == "paid" or (plan == "free" and today - since < FREE_FOR)
        return cast(KeyPlan, plan) if known else "auto"

    def learn_plan(self, key: str, plan: KeyPlan, today: date) -> None:
        """Note the plan of a key; `auto` forgets it. With another plan than before, its reach is forgotten."""
        plans, digest = self._part("plans"), self._digest(key)
        before = plans.pop(digest, None)
        if plan != "auto" and isinstance(before, dict) and before.get("plan") != plan:
            self._part("reach").pop(digest, None)
        if plan != "auto":
            plans[digest] = {"plan": plan, "seen": today.isoformat()}

    def refused_until(self, key: str, dataset: str | None, today: date) -> date | None:
        """The newest day of a dataset, or of any, that the plan of a key does not reach; None when not known or too long ago.

        A plan's history moves on by a day each day.
        """
        known: Any = self._part("reach").get(self._digest(key))
        names = [dataset] if dataset else list(known if isinstance(known, dict) else ())
        return max(filter(None, (_moved_on(known, name, today) for name in names)), default=None)

    def learn_reach(self, key: str, dataset: str, refused: date, today: date) -> None:
        """Note the newest day of a dataset that the API refused as out of the plan's reach."""
        reach, digest = self._part("reach"), self._digest(key)
        if not isinstance(reach.get(digest), dict):
            reach[digest] = {}
        reach[digest][dataset] = {"refused": refused.isoformat(), "seen": today.isoformat()}

    def was_answered(self, key: str, dataset: str, day: date, today: date) -> None:
        """Forget a reach that does not hold any more: an earlier day was answered, so the plan is another one."""
        until = self.refused_until(key, dataset, today)
        if until and day <= until:
            self._part("reach").pop(self._digest(key), None)

    def calls(self, key: str, now: datetime) -> list[float]:
        """How many seconds before `now` the last calls of a key on the free plan began, the oldest first.

        The API counts them whichever process made them.
        """
        known: Any = self._part("calls").get(self._digest(key))
        times = [at for at in known if type(at) in (int, float)] if isinstance(known, list) else []
        return sorted((age for at in times if 0 <= (age := now.timestamp() - at) < CALLS_FOR), reverse=True)

    def learn_calls(self, key: str, ages: Sequence[float], now: datetime) -> None:
        """Note when the last calls of a key began; those of other keys are long over."""
        self._part("calls").clear()
        self._part("calls")[self._digest(key)] = [round(now.timestamp() - age, 3) for age in ages]

    def starts(self, query: str, pattern: str) -> tuple[str, ...]:
        """Where the ranges of a query's list begin, in rising order; none when not known or not usable.

        `pattern` is the form that a start must have.
        """
        starts = self._part("ranges").get(query)
        if not isinstance(starts, list) or len(starts) > MOST_STARTS:
            return ()
        plain = all(isinstance(start, str) and re.fullmatch(pattern, start) for start in starts)
        return tuple(starts) if plain and sorted(set(starts)) == starts else ()

    def counts(self, query: str, starts: Sequence[str], day: date) -> tuple[int, ...]:
        """How many rows the last published day had before the first start, and from each start on to the next one.

        None when not known for exactly these starts, not usable, or of a day more than 30 days from `day`.
        """
        known: Any = self._part("counts").get(query)
        try:
            rows, of = known["rows"], date.fromisoformat(known["day"])
            counts = tuple(rows[start] for start in ("", *starts))
        except (TypeError, KeyError, ValueError):
            return ()
        plain = all(type(count) is int and 0 <= count <= MOST_ROWS for count in counts)
        return counts if plain and len(rows) == len(counts) and abs(day - of) <= COUNTS_FOR else ()

    def learn_starts(
        self, query: str, starts: Sequence[str], counts: Sequence[int] = (), day: date | None = None
    ) -> None:
        """Note where the ranges of a query's next walk shall begin, and the rows that they had on a day."""
        self._part("ranges")[query] = list(starts)
        self._part("counts").pop(query, None)
        if counts and day:
            rows = dict(zip(("", *starts), counts, strict=True))
            self._part("counts")[query] = {"day": day.isoformat(), "rows": rows}

    def is_newer(self, query: str, day: date) -> bool:
        """Whether what is remembered of a query's list is of a later day."""
        known: Any = self._part("counts").get(query)
        try:
            return date.fromisoformat(known["day"]) > day
        except (TypeError, KeyError, ValueError):
            return False

    def keep(self) -> None:
        """Write the file anew, whole or not at all. A file that cannot be written is only logged at debug level."""
        try:
            with replace_file(self.path, 0o600) as made:
                made.write_text(json.dumps(self._facts, indent=1), encoding="utf-8")
        except (OSError, RecursionError) as error:
            log.debug("%s could not be written: %s", self.path, error)

    def _part(self, name: str) -> dict[str, Any]:
        part = self._facts.setdefault(name, {})
        if not isinstance(part, dict):
            part = self._facts[name] = {}
        return part

    def _digest(self, key: str) -> str:
        salt = self._facts.setdefault("salt", secrets.token_hex(8))
        return hashlib.blake2b(key.encode(), key=str(salt).encode(errors="replace")[:64], digest_size=8).hexdigest()


def _moved_on(known: Any, dataset: str, today: date) -> date | None:
    try:
        seen, day = (date.fromisoformat(known[dataset][name]) for name in ("seen", "refused"))
        age = today - seen
        return day + age if timedelta() <= age < REACH_FOR else None
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def recall(path: Path) -> Memory:
    """What the file holds, or an empty memory when it is missing or no JSON object."""
    try:
        facts = json.loads(read_plain(path, MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        facts = {}
    return Memory(path, facts if isinstance(facts, dict) else {})
