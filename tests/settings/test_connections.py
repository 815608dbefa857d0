"""The connections file of Snowflake's own tools, and what stands before it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many
from snowflake_gate import SnowflakeGate
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse.snowflake.signin import SINGLE_FACTOR

FILE = """
[prod]
account = "myorg-prod"
user = "LOADER"
private_key_file = "~/keys/loader.p8"
private_key_file_pwd = "long and secret"
role = "LOADER_ROLE"
port = 443
[prod.session_parameters]
QUERY_TAG = "not ours"

[dev]
account = "myorg-dev"
"""


@pytest.fixture
def home() -> Path:
    folder = Path("snow")
    folder.mkdir()
    (folder / "connections.toml").write_text(FILE)
    (folder / "connections.toml").chmod(0o600)
    return folder


def settings(**env: str) -> Settings:
    return load_settings(env={"SNOWFLAKE_HOME": "snow"} | env)


@pytest.mark.usefixtures("home")
def test_a_named_connection_is_used_and_means_snowflake() -> None:
    found = settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="prod")
    assert found.warehouse == "snowflake"
    names = ("ACCOUNT", "USER", "PRIVATE_KEY_PATH", "PRIVATE_KEY_PASSPHRASE", "ROLE", "PORT", "PASSWORD")
    assert [found.get(f"SNOWFLAKE_{name}") for name in names] == [
        "myorg-prod", "LOADER", "~/keys/loader.p8", "long and secret", "LOADER_ROLE", "443", None,
    ]  # fmt: skip
    value = found.find("SNOWFLAKE_ACCOUNT")
    assert value is not None
    assert value.origin == "connection prod in snow/connections.toml"
    assert found.warnings == (
        "What connection prod in snow/connections.toml has of these is not used: session_parameters (a session has those "
        "that stockpipe needs).",
    )


def test_keys_that_are_not_used_are_named_once_without_their_values() -> None:
    """A connection that works in Snowflake CLI and not here should say why."""
    Path("snow").mkdir()
    Path("snow/connections.toml").write_text(
        '[cli]\naccount = "a-b"\npasscode = "123456"\nproxy_host = "proxy.corp"\nproxy_password = "never-to-be-shown"\n'
        'secondary_roles = "NONE"\ninsecure_mode = true\nclient_prefetch_threads = 4\n'
    )
    Path("snow/connections.toml").chmod(0o600)
    found = settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="cli")
    assert found.get("SNOWFLAKE_PASSCODE") == "123456"
    assert found.warnings == (
        "What connection cli in snow/connections.toml has of these is not used: proxy_host, proxy_password (HTTPS_PROXY names "
        "a proxy); secondary_roles (ALTER USER ... SET DEFAULT_SECONDARY_ROLES sets them); insecure_mode (certificates are "
        "checked as the connector does by default); client_prefetch_threads.",
    )


@pytest.mark.usefixtures("home")
def test_flags_the_environment_and_dotenv_stand_before_it() -> None:
    Path(".env").write_text("SNOWFLAKE_USER=dotenv\nSNOWFLAKE_ROLE=dotenv\n")
    env = {"SNOWFLAKE_HOME": "snow", "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "dev", "SNOWFLAKE_ROLE": "environment"}
    found = load_settings({"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "prod", "SNOWFLAKE_SCHEMA": "flag"}, env=env)
    assert [found.get(f"SNOWFLAKE_{name}") for name in ("ACCOUNT", "USER", "ROLE", "SCHEMA")] == [
        "myorg-prod", "dotenv", "environment", "flag",
    ]  # fmt: skip


def test_without_a_name_only_a_wish_for_snowflake_takes_the_default_connection(home: Path) -> None:
    assert settings().warehouse == "duckdb"
    assert settings(STOCKPIPE_WAREHOUSE="snowflake").get("SNOWFLAKE_ACCOUNT") is None
    (home / "config.toml").write_text('default_connection_name = "dev"\n[connections.prod]\naccount = "unused"\n')
    assert settings(STOCKPIPE_WAREHOUSE="snowflake").get("SNOWFLAKE_ACCOUNT") == "myorg-dev"
    assert settings(STOCKPIPE_WAREHOUSE="snowflake", SNOWFLAKE_ACCOUNT="own").get("SNOWFLAKE_ACCOUNT") == "own"
    assert settings().get("SNOWFLAKE_ACCOUNT") is None


def test_config_toml_serves_where_there_is_no_connections_toml(home: Path) -> None:
    (home / "connections.toml").unlink()
    (home / "config.toml").write_text('[connections.prod]\naccount = "from-config"\n')
    found = settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="prod")
    assert found.get("SNOWFLAKE_ACCOUNT") == "from-config"


def test_the_usual_folder_is_in_the_users_home(home: Path) -> None:
    home.rename(".snowflake")
    found = load_settings({"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "dev"}, env={})
    assert found.get("SNOWFLAKE_ACCOUNT") == "myorg-dev"


@pytest.mark.usefixtures("home")
def test_a_connection_in_the_environment_as_snowflake_cli_has_it() -> None:
    own = {"SNOWFLAKE_CONNECTIONS_PROD_USER": "other", "SNOWFLAKE_CONNECTIONS_CI_ACCOUNT": "myorg-ci"}
    assert settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="prod", **own).get("SNOWFLAKE_USER") == "other"
    assert settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="ci", **own).get("SNOWFLAKE_ACCOUNT") == "myorg-ci"


def test_duckdb_needs_no_connection() -> None:
    assert settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="gone", STOCKPIPE_WAREHOUSE="duckdb").warehouse == "duckdb"


def test_what_is_wrong_with_the_file_is_said(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no connection 'test' in snow/connections\.toml") as error:
        settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="test")
    assert "It has: prod, dev." in error.value.hint
    (home / "connections.toml").write_text("[prod\n")
    with pytest.raises(ConfigError, match=r"snow/connections.toml cannot be read: .* \(at line 1, column 6\)"):
        settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="prod")


def test_a_file_that_others_can_read_is_warned_about(home: Path) -> None:
    (home / "connections.toml").chmod(0o644)
    assert settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="prod").warnings[0] == (
        "snow/connections.toml holds secrets and can be read by other users of this machine. "
        "Fix: chmod 600 snow/connections.toml"
    )
    assert settings(SNOWFLAKE_DEFAULT_CONNECTION_NAME="dev").warnings == ()


def test_a_day_is_loaded_through_a_connection(serve: Serve) -> None:
    with SnowflakeGate() as gate:
        lines = [
            f'{name.removeprefix("SNOWFLAKE_").lower()} = "{text}"'
            for name, text in gate.env().items()
            if name.startswith("SNOWFLAKE_")
        ]
        Path("snow").mkdir()
        Path("snow/connections.toml").write_text("\n".join(["[local]", *lines]))
        env = flags(serve(many(4))) | {"SNOWFLAKE_HOME": "snow", "STOCKPIPE_SAMPLE_DATA": "true"}
        done = command("run", "--connection", "local", "--json", env=env)
        assert (done.returncode, json.loads(done.stdout)["rows"]) == (0, 4), done.stderr
        assert gate.rows("SELECT count(*) FROM TICKERS") == [(4,)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits for others")
def test_a_file_that_others_can_read_is_warned_about_once_and_not_by_the_connector() -> None:
    with SnowflakeGate() as gate:
        lines = [
            f'{name.removeprefix("SNOWFLAKE_").lower()} = "{text}"'
            for name, text in gate.env().items()
            if name.startswith("SNOWFLAKE_")
        ]
        Path("snow").mkdir()
        Path("snow/connections.toml").write_text("\n".join(["[local]", *lines]))
        Path("snow/connections.toml").chmod(0o644)
        done = command("query", "SELECT 1", "-q", "--connection", "local", env={"SNOWFLAKE_HOME": "snow"})
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "Warning: snow/connections.toml holds secrets and can be read by other users of this machine. "
        "Fix: chmod 600 snow/connections.toml",
        f"Warning: {SINGLE_FACTOR}",
    ]


@pytest.mark.usefixtures("home")
def test_schema_takes_names_from_a_connection() -> None:
    env = {"SNOWFLAKE_HOME": "snow", "SNOWFLAKE_CONNECTIONS_PROD_DATABASE": "stocks"}
    tables = command("schema", "--connection", "prod", env=env)
    (warning,) = tables.stderr.splitlines()
    assert (tables.returncode, "is not used: session_parameters" in warning) == (0, True)
    assert tables.stdout.startswith('CREATE TABLE IF NOT EXISTS "STOCKS"."MARKET_DATA"."TICKERS" (\n')
    grants = command("schema", "--grants", "--connection", "prod", env=env).stdout
    assert 'CREATE ROLE IF NOT EXISTS "LOADER_ROLE";' in grants
    missing = command("schema", "--connection", "none", env=env)
    assert (missing.returncode, missing.stdout, "There is no connection 'none'" in missing.stderr) == (3, "", True)


@pytest.mark.usefixtures("home")
def test_config_shows_values_with_their_origins_and_no_secret() -> None:
    Path(".env").write_text("POLYGON_API_KEY=abcdefghijklmnop\nMASSIVE_BASE_URL=https://me:hidden@api.example\n")
    Path(".env").chmod(0o600)
    done = command("config", "--json", "--connection", "prod", env={"SNOWFLAKE_HOME": "snow", "MASSIVE_PLAN": "paid"})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    lines = {line["name"]: (line["value"], line["from"]) for line in document["settings"]}
    prod = "connection prod in snow/connections.toml"
    assert document["warehouse"] == "snowflake"
    assert lines["POLYGON_API_KEY"] == ("***", ".env")
    assert lines["MASSIVE_BASE_URL"] == ("https://***@api.example", ".env")
    assert lines["MASSIVE_PLAN"] == ("paid", "the environment")
    assert lines["SNOWFLAKE_DEFAULT_CONNECTION_NAME"] == ("prod", "the command line")
    assert lines["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] == ("***", prod)
    assert lines["SNOWFLAKE_ACCOUNT"] == ("myorg-prod", prod)
    assert lines["SNOWFLAKE_TABLE"] == ("TICKERS", "default")
    assert "SNOWFLAKE_PASSWORD" not in lines
    text = command("config", "--all", "--connection", "prod", env={"SNOWFLAKE_HOME": "snow"})
    assert text.returncode == 0
    assert "SNOWFLAKE_PASSWORD" in text.stdout
    assert "Loads go to snowflake." in text.stderr
    for secret in ("abcdefghijklmnop", "hidden", "long and secret"):
        assert secret not in done.stdout + text.stdout + text.stderr
