"""The key and the password appear nowhere, whatever fails and however much is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.massive.client import Origin
from stockpipe.settings import load_settings
from support.receivers import TOKEN, Receiver

pytestmark = pytest.mark.slow

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
    shown = f"{settings!r} {settings.find('POLYGON_API_KEY')!r} {Origin('https://x', KEY)!r} {vars(settings)!r}"
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"http://user:{PASSWORD}@127.0.0.1:8765", "http://***@127.0.0.1:8765"),
        (f"https://{PASSWORD}@api.example", "https://***@api.example"),
        (f"https://user:{PASSWORD}/@#with/all@api.example/v3", "https://***@api.example/v3"),
        (f"user:{PASSWORD}@api.example", "***@api.example"),
    ],
)
def test_the_password_in_a_url_is_nowhere(receiver: Receiver, url: str, shown: str) -> None:
    env = {
        "POLYGON_API_KEY": KEY, "MASSIVE_BASE_URL": url, "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}", "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
    }  # fmt: skip
    runs = [command("run", "-vv", "--log-file", "run.log", "--json", env=env), command("doctor", env=env)]
    told = f"MASSIVE_BASE_URL is '{shown}' (from the environment): it must be an origin"
    assert [done.returncode for done in runs] == [3, 3]
    assert [told in text for text in (runs[0].stderr, runs[0].stdout, runs[1].stdout)] == [True] * 3
    assert f"Run {receiver.documents[0]['run_id']}" in runs[0].stderr
    assert (told in Path("run.log").read_text(), told in receiver.documents[0]["text"]) == (True, True)
    shown_anywhere = everything([(done.stdout, done.stderr) for done in runs]) + str(receiver.calls)
    assert PASSWORD not in shown_anywhere + command("config", env=env).stdout


def test_an_account_that_is_a_url_is_shown_without_its_password() -> None:
    place = {f"SNOWFLAKE_{name}": "X" for name in ("USER", "PASSWORD", "WAREHOUSE", "DATABASE", "SCHEMA", "ROLE")}
    account = {"SNOWFLAKE_ACCOUNT": f"https://me:{PASSWORD}@nowhere.example"}
    done = command("run", env={"POLYGON_API_KEY": KEY} | place | account)
    assert (done.returncode, "SNOWFLAKE_ACCOUNT is 'https://***@nowhere.example'" in done.stderr) == (3, True)


def test_an_address_as_user_name_is_no_secret() -> None:
    settings = load_settings({"SNOWFLAKE_USER": "me@example.com", "MASSIVE_BASE_URL": "https://api.example"}, env={})
    assert settings.secrets == set()


@pytest.mark.parametrize("statement", ["^login", "^DESCRIBE TABLE", "^(COPY|INSERT) INTO"])
def test_a_password_that_snowflake_sends_back_is_nowhere(serve: Serve, statement: str) -> None:
    with SnowflakeGate() as gate:
        code = 390100 if statement == "^login" else 100072
        gate.fault(statement, action=(code, f"no access for {PASSWORD}/{gate.password}", "22000"), times=1)
        env = flags(serve(many(5))) | gate.env() | {"SNOWFLAKE_PASSCODE": PASSWORD}
        done = command("run", "-vv", "--json", "--log-file", "pipeline.log", env=env)
        runs = command("runs", "--json", env=env)
        env_free = everything([done.stdout, done.stderr, runs.stdout, runs.stderr])
    assert (done.returncode, "no access for ***/***" in done.stderr) == (4 if code == 390100 else 6, True)
    assert [secret for secret in (PASSWORD, gate.password) if secret in env_free] == []
