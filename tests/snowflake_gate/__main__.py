"""The gate alone, for a client in an environment of its own: `python -m snowflake_gate [PORT]`.

Prints the settings, then serves until its standard input ends.
"""

from __future__ import annotations

import sys

from snowflake_gate.server import SnowflakeGate

with SnowflakeGate(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as gate:
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in gate.env().items()) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
