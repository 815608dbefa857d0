"""File names as a user writes them."""

from __future__ import annotations

from pathlib import Path

from stockpipe.errors import ConfigError


def at_home(text: str, setting: str) -> Path:
    """A path with `~` spelled out; ConfigError names the setting where this user, or the one it names, has no home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{setting} is {text}, and there is no home folder for it: HOME is not set, or there is no such user.",
            hint=f"Write the whole path in {setting}, or set HOME.",
        ) from None
