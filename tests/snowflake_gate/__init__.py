"""A stand-in for Snowflake: fakesnow behind a thin gate that keeps the service's own rules.

The product talks to it with the real connector over HTTP on loopback. `README` of what it does and
does not do: the docstrings of the modules, one concern each. fakesnow runs beside connector 4 only: with
GATE_PYTHON, the Python of another environment, the gate is served from there (`remote`).
"""

import os
from typing import TYPE_CHECKING

from snowflake_gate.account_state import SERVICE_DEFAULTS, Warehouse
from snowflake_gate.answers import Refusal
from snowflake_gate.faults import INSUFFICIENT_PRIVILEGES, Fault
from snowflake_gate.log import LoggedLogin, LoggedRequest
from snowflake_gate.users import User

if TYPE_CHECKING or not os.environ.get("GATE_PYTHON"):
    from snowflake_gate.server import SnowflakeGate
else:
    from snowflake_gate.remote import RemoteGate as SnowflakeGate

__all__ = [
    "INSUFFICIENT_PRIVILEGES",
    "SERVICE_DEFAULTS",
    "Fault",
    "LoggedLogin",
    "LoggedRequest",
    "Refusal",
    "SnowflakeGate",
    "User",
    "Warehouse",
]
