"""What a view is, before it is spelled for a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stockpipe.datasets import Column, Dataset
from stockpipe.warehouse.sql import Table


@dataclass(frozen=True)
class Model:
    """A view: its quoted name, its columns in order, what it shows, and its SELECT.

    `with_master` is the SELECT where a security master is built. `joins` says that it reads tables of several datasets: it
    is made with the last of them, and that it cannot be made before is nothing to tell.
    """

    name: str
    columns: tuple[Column, ...]
    comment: str
    select: str
    with_master: str = ""
    joins: bool = False

    @property
    def forms(self) -> tuple[Model, ...]:
        """The view as it is best made, and as it is made where the tables for that are not there."""
        return (replace(self, select=self.with_master), self) if self.with_master else (self,)


Views = Callable[[Dataset, Table], tuple[Model, ...]]
"""Gives the views beside a dataset's table."""
