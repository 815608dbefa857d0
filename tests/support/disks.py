"""Small disks: file systems in memory, which only root may mount."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Disk = Callable[..., Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mounts an empty disk of so many KiB, or changes the one that is there: `disk(256)`, `disk(256, "ro")`."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "small"
    place.mkdir()

    def mount(kib: int, *options: str) -> Path:
        again = ["remount"] if place.is_mount() else []
        words = ",".join([*again, f"size={kib}k", *(options or ["rw"])])
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", words, "tmpfs", place], capture_output=True)
        if done.returncode:
            pytest.skip("this machine mounts no small disks")
        return place

    yield mount
    subprocess.run(["umount", "-l", place], capture_output=True)
