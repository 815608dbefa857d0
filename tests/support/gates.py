"""The local stand-in for a Snowflake account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from snowflake_gate import SnowflakeGate


@pytest.fixture
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate() as gate:
        yield gate
