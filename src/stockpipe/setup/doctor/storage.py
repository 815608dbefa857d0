"""The storage behind Snowflake's stages: it has hosts of its own, and a firewall often lets only the account's through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stockpipe.base.reach import why_not_reached
from stockpipe.base.waiting import told_if_slow
from stockpipe.errors import StockpipeError, WarehouseError
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed
from stockpipe.setup.doctor.session import Questions

_SECONDS = 5.0
_MOST_HOSTS = 16
_HTTPS = 443
_REMEDY = "Let it through the firewall or the proxy, or set STOCKPIPE_LOAD_METHOD=insert, which needs no storage."


def examine_storage(ask: Questions, arguments: Mapping[str, Any]) -> Diagnosis:
    """Whether the hosts that the service itself names for its stages can be reached from here; `arguments` of the sign-in."""
    account = f"{arguments['account']} {arguments.get('host') or ''}".lower()
    function = "SYSTEM$ALLOWLIST_PRIVATELINK" if "privatelink" in account else "SYSTEM$ALLOWLIST"
    try:
        hosts = stage_hosts(str(ask.rows(f"SELECT {function}()")[0][0]))
    except (WarehouseError, ValueError, TypeError, KeyError, IndexError) as error:
        text = error.message if isinstance(error, WarehouseError) else "not what is documented"
        return Diagnosis("SKIP", "storage", f"not looked at: {function}() tells no hosts ({text})")
    if not hosts:
        return Diagnosis("SKIP", "storage", f"not looked at: {function}() names no host of the type STAGE")
    try:
        with (
            told_if_slow(f"Waiting for the stages' storage, up to {_SECONDS:.0f} s."),
            ThreadPoolExecutor(len(hosts)) as pool,
        ):
            answers = dict(zip(hosts, pool.map(lambda at: why_not_reached(at[0], at[1], _SECONDS), hosts), strict=True))
    except StockpipeError as error:
        return failed("storage", error)
    return _judged({_named(at): why for at, why in answers.items() if why}, [_named(at) for at in hosts])


def stage_hosts(answer: str) -> list[tuple[str, int]]:
    """The hosts and ports of the type STAGE in the JSON of SYSTEM$ALLOWLIST(), at most 16; patterns (*.host) are left out."""
    found = [(str(entry["host"]), int(entry["port"])) for entry in json.loads(answer) if entry["type"] == "STAGE"]
    return [(host, port) for host, port in dict.fromkeys(found) if "*" not in host][:_MOST_HOSTS]


def _named(at: tuple[str, int]) -> str:
    host, port = at
    return host if port == _HTTPS else f"{host}:{port}"


def _judged(refused: Mapping[str, str], hosts: list[str]) -> Diagnosis:
    if not refused:
        return Diagnosis("OK", "storage", f"reached: {', '.join(hosts)}")
    text = f"the stages' storage cannot be reached: {'; '.join(f'{host} ({why})' for host, why in refused.items())}"
    if len(refused) < len(hosts):
        return Diagnosis("WARN", "storage", f"{text}; others of its hosts can", _REMEDY)
    return Diagnosis("FAIL", "storage", text, _REMEDY, 6)
