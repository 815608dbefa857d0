"""How long Snowflake is waited for: commands that only read give up sooner than a run. A key pair has the connector's own 10 s too."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import snowflake.connector
from click.testing import CliRunner

import stockpipe
from conftest import Serve, flags, many
from snowflake_gate import SnowflakeGate
from stockpipe.base.clock import Clock
from stockpipe.base.waiting import told_if_slow
from stockpipe.cli import main
from stockpipe.errors import WarehouseError
from stockpipe.settings import load_settings
from stockpipe.setup.doctor import examine
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake import session

OLD = int(snowflake.connector.__version__.partition(".")[0]) < 5
ACCOUNT = {
    "STOCKPIPE_WAREHOUSE": "snowflake",
    "SNOWFLAKE_ACCOUNT": "myorg-myaccount",
    "SNOWFLAKE_HOST": "127.0.0.1",
    "SNOWFLAKE_PROTOCOL": "http",
    "SNOWFLAKE_USER": "BOT",
    "SNOWFLAKE_DATABASE": "MARKET",
    "SNOWFLAKE_SCHEMA": "STOCKS",
    "SNOWFLAKE_TOKEN": "pat-1",
    "POLYGON_API_KEY": "key",
    "MASSIVE_BASE_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def silent() -> Iterator[dict[str, str]]:
    """Settings of an account whose host takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield ACCOUNT | {"SNOWFLAKE_PORT": str(listener.getsockname()[1])}
        for each in taken:
            each.close()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the connector was given, which then finds nobody."""
    found: list[dict[str, Any]] = []

    def connect(**arguments: Any) -> object:
        found.append(arguments)
        raise snowflake.connector.OperationalError("nobody there")

    monkeypatch.setattr(snowflake.connector, "connect", connect)
    return found


def seconds(arguments: dict[str, Any]) -> set[object]:
    """The limits of a sign-in: connectors 3 and 4 need one for each of its requests too."""
    return {arguments["login_timeout"], *([arguments["socket_timeout"]] if OLD else [])}


READING = (
    "status", "runs", "rejects", "query SELECT+1", "export day.parquet", "universe", "lookup A", "changes", "prices A",
    "report", "master status", "doctor",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "limit"), [*((words, 10) for words in READING), ("master build", 30), ("maintain --yes", 30)]
)
def test_each_command_gives_the_connector_its_limit(
    silent: dict[str, str], given: list[dict[str, Any]], words: str, limit: int
) -> None:
    done = CliRunner().invoke(main, [word.replace("+", " ") for word in words.split()], env=silent)
    assert done.exit_code in (5, 6), done.output
    assert [seconds(arguments) for arguments in given] == [{limit}]
    # What is waited for is told, also where a command says nothing else about connecting.
    assert logging.getLogger("stockpipe").handlers[0].level == logging.INFO


def test_python_reads_with_the_short_limit(silent: dict[str, str], given: list[dict[str, Any]]) -> None:
    with pytest.raises(WarehouseError, match="nobody there"), stockpipe.open(settings=silent) as desk:
        desk.runs()
    assert seconds(given[0]) == {10}


@pytest.mark.parametrize(
    ("proof", "reads", "limit"),
    [
        ({"SNOWFLAKE_TOKEN": "pat-1"}, True, 10),
        ({"SNOWFLAKE_TOKEN": "pat-1"}, False, 30),
        ({"SNOWFLAKE_PASSWORD": "secret"}, True, 10),
        # A person has to find the telephone, or the browser's window.
        ({"SNOWFLAKE_PASSWORD": "secret", "SNOWFLAKE_AUTHENTICATOR": "username_password_mfa"}, True, 30),
        ({"SNOWFLAKE_AUTHENTICATOR": "externalbrowser"}, True, 30),
    ],
)
def test_a_sign_in_that_a_person_answers_has_its_time(proof: dict[str, str], reads: bool, limit: int) -> None:
    settings = load_settings(
        {name: text for name, text in ACCOUNT.items() if name != "SNOWFLAKE_TOKEN"} | proof, env={}
    )
    plan = session.session_plan(settings, reads=reads)
    assert (plan.arguments["login_timeout"], plan.arguments["network_timeout"]) == (limit, 30 if reads else 120)


@pytest.mark.parametrize(
    ("reads", "each", "asked"), [(True, 0.0, [5.0, 5.0]), (True, 5.0, [5.0]), (False, 8.0, [8.0, 8.0])]
)
def test_a_host_is_asked_again_where_the_limit_allows_it(
    monkeypatch: pytest.MonkeyPatch, reads: bool, each: float, asked: list[float]
) -> None:
    """`each`: seconds until the host turned out not to be reached, none where it refuses."""
    clock, found = SimpleNamespace(now=0.0), []

    def connect(_: object, timeout: float) -> socket.socket:
        found.append(timeout)
        clock.now += each
        raise TimeoutError if each else ConnectionRefusedError(111, "Connection refused")

    def sleep(more: float) -> None:
        clock.now += more

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    why = f"no answer within {each:.0f} s" if each else "Connection refused"
    with (
        closing(open_warehouse(load_settings(ACCOUNT, env={}), reads=reads)) as warehouse,
        pytest.raises(WarehouseError) as told,
    ):
        warehouse.query("SELECT 1")
    assert told.value.message == f"Snowflake could not be reached at 127.0.0.1:80: {why}"
    assert found == asked
    assert clock.now <= (10 if reads else 30)


class Waits:
    """Timers that never fire: what would be told after two seconds."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def timer(self, after: float, tell: object, texts: tuple[str]) -> SimpleNamespace:  # noqa: ARG002
        assert after == 2.0
        return SimpleNamespace(start=lambda: self.texts.append(texts[0]), cancel=lambda: None)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found = Waits()
    monkeypatch.setattr("stockpipe.base.waiting.threading", SimpleNamespace(Timer=found.timer))
    return found.texts


