"""What can be looked at without asking anybody: settings, the key's form, room on the disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from stockpipe.base.clock import Clock
from stockpipe.errors import ConfigError, UsageError, WarehouseError
from stockpipe.load.checks import Limits
from stockpipe.massive.open import Bounds, paced
from stockpipe.master.asked import check_settings as check_master
from stockpipe.observe.alerts import Alerts
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed

# A day of all markets takes some ten megabytes; what follows is room for DuckDB to work in.
_ENOUGH, _LEAST = 1_000_000_000, 100_000_000


def examine_settings(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """Where settings were found, who can read them, whether a run can use them, and whether the key looks like one."""
    yield Diagnosis("OK", "settings", f"looked in {', '.join(settings.looked_in[1:])}")
    for warning in settings.warnings:
        text, _, remedy = warning.partition(" Fix: ")
        yield Diagnosis("WARN", "settings", text, remedy)
    yield from _unusable(settings, clock)
    try:
        key, found = settings.api_key, settings.find("POLYGON_API_KEY")
    except ConfigError as error:
        yield failed("API key", error)
    else:
        yield Diagnosis("OK", "API key", f"{len(key)} characters, from {found.origin if found else 'nowhere'}")


def _unusable(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """What a run would refuse. The warehouse's settings are looked at with the warehouse."""
    proofs: tuple[Callable[[], object], ...] = (
        lambda: settings.base_url,
        lambda: paced(settings, clock),
        lambda: Bounds.of(settings),
        lambda: Limits.of(settings),
        lambda: settings.batch_size,
        lambda: settings.load_method,
        lambda: settings.lets_samples_in,
        lambda: check_master(settings),
        lambda: Alerts.from_settings(settings),
    )
    for prove in proofs:
        try:
            prove()
        except (ConfigError, UsageError) as error:
            yield failed("settings", error)


def examine_disk(settings: Settings) -> Iterator[Diagnosis]:
    """Room for the staging, and for the DuckDB file where that is the warehouse."""
    try:
        yield _room("temporary files", Path(tempfile.gettempdir()), ConfigError.exit_code)
    except OSError as error:
        yield Diagnosis("FAIL", "disk", f"there is no folder for temporary files: {error.strerror}", "Set TMPDIR to a folder with room.", ConfigError.exit_code)  # fmt: skip
    try:
        folder = settings.duckdb_path.absolute().parent if settings.warehouse == "duckdb" else None
    except (ConfigError, UsageError):
        folder = None  # the warehouse's own finding says it
    if folder and folder.is_dir():
        yield _room("the DuckDB file", folder, WarehouseError.exit_code)


def _room(what: str, folder: Path, exit_code: int) -> Diagnosis:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB free for {what}"
    if free < _LEAST:
        return Diagnosis("FAIL", "disk", text, "Make room; a run stages its rows there.", exit_code)
    return Diagnosis("OK", "disk", text) if free >= _ENOUGH else Diagnosis("WARN", "disk", text, "Make room soon.")
