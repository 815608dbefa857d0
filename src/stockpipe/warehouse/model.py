"""What a view is, before it is spelled for a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stockpipe.datasets import Column, Dataset
from stockpipe.warehouse.sql import Table


@dataclass(frozen=True)
class Kept:
    """The costly part of a view, kept as a table of a DuckDB file until something is published that it rests on.

    `select` fills the table, in its own order; `view` is the view's SELECT that reads it. It is worth its time from `least`
    rows of the table `of` (a quoted name) on; below that the view works all of it out quickly enough.
    """

    table: Table
    select: str
    view: str
    of: str
    least: int


@dataclass(frozen=True)
class Model:
    """A view: its quoted name, its columns in order, what it shows, and its SELECT.

    `needs` are tables that it reads and no load makes, those of the security master: they are made with it, empty. `joins`
    says that it reads tables of several datasets: it is made with the last of them, and that it cannot be made before is
    nothing to tell. `kept` is what of it can be worked out before it is asked.
    """

    name: str
    columns: tuple[Column, ...]
    comment: str
    select: str
    needs: tuple[Table, ...] = ()
    joins: bool = False
    kept: Kept | None = None


Views = Callable[[Dataset, Table], tuple[Model, ...]]
"""Gives the views beside a dataset's table."""
