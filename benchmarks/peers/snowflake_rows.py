"""The official client and INSERTs through the Snowflake connector. Usage: snowflake_rows.py BASE_URL KEY BATCH

BATCH 1 is one INSERT a row; more is executemany, which the connector turns into one statement a batch. The account is
in the SNOWFLAKE_* variables.
"""

import os
import sys
from datetime import date
from itertools import islice

import snowflake.connector
from massive import RESTClient

from columns import CREATE, FIELDS

base_url, key, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = RESTClient(api_key=key, base=base_url)
today = date.today().isoformat()
rows = (
    [*(getattr(ticker, field) for field in FIELDS), today]
    for ticker in client.list_tickers(market="stocks", active=True, order="asc", sort="ticker", limit=1000)
)
names = ("ACCOUNT", "USER", "PASSWORD", "WAREHOUSE", "ROLE", "DATABASE", "SCHEMA", "HOST", "PORT", "PROTOCOL")
account = {name.lower(): os.environ[f"SNOWFLAKE_{name}"] for name in names}
insert = f"INSERT INTO tickers VALUES ({', '.join(['%s'] * (len(FIELDS) + 1))})"
with snowflake.connector.connect(**account) as connection, connection.cursor() as cursor:
    cursor.execute(CREATE)
    while chunk := list(islice(rows, batch)):
        if batch == 1:
            cursor.execute(insert, chunk[0])
        else:
            cursor.executemany(insert, chunk)
