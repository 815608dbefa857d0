"""dlt with Parquet loader files, its fastest setting for DuckDB. Usage: dlt_parquet.py BASE_URL KEY DUCKDB_PATH"""

import sys

from dlt_source import load

load(*sys.argv[1:], loader_file_format="parquet")
