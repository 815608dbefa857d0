"""A stand-in for Snowflake: fakesnow behind a thin gate that keeps the service's own rules.

The product talks to it with the real connector over HTTP on loopback. `README` of what it does and
does not do: the docstrings of the modules, one concern each.
"""

from snowflake_gate.answers import Refusal
from snowflake_gate.faults import INSUFFICIENT_PRIVILEGES, Fault
from snowflake_gate.log import LoggedLogin, LoggedRequest
from snowflake_gate.server import SnowflakeGate
from snowflake_gate.signin import User

__all__ = [
    "INSUFFICIENT_PRIVILEGES",
    "Fault",
    "LoggedLogin",
    "LoggedRequest",
    "Refusal",
    "SnowflakeGate",
    "User",
]
