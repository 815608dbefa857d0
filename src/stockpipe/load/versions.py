"""Rows of a restated list as versions: those that are alike in their key are numbered, and each gets its digest.

The digest is made here and not in the warehouse: two warehouses write a number or a date in different ways.
"""

from __future__ import annotations

from stockpipe.datasets import Column, Dataset, Versions


def numbers_sql(dataset: Dataset) -> str:
    """SELECT of `seq` and `place`, the number of each row among those of its key, from the table `same_key`.

    Rows are numbered in the order of what makes a version, so that ids and factors which change do not change places.
    """
    key = ", ".join(f'"{name}"' for name in dataset.key)
    columns = [*_versioned(dataset), *(column for column in dataset.fields if column not in _versioned(dataset))]
    order = ", ".join(f'"{column.name}"' for column in columns)
    return f"SELECT seq, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place FROM same_key WHERE copy = 1"


def digest_sql(dataset: Dataset, number: str) -> str:
    """The digest of a row as SQL; `number` is its number among those of its key.

    md5(concat_ws(chr(31), 'TICKER=' || "TICKER"::VARCHAR, ..., 1)): a column without a value is left out, so that a
    column which a later version of stockpipe adds changes no digest where it is empty.
    """
    cells = ", ".join(f"'{column.name}=' || \"{column.name}\"::VARCHAR" for column in _versioned(dataset))
    return f"md5(concat_ws(chr(31), {cells}, {number}))"


def _versioned(dataset: Dataset) -> list[Column]:
    """The fields that make a version."""
    noise = dataset.kind.unversioned if isinstance(dataset.kind, Versions) else ()
    return [column for column in dataset.fields if column.name not in noise]
