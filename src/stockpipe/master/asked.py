"""What is set about the security master: whether a load builds it, and what a build may change."""

from __future__ import annotations

from stockpipe.settings import Settings


def is_asked_for(settings: Settings) -> bool:
    """Whether a load of the listed stocks builds it (STOCKPIPE_MASTER). ConfigError for a word that is neither true nor false."""
    return settings.choice("STOCKPIPE_MASTER", "true", "false") == "true"


def most_changed(settings: Settings) -> float:
    """The largest share of securities whose id a build may change, in per cent. ConfigError for what is none."""
    return settings.number("STOCKPIPE_MASTER_MAX_CHANGED", most=100)


def check_settings(settings: Settings) -> None:
    """Raise ConfigError for a setting of the build that cannot be used; a load does so before it calls anything.

    What the file of overrides says is not looked at: a slip in it keeps a build back, and no day.
    """
    is_asked_for(settings)
    most_changed(settings)
    settings.path("STOCKPIPE_MASTER_OVERRIDES")
