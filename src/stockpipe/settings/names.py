"""Names that were meant for a setting, and are none: a misspelt one would otherwise change nothing, without a word."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from stockpipe.base.text import printable
from stockpipe.settings.declared import SETTINGS

KNOWN = frozenset(name for setting in SETTINGS.values() for name in (setting.name, *setting.aliases))

# Whatever begins like this is ours; SNOWFLAKE_ is shared with other tools, POLYGON_ with other programs.
OURS = ("STOCKPIPE_", "MASSIVE_")
_SHARED = ("SNOWFLAKE_", "POLYGON_", "RATE_LIMIT_")
_OF_OTHERS = ("SNOWFLAKE_CONNECTIONS_", "SNOWFLAKE_CLI_")
# Of difflib's ratio, of what follows the prefix: a slip of the hand or two, and something of the same sound.
_A_SLIP, _NEAREST = 0.8, 0.6


def misspelt(names: Collection[str], place: str, *, in_file: bool) -> Iterator[str]:
    """A warning for each name that is no setting, and was meant to be one.

    In a settings file (`in_file`) that is all with our prefixes, and those of Snowflake where the file is ours: it has one
    of our names. Elsewhere, only what is a slip away from a setting.

    STOCKPIPE_MAXLOSS: "STOCKPIPE_MAXLOSS (in .env) is not a setting. Did you mean STOCKPIPE_MAX_LOSS?"
    """
    own_file = any(name in KNOWN and not name.startswith("SNOWFLAKE_") for name in names)
    certain = () if not in_file else (*OURS, "SNOWFLAKE_") if own_file else OURS
    for name, nearest in misspelt_names(names, certain=certain):
        meant = f" Did you mean {nearest}?" if nearest else ""
        yield f"{printable(name)[:80]} (in {place}) is not a setting, and changes nothing.{meant}"


def misspelt_names(names: Iterable[str], *, certain: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Each name that is no setting and was meant to be one, with the setting that was meant, where one is near.

    What begins with one of `certain` was meant for us; of the rest only what is a slip away from a setting.
    """
    for name in sorted(set(names) - KNOWN):
        text = name.upper()
        if not text.startswith((*OURS, *_SHARED)) or text.startswith(_OF_OTHERS):
            continue
        nearest = _nearest(text, certain=text.startswith(certain))
        if nearest or text.startswith(certain):
            yield name, nearest


def _nearest(name: str, *, certain: bool) -> str | None:
    """The setting that was meant: the most like it with the same prefix; where it is `certain` that one was, also one
    whose name has the same words and more (MASSIVE_URL), or another prefix only (STOCKPIPE_TABLE)."""
    import difflib  # few files have such a name

    prefix, _, rest = name.partition("_")
    same = {known.partition("_")[2]: known for known in sorted(KNOWN) if known.startswith(f"{prefix}_")}
    close = difflib.get_close_matches(rest, same, n=1, cutoff=_NEAREST if certain else _A_SLIP)
    words = set(rest.split("_"))
    longer = [tail for tail in same if words <= set(tail.split("_"))]
    if close or (certain and longer):
        return same[(close or longer)[0]]
    others = [known for known in sorted(KNOWN) if known.partition("_")[2] == rest]
    return others[0] if certain and others else None


def set_names(texts: Mapping[str, str | None]) -> list[str]:
    """The names that have a value."""
    return [name for name, text in texts.items() if text]
