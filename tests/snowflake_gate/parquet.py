"""What a staged Parquet file says of its columns, read by Arrow: DuckDB understands whatever DuckDB wrote."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq

from snowflake_gate.answers import Refusal

_CASTS = re.compile(r"\$1:(?P<name>\w+)::(?P<kind>\w+)", re.IGNORECASE)
_LOGICAL = re.compile(r"\bUSE_LOGICAL_TYPE\s*=\s*TRUE\b", re.IGNORECASE)


def table_of(content: bytes) -> pa.Table:
    """The file's rows with Arrow's types: `timestamp[ns]` has no zone, `timestamp[ns, tz=UTC]` is isAdjustedToUTC."""
    return pq.ParquetFile(io.BytesIO(content)).read()


def logical_types(content: bytes) -> dict[str, str]:
    """Each column's physical and logical type, as the file declares them."""
    schema = pq.ParquetFile(io.BytesIO(content)).schema
    columns = [schema.column(number) for number in range(len(schema))]
    return {column.path: f"{column.physical_type} {column.logical_type}" for column in columns}


def refuse_misread(sql: str, types: dict[str, str]) -> None:
    """A COPY whose casts do not mean what the file says: numbers for times, times of another zone, JSON of its own kind."""
    if odd := [name for name, declared in types.items() if declared.endswith("JSON")]:
        raise Refusal(100035, f"What COPY makes of the logical type JSON is not documented: {odd}. [stand-in]", "22007")
    for found in _CASTS.finditer(sql):
        declared = types.get(found["name"], "")
        if not found["kind"].upper().startswith("TIMESTAMP") or not declared:
            continue
        if "isAdjustedToUTC=false" not in declared or not _LOGICAL.search(sql):
            raise Refusal(
                100035,
                f"Failed to cast {declared} of column {found['name']} to {found['kind']} as meant. [stand-in]",
                "22007",
            )
