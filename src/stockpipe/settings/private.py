"""Files with secrets that other users of this machine can read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from stockpipe.settings.declared import SETTINGS
from stockpipe.settings.paths import is_secret
from stockpipe.settings.values import Value

_KEY, _TOKEN = "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_TOKEN_FILE_PATH"
# As PEM writes it in the first lines, and the same in base64.
_ENCRYPTED = (b"ENCRYPTED", b"LS0tLS1CRUdJTiBFTkNSWVBURUQ")
_ENOUGH = 4096


def settings_file_open_to_others(path: Path, texts: Mapping[str, str | None]) -> str | None:
    """A warning when a file of settings holds secrets and others can read it."""
    secret = any(
        texts.get(name) for setting in SETTINGS.values() if setting.secret for name in (setting.name, *setting.aliases)
    )
    return _warning(path, "secrets") if secret and _is_open(path) else None


def named_files_open_to_others(values: Mapping[str, Value]) -> Iterator[str]:
    """A warning for a private key without a passphrase, and for a token, in a file that others can read."""
    for name, what in ((_KEY, "a private key without a passphrase"), (_TOKEN, "a token")):
        value = values.get(name)
        path = _path(value.text) if value else None
        if path and _is_open(path) and not (name == _KEY and _is_encrypted(path)):
            yield _warning(path, what)


def _warning(path: Path, what: str) -> str:
    return (
        f"{path} holds {what} and can be read by other users of this machine. Fix: chmod 600 {shlex.quote(str(path))}"
    )


def _path(text: str) -> Path | None:
    """A text as a path; what cannot be one is refused where it is used."""
    try:
        return None if is_secret(text) else Path(text).expanduser()
    except RuntimeError:
        return None


def _is_open(path: Path) -> bool:
    """Whether others may read a file; Windows has no such bits."""
    try:
        return os.name == "posix" and path.is_file() and bool(path.stat().st_mode & 0o044)
    except OSError:
        return False


def _is_encrypted(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_ENOUGH)
    except OSError:
        return True  # who cannot read it cannot judge it
    return any(sign in head for sign in _ENCRYPTED)
