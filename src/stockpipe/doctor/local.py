"""What can be looked at without asking anybody: settings, the key's form, room on the disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stockpipe.doctor.finding import Finding, failed
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings

# A day of all markets takes some ten megabytes; what follows is room for DuckDB to work in.
_ENOUGH, _LEAST = 1_000_000_000, 100_000_000


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """Where settings were found, who can read them, and whether the key looks like one."""
    yield Finding("OK", "settings", f"looked in {', '.join(settings.looked_in[1:])}")
    for warning in settings.warnings:
        text, _, remedy = warning.partition(" Mend it: ")
        yield Finding("WARN", "settings", text, remedy)
    try:
        key, found = settings.api_key, settings.find("POLYGON_API_KEY")
    except ConfigError as error:
        yield failed("API key", error)
    else:
        yield Finding("OK", "API key", f"{len(key)} characters, from {found.origin if found else 'nowhere'}")


def examine_disk(settings: Settings) -> Iterator[Finding]:
    """Room for the staging, and for the DuckDB file where that is the warehouse."""
    folders = {"temporary files": Path(tempfile.gettempdir())}
    try:
        if settings.warehouse == "duckdb":
            folders["the DuckDB file"] = _existing(settings.duckdb_path.absolute().parent)
    except ConfigError:
        pass  # the warehouse's own finding says it
    for what, folder in folders.items():
        free = shutil.disk_usage(folder).free
        text = f"{free / 1e9:,.1f} GB free for {what}"
        if free < _LEAST:
            yield Finding("FAIL", "disk", text, "Make room; a run stages its rows there.", 1)
        else:
            yield Finding(
                "OK" if free >= _ENOUGH else "WARN", "disk", text, "" if free >= _ENOUGH else "Make room soon."
            )


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
