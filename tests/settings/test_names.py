"""A misspelt setting and a secret that others can read are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conftest import command
from stockpipe.settings import load_settings
from stockpipe.settings.names import misspelt

KEY = "POLYGON_API_KEY=abcdefghijklmnop\n"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("STOCKPIPE_MAXLOSS", "STOCKPIPE_MAX_LOSS"),
        ("STOCKPIPE_BATCHSIZE", "STOCKPIPE_BATCH_SIZE"),
        ("stockpipe_max_growth", "STOCKPIPE_MAX_GROWTH"),
        ("MASSIVE_URL", "MASSIVE_BASE_URL"),
        ("SNOWFLAKE_WAREHOSE", "SNOWFLAKE_WAREHOUSE"),
        ("SNOWFLAKE_USERNAME", "SNOWFLAKE_USER"),
        ("STOCKPIPE_TABLE", "SNOWFLAKE_TABLE"),
        ("POLYGON_APIKEY", "POLYGON_API_KEY"),
        ("RATE_LIMIT_DELAYS", "RATE_LIMIT_DELAY"),
        ("STOCKPIPE_COLOUR", None),
        ("SNOWFLAKE_COLOUR", None),
    ],
)
def test_a_name_in_our_file_that_is_no_setting(name: str, meant: str | None) -> None:
    (told,) = misspelt([name, "POLYGON_API_KEY"], ".env", in_file=True)
    asked = f" Did you mean {meant}?" if meant else ""
    assert told == f"{name} (in .env) is not a setting, and changes nothing.{asked}"


def test_names_of_other_programs_are_left_alone() -> None:
    others = ["SNOWFLAKE_CONNECTIONS_DEV_ACCOUNT", "SNOWFLAKE_CLI_ENABLED", "POLYGON_S3_BUCKET", "DBT_USER", "PATH"]
    assert list(misspelt([*others, "POLYGON_API_KEY", "PRIVATE_KEY_PASSPHRASE"], ".env", in_file=True)) == []
    # In a file that is not ours, Snowflake's other tools have their own.
    assert list(misspelt(["SNOWFLAKE_COLOUR", "SNOWFLAKE_USER"], ".env", in_file=True)) == []
    assert len(list(misspelt(["SNOWFLAKE_WAREHOSE"], ".env", in_file=True))) == 1


def test_in_the_environment_only_a_slip_is_told() -> None:
    assert list(misspelt(["STOCKPIPE_HOME", "SNOWFLAKE_REGION"], "the environment", in_file=False)) == []
    assert len(list(misspelt(["STOCKPIPE_MAXLOSS"], "the environment", in_file=False))) == 1


def test_run_doctor_and_config_tell_it() -> None:
    Path(".env").write_text(f"{KEY}STOCKPIPE_MAXLOSS=3\nMASSIVE_BASE_URL=http://127.0.0.1:9\nSTOCKPIPE_DEADLINE=1\n")
    Path(".env").chmod(0o600)
    text = "STOCKPIPE_MAXLOSS (in .env) is not a setting, and changes nothing. Did you mean STOCKPIPE_MAX_LOSS?"
    assert f"Warning: {text}\n" in command("run").stderr
    assert f"WARN  settings    {text}\n" in command("doctor").stdout
    shown = command("config", "--json")
    assert (json.loads(shown.stdout)["warnings"], f"Warning: {text}\n" in shown.stderr) == ([text], True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
@pytest.mark.parametrize(
    ("name", "content", "mode", "told"),
    [
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "-----BEGIN PRIVATE KEY-----\nMII", 0o644, "a private key without a passphrase"),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "-----BEGIN RSA PRIVATE KEY-----\nMII", 0o640, "a private key without a passphrase"),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "-----BEGIN PRIVATE KEY-----\nMII", 0o600, None),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII", 0o644, None),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", 0o644, None),
        ("SNOWFLAKE_PRIVATE_KEY_FILE", "-----BEGIN PRIVATE KEY-----\nMII", 0o644, "a private key without a passphrase"),
        ("SNOWFLAKE_TOKEN_FILE_PATH", "token", 0o644, "a token"),
        ("SNOWFLAKE_TOKEN_FILE_PATH", "token", 0o600, None),
    ],
)  # fmt: skip
def test_a_secret_file_that_others_can_read(name: str, content: str, mode: int, told: str | None) -> None:
    Path("my key").write_text(content)
    Path("my key").chmod(mode)
    warning = f"my key holds {told} and can be read by other users of this machine. Fix: chmod 600 'my key'"
    assert list(load_settings(env={name: "my key"}).warnings) == ([warning] if told else [])


def test_a_key_file_that_is_not_there_or_no_file_is_told_where_it_is_used() -> None:
    for path in ("none.p8", "~nobody-here/k", ".", "-----BEGIN PRIVATE KEY-----\nMII"):
        assert load_settings(env={"SNOWFLAKE_PRIVATE_KEY_PATH": path}).warnings == ()
