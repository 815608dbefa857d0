"""dlt's snowflake destination. Usage: dlt_snowflake.py BASE_URL KEY; the account is in the SNOWFLAKE_* variables.

The local server signs it in, makes its tables and takes its files, but refuses its COPY. fakesnow 0.12.1 knows neither
the option BINARY_FORMAT nor a quoted MATCH_BY_COLUMN_NAME; and without both, it reads JSON files into one VARIANT column
only, never by column names. dlt loads its own state as JSON files, whatever the loader file format is. The table then
says what failed. The script stays, for a server that knows it.
"""

import os
import sys

import dlt

from dlt_source import tickers

account = {name: os.environ[f"SNOWFLAKE_{name}"] for name in ("DATABASE", "USER", "PASSWORD", "WAREHOUSE", "ROLE")}
destination = dlt.destinations.snowflake(
    supports_multiple_statements=False,  # the local server takes one statement a request
    credentials={
        "database": account["DATABASE"],
        "username": account["USER"],
        "password": account["PASSWORD"],
        "warehouse": account["WAREHOUSE"],
        "role": account["ROLE"],
        "host": os.environ["SNOWFLAKE_ACCOUNT"],
        # What dlt does not know it hands on to the connector: the way to the local server.
        "query": {name: os.environ[f"SNOWFLAKE_{name.upper()}"] for name in ("host", "port", "protocol")},
    },
)
pipeline = dlt.pipeline("tickers", destination=destination, dataset_name="market")
pipeline.run(tickers(*sys.argv[1:])).raise_on_failed_jobs()
