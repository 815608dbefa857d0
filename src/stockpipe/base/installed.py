"""How a package is added to this Python, whichever way stockpipe came into it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

EXTRAS = {
    "snowflake": ("snowflake-connector-python>=3.18,<6",),
    "otel": ("opentelemetry-sdk>=1.36,<2", "opentelemetry-exporter-otlp-proto-http>=1.36,<2"),
}
"""What the extras of pyproject.toml stand for.

They are proposed by these names: what is found on an index under the name `stockpipe` need not be ours.
"""


def install_command(extra: str) -> str:
    """The command that adds what an extra stands for to the Python that runs this.

    `/srv/.venv/bin/python -m pip install "snowflake-connector-python>=3.18,<6"`, or with `uv pip` where uv made the
    environment, without pip. Double quotes, which every shell of every system takes.
    """
    words = " ".join(f'"{package}"' for package in EXTRAS[extra])
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    if (Path(sys.prefix) / "pipx_metadata.json").is_file():
        return f"pipx inject stockpipe {words}"
    if find_spec("pip") is None:
        return f"uv pip install --python {python} {words}"
    return f"{python} -m pip install {words}"