@pytest.mark.slow
def test_each_wait_of_a_reader_has_its_line(waits: list[str], gate: SnowflakeGate, serve: Serve) -> None:
    settings = flags(serve(many(1))) | gate.env()
    for reads in (True, False):
        with closing(open_warehouse(load_settings(settings, env={}), reads=reads)) as warehouse:
            warehouse.query("SELECT 1")
    # A run tells what it does in other lines.
    assert waits == [
        "Waiting for Snowflake at 127.0.0.1, up to 10 s.",
        "Waiting for Snowflake's answer, up to 2 h.",
        "Waiting for Snowflake at 127.0.0.1, up to 30 s.",
    ]
    waits.clear()
    list(examine(load_settings(settings, env={}), Clock()))
    assert waits == [
        f"Waiting for {settings['MASSIVE_BASE_URL']}, up to 15 s.",
        "Waiting for Snowflake at 127.0.0.1, up to 10 s.",
        "Waiting for the warehouse LOAD_WH, up to 1 min.",
        "Waiting for the stages' storage, up to 5 s.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("proof", [{"SNOWFLAKE_PASSWORD": "secret"}, {"SNOWFLAKE_TOKEN": "pat-1"}])
def test_a_host_that_never_answers_ends_at_the_limit_that_was_told(
    silent: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proof: dict[str, str]
) -> None:
    """Without a limit for its requests a sign-in took a minute, whatever its own limit was."""
    monkeypatch.setattr(session, "FOR_A_READER", session.Limits(sign_in=1, lost=1))
    monkeypatch.setattr(session, "told_if_slow", partial(told_if_slow, after=0.1))
    settings = load_settings(silent | {"SNOWFLAKE_TOKEN": ""} | proof, env={})
    began = time.monotonic()
    caplog.set_level(logging.INFO)
    with closing(open_warehouse(settings, reads=True)) as warehouse, pytest.raises(WarehouseError) as told:
        warehouse.query("SELECT 1")
    assert told.value.message.startswith("Snowflake could not be reached at 127.0.0.1:")
    assert time.monotonic() - began < 5
    assert "Waiting for Snowflake at 127.0.0.1, up to 1 s." in caplog.messages
