"""What `stockpipe schema` prints: texts about the tables, made from the declarations without any connection."""

from __future__ import annotations

from stockpipe.schema.dbt import dbt_sources
from stockpipe.schema.grants import grants_script
from stockpipe.schema.tables import tables_script, views_script

__all__ = ["dbt_sources", "grants_script", "tables_script", "views_script"]
