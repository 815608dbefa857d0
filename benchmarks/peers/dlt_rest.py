"""dlt as installed. Usage: dlt_rest.py BASE_URL KEY DUCKDB_PATH"""

import sys

from dlt_source import load

load(*sys.argv[1:], loader_file_format=None)
