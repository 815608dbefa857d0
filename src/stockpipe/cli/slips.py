"""Which command or option a mistyped word was meant for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Of difflib's ratio. An option that is not a slip of the hand away is not proposed: it could be --force.
_A_SLIP, _NEAREST = 0.76, 0.6


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean '--market'?` to stand behind an error's first sentence; nothing where no name is near the word."""
    option = word.startswith("--")
    bare = {name.lstrip("-"): name for name in names if name.startswith("--") == option}
    meant = [repr(bare[name]) for name in _near(word.lstrip("-"), list(bare), _A_SLIP if option else _NEAREST)]
    return f" Did you mean {' or '.join(meant)}?" if meant else ""


def _near(word: str, names: list[str], cutoff: float) -> list[str]:
    """The names that a word was meant for: most like it, or with its letters in another order, or with further words behind it."""
    alike = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    swapped = [name for name in names if sorted(name) == sorted(word)]
    return alike or swapped or [name for name in names if name.startswith(f"{word}-")]
