"""What a view is, before it is spelled for a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stockpipe.datasets import Column, Dataset
from stockpipe.warehouse.sql import Table


@dataclass(frozen=True)
class Model:
    """A view: its quoted name, its columns in order, what it shows, and its SELECT.

    `needs` are tables that it reads and no load makes, those of the security master: they are made with it, empty. `joins`
    says that it reads tables of several datasets: it is made with the last of them, and that it cannot be made before is
    nothing to tell.
    """

    name: str
    columns: tuple[Column, ...]
    comment: str
    select: str
    needs: tuple[Table, ...] = ()
    joins: bool = False


Views = Callable[[Dataset, Table], tuple[Model, ...]]
"""Gives the views beside a dataset's table."""
