"""What `stockpipe schema` prints: texts about the tables, made from the declarations without any connection."""

from __future__ import annotations

from stockpipe.warehouse.scripts.dbt import dbt_sources
from stockpipe.warehouse.scripts.grants import grants_script
from stockpipe.warehouse.scripts.names import READER_ROLE
from stockpipe.warehouse.scripts.tables import tables_script, views_script

__all__ = ["READER_ROLE", "dbt_sources", "grants_script", "tables_script", "views_script"]
