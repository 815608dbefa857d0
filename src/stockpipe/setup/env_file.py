"""The settings file, private from its first byte."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from stockpipe.errors import ConfigError

_HEAD = "# Settings of stockpipe. It holds secrets: never commit it; `chmod 600` keeps it to yourself.\n"
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]+")


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Write settings by name, readable by this user only. ConfigError when the file is there, or cannot be written."""
    lines = "".join(f"{name}={_quoted(text)}\n" for name, text in values.items())
    write_private(path, (_HEAD + lines).encode(), "Edit it, or write another one with --env-file.")


def write_private(path: Path, content: bytes, otherwise: str) -> None:
    """Write a new file with mode 600; ConfigError, with `otherwise` as advice, when it is there already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} exists already, and was not changed.", hint=otherwise) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", hint="Choose another folder.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
