"""The local Snowflake of the tests as a process of its own. Needs `tests` on PYTHONPATH.

Prints its settings as one line of JSON. Each line on standard input names a table and is answered with one line of
JSON: what reached the server since the last question, and how many rows that table has.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from snowflake_gate import SnowflakeGate


def say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def traffic(gate: SnowflakeGate, table: str) -> dict[str, Any]:
    """Statements, requests and the bytes of their bodies, since the log was last cleared."""
    log = list(gate.log)
    statements = gate.statements()
    gate.log.clear()
    return {
        "statements": len(statements),
        "round_trips": len(log),
        "bytes_sent": sum(entry.bytes_in for entry in log),
        "failed": [f"{entry.sql[:90]}: {entry.error[:200]}" for entry in log if entry.error],
        "rows": int(gate.rows(f"SELECT count(*) FROM {table}")[0][0]),
    }


with SnowflakeGate() as gate:
    say(gate.env())
    for line in sys.stdin:
        say(traffic(gate, line.strip()))
