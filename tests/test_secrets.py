"""The key and the password appear nowhere, whatever fails and however much is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.massive.client import Endpoint
from stockpipe.settings import load_settings

KEY = "sk-never-to-be-shown"
PASSWORD = "pw-never-to-be-shown"


def everything(done: object) -> str:
    """All that a run left: its output and every file in its folder."""
    files = [
        path.read_bytes().decode("latin-1") for path in Path().rglob("*") if path.is_file() and path.name != ".env"
    ]
    return "\n".join([str(done), *files])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--json",),
        ("--market", "bonds"),
        ("--date", "1999-01-01"),
        ("--duckdb-path", "no/where.duckdb"),
        ("--market", "fx"),
    ],
)
@pytest.mark.parametrize("key", [KEY, "wrong-" + KEY])
def test_the_key_is_in_no_output_file_or_table(serve: Serve, key: str, arguments: tuple[str, ...]) -> None:
    env = flags(serve(many(1500), key=KEY), POLYGON_API_KEY=key)
    done = command("run", "-vv", "--log-file", "logs/pipeline.log", "--log-format", "json", *arguments, env=env)
    assert KEY not in everything(done).replace(str({"env": env}), "")


def test_the_key_travels_in_a_header_and_never_in_a_url(serve: Serve) -> None:
    sandbox = serve(many(1500), key=KEY)
    assert command("run", env=flags(sandbox, POLYGON_API_KEY=KEY)).returncode == 0
    assert len(sandbox.calls) == 2
    assert all(set(call.query) <= {"market", "active", "order", "sort", "limit", "cursor"} for call in sandbox.calls)


def test_the_password_is_in_no_output_or_table(serve: Serve) -> None:
    with SnowflakeGate() as gate:
        env = flags(serve(many(5))) | gate.env() | {"SNOWFLAKE_PASSWORD": PASSWORD}
        done = command("run", "-vv", "--log-file", "pipeline.log", env=env)
        gate.fault("COPY INTO", action=(100072, "planned", "22000"))
        failed = command("run", "-vv", "--log-file", "pipeline.log", env=flags(serve(many(5))) | gate.env())
    assert PASSWORD not in everything(done) + everything(failed)


def test_settings_and_endpoint_hide_their_secrets() -> None:
    settings = load_settings({"POLYGON_API_KEY": KEY}, env={})
    shown = f"{settings!r} {settings.find('POLYGON_API_KEY')!r} {Endpoint('https://x', KEY)!r} {vars(settings)!r}"
    assert KEY not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits for others")
def test_an_env_file_that_others_can_read_is_warned_about(serve: Serve) -> None:
    Path(".env").write_text(f"POLYGON_API_KEY={KEY}\n")
    os.chmod(".env", 0o644)  # noqa: PTH101
    env = {name: text for name, text in flags(serve(many(1), key=KEY)).items() if name != "POLYGON_API_KEY"}
    assert "Warning: .env holds secrets and can be read by other users" in command("run", env=env).stderr
    os.chmod(".env", 0o600)  # noqa: PTH101
    assert "can be read by other users" not in command("run", env=env).stderr
    assert table("SELECT count(*) FROM TICKERS") == [(1,)]
