"""What the server itself can do: the same page again and again. Usage: flood.py BASE_URL KEY THREADS SECONDS

Nothing is inflated or read. The runner counts the calls at the server.
"""

from __future__ import annotations

import http.client
import sys
import threading
import time
from urllib.parse import urlsplit

base_url, key, threads, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
ends = time.monotonic() + seconds


def ask() -> None:
    """One connection, kept alive."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"}
    while time.monotonic() < ends:
        connection.request("GET", "/v3/reference/tickers?market=stocks&active=true&limit=1000", headers=headers)
        connection.getresponse().read()
    connection.close()


running = [threading.Thread(target=ask) for _ in range(threads)]
for thread in running:
    thread.start()
for thread in running:
    thread.join()
