"""What a user's script imports: the names are there, they are all of them, and each is what its name says."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import typing

import stockpipe
from stockpipe import errors

EXPECTED = {
    "AccessError", "ApiError", "ConfigError", "DataCheckError", "Interrupted", "LoadResult", "RunRecord", "StockpipeError",
    "UsageError", "WarehouseError", "__version__", "errors", "load",
}  # fmt: skip


def test_the_public_names_are_exact() -> None:
    assert set(stockpipe.__all__) == EXPECTED
    assert all(hasattr(stockpipe, name) for name in EXPECTED)
    # The branches of the error tree; what lies below them is ours.
    branches = {kind.__name__ for kind in errors.StockpipeError.__subclasses__()}
    assert branches | {"StockpipeError"} == {
        name for name in EXPECTED if name.endswith("Error") or name == "Interrupted"
    }


def test_load_is_a_function_whatever_was_imported() -> None:
    for module in pkgutil.walk_packages(stockpipe.__path__, "stockpipe."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert callable(stockpipe.load)
    assert (
        typing.get_type_hints(stockpipe.load, None, {"LoadResult": stockpipe.LoadResult})["return"]
        is stockpipe.LoadResult
    )


def test_every_option_of_load_is_named_and_typed() -> None:
    hints = typing.get_type_hints(stockpipe.load, None, {"LoadResult": stockpipe.LoadResult})
    assert set(hints) == {
        "dataset", "on", "market", "active", "dry_run", "force", "require_fresh", "settings", "env_file", "load_method", "sample_data", "return",
    }  # fmt: skip


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import stockpipe, sys; print([name for name in ('duckdb', 'click', 'httpcore2', 'msgspec') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
