"""The floor: only download the pages, one after the other, and let DuckDB read them. No checks, no types, no record.

Usage: floor.py BASE_URL KEY DUCKDB_PATH
"""

import http.client
import json
import re
import sys
import zlib
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import duckdb

from columns import PATH, QUERY

base_url, key, path = sys.argv[1:]
folder = Path(path).with_suffix(".pages")
folder.mkdir()
connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=60)
headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"}
target, number = f"{PATH}?{urlencode(QUERY)}", 0
while target:
    connection.request("GET", target, headers=headers)
    body = zlib.decompress(connection.getresponse().read(), wbits=31)
    (folder / f"{number:05}.json").write_bytes(body)
    found = re.search(rb'"next_url":("[^"]*")', body)  # cheaper than to parse the page
    parts = urlsplit(json.loads(found[1])) if found else None
    target = f"{parts.path}?{parts.query}" if parts else ""
    number += 1
connection.close()

duckdb.connect(path).execute(
    f"CREATE TABLE tickers AS SELECT unnest(results, recursive := true) FROM read_json('{folder}/*.json')"
).close()
