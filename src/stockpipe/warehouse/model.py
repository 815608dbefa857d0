"""What a view is, before it is spelled for a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stockpipe.datasets import Column, Dataset
from stockpipe.warehouse.sql import Table


@dataclass(frozen=True)
class Model:
    """A view: its quoted name, its columns in order, what it shows, and its SELECT."""

    name: str
    columns: tuple[Column, ...]
    comment: str
    select: str


Views = Callable[[Dataset, Table], tuple[Model, ...]]
"""Gives the views beside a dataset's table."""
