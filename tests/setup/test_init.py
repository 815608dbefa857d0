"""stockpipe init: what it asks, what it writes, what it refuses."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import PROGRAM, Serve, command, flags, many, table
from snowflake_gate import INSUFFICIENT_PRIVILEGES, SnowflakeGate, User
from stockpipe.settings import load_settings
from stockpipe.setup import make_key_pair
from stockpipe.warehouse.snowflake.keys import private_key

pytestmark = pytest.mark.slow

KEY = "abcdefghijklmnop"
at_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals that a test can make")


def mode(name: str) -> int:
    return stat.S_IMODE(Path(name).stat().st_mode)


CTRL_C = "\x03\n"


def asked(answers: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`stockpipe init` at a terminal, with an answer typed at each question, and Ctrl+D when there is none left."""
    import pty

    ours, theirs = pty.openpty()
    left, told, answer = iter(answers.splitlines(keepends=True)), b"", ""
    process = subprocess.Popen(
        [sys.executable, "-m", "stockpipe", "init", *arguments],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    guard = threading.Timer(60, process.kill)
    guard.start()
    assert process.stdout
    assert process.stderr
    with process, process.stdout, process.stderr, open(ours, "wb", buffering=0) as keyboard:  # noqa: PTH123
        while part := _said(process, answer):
            told += part
            # Whatever is typed before the space that ends a question is thrown away where the answer is hidden.
            if told.endswith(b": "):
                answer = next(left, "\x04")
                # No terminal controls the process, so Ctrl+C is no signal by itself.
                process.send_signal(signal.SIGINT) if answer == CTRL_C else keyboard.write(answer.encode())
        out = process.stdout.read()
    guard.cancel()
    return subprocess.CompletedProcess(process.args, process.returncode, out.decode(), told.decode())


def _said(process: subprocess.Popen[bytes], answer: str) -> bytes:
    """What it says next. Ctrl+C is pressed again while it says nothing: one that comes just before Python reads waits for the line."""
    assert process.stderr
    while not select.select([process.stderr], [], [], 2)[0]:
        if answer == CTRL_C:
            process.send_signal(signal.SIGINT)
    return os.read(process.stderr.fileno(), 65536)


def test_a_duckdb_set_up_loads_a_day_with_nothing_else(serve: Serve) -> None:
    given = flags(serve(many(4)))
    done = command("init", "--no-input", "--warehouse", "duckdb", "--base-url", given["MASSIVE_BASE_URL"],
                   env={"POLYGON_API_KEY": given["POLYGON_API_KEY"]})  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert mode(".env") == 0o600
    assert f"{PROGRAM} doctor" in done.stderr
    assert command("run").returncode == 0
    assert table("SELECT count(*) FROM TICKERS") == [(4,)]


def test_a_snowflake_set_up_with_a_new_key_loads_a_day(serve: Serve) -> None:
    given = flags(serve(many(4)))
    with SnowflakeGate() as gate:
        gate.users["BOT"] = User("BOT")
        place = {
            name: text for name, text in gate.env().items() if name not in ("SNOWFLAKE_PASSWORD", "SNOWFLAKE_USER")
        }
        done = command("init", "--no-input", "--user", "BOT", "--generate-key", "key.p8", env=given | place)
        assert done.returncode == 0, done.stderr
        assert (mode(".env"), mode("key.p8")) == (0o600, 0o600)
        assert "ENCRYPTED" in Path("key.p8").read_text()
        statement = done.stdout.strip()
        assert statement.startswith('ALTER USER "BOT" SET RSA_PUBLIC_KEY=\'MII')
        passphrase = load_settings(env={}).require("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
        assert passphrase not in done.stdout + done.stderr

        assert command("run").returncode == 4
        user = gate.users["BOT"]
        user.set_rsa_public_key(statement.split("'")[1])
        gate.users["BOT"] = user
        done = command("run")
        assert done.returncode == 0, done.stderr
        assert gate.rows("SELECT count(*) FROM TICKERS") == [(4,)]
        assert {login.authenticator for login in gate.logins} == {"SNOWFLAKE_JWT"}


@at_a_terminal
def test_questions_and_answers() -> None:
    answers = (
        f"{KEY}\nsnowflake\nnot an account\nhttps://myorg-me.snowflakecomputing.com\nBOT\n\n\nMARKETS\n\nkey\nnew.p8\n"
    )
    done = asked(answers)
    assert done.returncode == 0, done.stderr
    assert "SNOWFLAKE_ACCOUNT is 'not an account'" in done.stderr
    found = load_settings(env={})
    names = ("ACCOUNT", "USER", "ROLE", "WAREHOUSE", "DATABASE", "SCHEMA", "PRIVATE_KEY_PATH")
    assert [found.get(f"SNOWFLAKE_{name}") for name in names] == [
        "https://myorg-me.snowflakecomputing.com", "BOT", "STOCKPIPE_LOADER", "STOCKPIPE_WH", "MARKETS", "MARKET_DATA", str(Path.cwd() / "new.p8"),
    ]  # fmt: skip
    assert found.api_key == KEY
    assert done.stdout.startswith('ALTER USER "BOT" SET RSA_PUBLIC_KEY=\'')
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("flag", ["--generate-key", "--private-key-path"])
def test_the_key_is_found_from_any_folder(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    for name in ("settings", "elsewhere"):
        Path(name).mkdir()
    given = ["--api-key", KEY, "--account", "myorg-me", "--env-file", "settings/.env"]
    if flag == "--private-key-path":
        given += ["--private-key-passphrase", make_key_pair(Path("key.p8")).passphrase]
    done = command("init", "--no-input", *given, flag, "key.p8")
    assert done.returncode == 0, done.stderr
    folder = Path.cwd()
    monkeypatch.chdir("elsewhere")
    found = load_settings(env={}, env_file=folder / "settings/.env")
    assert found.get("SNOWFLAKE_PRIVATE_KEY_PATH") == str(folder / "key.p8")
    assert private_key(found)


def test_a_key_in_the_home_folder_stays_there() -> None:
    done = command(
        "init", "--no-input", "--api-key", KEY, "--account", "myorg-me", "--generate-key", "~/key.p8"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path("key.p8").exists()
    found = load_settings(env={})
    assert found.get("SNOWFLAKE_PRIVATE_KEY_PATH") == "~/key.p8"
    assert private_key(found)


@at_a_terminal
def test_a_password_is_asked_for_last_and_kept_as_it_is() -> None:
    odd = 'it\'s a #1 \\ "password" $HOME'
    done = asked(f"{KEY}\nsnowflake\nmyorg-me\n\n\n\n\n\npassword\n{odd}\n")
    assert done.returncode == 0, done.stderr
    assert load_settings(env={}).get("SNOWFLAKE_PASSWORD") == odd
    assert odd not in done.stdout + done.stderr


@at_a_terminal
def test_answers_that_end_too_early_leave_nothing() -> None:
    done = asked(f"{KEY}\n")
    assert (done.returncode, Path(".env").exists()) == (2, False)
    assert "The input ended before all questions were answered." in done.stderr


def test_nothing_is_overwritten() -> None:
    Path(".env").write_text("POLYGON_API_KEY=mine\n")
    done = command("init", "--no-input", env={"POLYGON_API_KEY": KEY})
    assert (done.returncode, Path(".env").read_text()) == (3, "POLYGON_API_KEY=mine\n")
    assert ".env exists already, and was not changed." in done.stderr
    Path("key.p8").write_text("mine")
    done = command(
        "init", "--no-input", "--env-file", "new.env", "--account", "myorg-me", "--generate-key", "key.p8",
        env={"POLYGON_API_KEY": KEY},
    )  # fmt: skip
    assert (done.returncode, Path("key.p8").read_text(), Path("new.env").exists()) == (3, "mine", False)


def test_all_that_is_missing_is_named_at_once() -> None:
    done = command("init", "--no-input", "--warehouse", "snowflake")
    assert done.returncode == 3
    assert (
        "--no-input, and nothing says: POLYGON_API_KEY (--api-key), SNOWFLAKE_ACCOUNT (--account), "
        "a way to sign in (--generate-key, --private-key-path, --token or --password)." in done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--database", "a;b"), 3, "SNOWFLAKE_DATABASE is 'a;b'"),
        (("--account", "a b"), 2, "--account is 'a b'"),
        (("--api-key", "your_key_here"), 3, "still holds the placeholder"),
        (("--warehouse", "oracle"), 2, "--warehouse is 'oracle'"),
        (("--private-key-path", "none.p8"), 3, "The private key in none.p8 cannot be read"),
    ],
)
def test_what_a_run_would_refuse_is_refused_now_and_no_key_is_made(
    arguments: tuple[str, str], code: int, message: str
) -> None:
    given = {"--account": "myorg-me", "--api-key": KEY}
    if "--private-key-path" not in arguments:
        given["--generate-key"] = "key.p8"
    given |= dict([arguments])
    done = command("init", "--no-input", *(word for pair in given.items() for word in pair))
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert not Path(".env").exists()
    assert not Path("key.p8").exists()


def test_create_makes_database_and_schema_or_says_what_is_lacking() -> None:
    with SnowflakeGate() as gate:
        place = gate.env(SNOWFLAKE_DATABASE="NEW_DB", SNOWFLAKE_SCHEMA="NEW_SCHEMA")
        Path(".env").write_text("".join(f"{name}={text}\n" for name, text in place.items()))
        Path(".env").chmod(0o600)
        gate.fault("CREATE DATABASE", action=INSUFFICIENT_PRIVILEGES)
        refused = command("init", "--create")
        assert refused.returncode == 6
        assert "GRANT CREATE DATABASE ON ACCOUNT TO ROLE LOADER_ROLE;" in refused.stderr
        gate.fault("CREATE DATABASE", action=INSUFFICIENT_PRIVILEGES)
        refused = command("init", "--create", env={"SNOWFLAKE_ROLE": "accountadmin"})
        assert f"An administrator makes all with the script of: {PROGRAM} schema --grants\n" in refused.stderr
        done = command("init", "--create")
        assert done.returncode == 0, done.stderr
        assert 'Done: CREATE SCHEMA IF NOT EXISTS "NEW_DB"."NEW_SCHEMA"' in done.stderr
        assert gate.rows("SELECT schema_name FROM NEW_DB.information_schema.schemata WHERE schema_name = 'NEW_SCHEMA'")


def test_a_wrong_value_is_said_to_be_from_where_it_came() -> None:
    done = command("init", "--no-input", "--warehouse", "duckdb", env={"MASSIVE_API_KEY": "a b"})
    assert "POLYGON_API_KEY (from the environment, as MASSIVE_API_KEY): it must be one word" in done.stderr
    done = command("init", "--no-input", "--account", "a b", "--token", "t", env={"POLYGON_API_KEY": KEY})
    assert "--account is 'a b': it must be an account" in done.stderr


@at_a_terminal
@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ("nowhere\n", "STOCKPIPE_WAREHOUSE is 'nowhere': it must be duckdb or snowflake. Answer again."),
        ("snowflake\n \n", "The answer is empty. Answer again."),
        ("snowflake\na b\n", "SNOWFLAKE_ACCOUNT is 'a b': it must be an account such as myorg-myaccount or xy12345.us-east-1, or its URL. Answer again."),
        ("snowflake\nmyorg-me\nyour_user\n", "SNOWFLAKE_USER still holds the placeholder of the example. Answer again."),
        (
            "snowflake\nmyorg-me\n\n\n\na b\n",
            "SNOWFLAKE_DATABASE is 'a b': a name has letters, digits, _ and $ and begins with a letter or _. Answer again; a name of another form needs double quotes.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_with_what_to_do_at_the_prompt(answers: str, says: str) -> None:
    assert f"Error: {says}\n" in asked(f"{KEY}\n{answers}").stderr


@at_a_terminal
def test_an_answer_that_turns_out_wrong_at_the_end_is_to_be_given_anew() -> None:
    Path("mine.p8").mkdir()
    done = asked(f"{KEY}\nsnowflake\nmyorg-me\n\n\n\n\n\nkey\nmine.p8\n\n")
    again = f"Nothing was written: run {PROGRAM} init again and give another answer, or make the file readable"
    assert (done.returncode, again in done.stderr, Path(".env").exists()) == (3, True, False)


@at_a_terminal
@pytest.mark.parametrize(
    ("answers", "code", "says"),
    [
        (CTRL_C, 130, "Stopped on request."),
        (f"{KEY}\n{CTRL_C}", 130, "Stopped on request."),
        (f"{KEY}\n", 2, "The input ended before all questions were answered."),
        ("", 2, "The input ended before all questions were answered."),
    ],
)
def test_what_ends_a_question_is_told_on_a_line_of_its_own(answers: str, code: int, says: str) -> None:
    done = asked(answers)
    assert (done.returncode, done.stderr.count(f": \nError: {says}\n")) == (code, 1)


def test_without_a_terminal_nothing_is_asked() -> None:
    code = [sys.executable, "-m", "stockpipe", "init"]
    done = subprocess.run(code, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True)
    assert (done.returncode, done.stdout, list(Path().iterdir())) == (2, "", [])
    assert done.stderr == ("Error: There is no terminal at which init could ask.\n       Use --no-input with flags.\n")
    given = os.environ | {"POLYGON_API_KEY": KEY}
    done = subprocess.run(
        [*code, "--warehouse", "duckdb"], stdin=subprocess.DEVNULL, env=given, capture_output=True, text=True
    )
    # Where nothing has to be asked, none is needed.
    assert (done.returncode, Path(".env").exists()) == (0, True)


def test_the_order_for_snowflake_is_script_doctor_run_and_the_script_has_the_key() -> None:
    given = ("--api-key", KEY, "--account", "myorg-me", "--user", "first.last@corp.com", "--generate-key", "key.p8")
    done = command("init", "--no-input", *given, "--env-file", "my.env")
    assert done.returncode == 0, done.stderr
    steps = done.stderr.partition("Next:\n")[2].splitlines()
    assert [step.split("    ")[0].strip() for step in steps] == [
        f"{PROGRAM} schema --grants --env-file my.env > grants.sql",
        f"{PROGRAM} doctor --env-file my.env",
        f"{PROGRAM} run --env-file my.env",
    ]
    assert "the user with its key" in " ".join(done.stderr.split())
    statement = done.stdout.strip()
    public = statement.split("'")[1]
    assert statement == f"ALTER USER \"FIRST.LAST@CORP.COM\" SET RSA_PUBLIC_KEY='{public}';"
    script = command("schema", "--grants", "--env-file", "my.env")
    assert (script.returncode, script.stderr) == (0, "")
    assert f"ALTER USER \"FIRST.LAST@CORP.COM\" SET RSA_PUBLIC_KEY = '{public}';" in script.stdout
    assert "PUT THE PUBLIC KEY" not in script.stdout
    assert "section 7" not in script.stdout.partition("-- 1.")[0]


@pytest.mark.parametrize(
    ("env", "warning"),
    [
        ({}, ""),
        ({"SNOWFLAKE_PASSWORD": "pw"}, ""),
        ({"SNOWFLAKE_PRIVATE_KEY_PATH": "none.p8"}, "The private key in none.p8 cannot be read"),
        ({"SNOWFLAKE_PRIVATE_KEY_PATH": "junk.p8"}, "The private key in junk.p8 is no private key in PEM form."),
        ({"SNOWFLAKE_PRIVATE_KEY": "junk"}, "The private key of SNOWFLAKE_PRIVATE_KEY is no private key in PEM form."),
        ({"SNOWFLAKE_PRIVATE_KEY_PATH": "none.p8", "SNOWFLAKE_TOKEN": "t"}, "The private key in none.p8 cannot be read"),
    ],
)  # fmt: skip
def test_without_a_key_to_read_the_script_says_where_it_goes(env: dict[str, str], warning: str) -> None:
    Path("junk.p8").write_text("junk")
    Path("junk.p8").chmod(0o600)
    done = command("schema", "--grants", env=env)
    assert (done.returncode, "RSA_PUBLIC_KEY = '<RSA_PUBLIC_KEY>'" in done.stdout) == (0, True)
    assert (
        done.stderr.startswith(f"Warning: The public key is not in the script: {warning}")
        if warning
        else not done.stderr
    )


def test_who_signs_in_with_a_token_is_promised_no_key_and_gets_none() -> None:
    done = command("init", "--no-input", "--api-key", KEY, "--account", "myorg-me", "--token", "t0ken")
    assert (done.returncode, "and the user\n" in done.stderr, "with its key" in done.stderr) == (0, True, False)
    script = command("schema", "--grants")
    assert (script.returncode, script.stderr, "RSA_PUBLIC_KEY" in script.stdout) == (0, "", False)
    assert 'CREATE USER IF NOT EXISTS "STOCKPIPE_SERVICE"\n    TYPE = SERVICE' in script.stdout
    # A policy that lets in by key only would lock it out; one of addresses is what a token needs.
    assert ("KEYPAIR" in script.stdout, "CREATE NETWORK POLICY" in script.stdout) == (False, True)


@pytest.mark.parametrize(
    "env",
    [
        {"SNOWFLAKE_TOKEN_FILE_PATH": "token"}, {"SNOWFLAKE_OAUTH_CLIENT_ID": "id"}, {"SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "aws"},
        {"SNOWFLAKE_AUTHENTICATOR": "oauth", "SNOWFLAKE_PRIVATE_KEY_PATH": "none.p8"},
    ],
)  # fmt: skip
def test_other_ways_of_a_service_need_no_key(env: dict[str, str]) -> None:
    done = command("schema", "--grants", env=env)
    assert (done.returncode, done.stderr, "RSA_PUBLIC_KEY" in done.stdout) == (0, "", False)


@pytest.mark.parametrize("user", ["https://myorg-me.snowflakecomputing.com", "a\nb"])
def test_what_cannot_be_a_user_is_refused(user: str) -> None:
    given = {"POLYGON_API_KEY": KEY, "SNOWFLAKE_USER": user}
    done = command("init", "--no-input", "--account", "myorg-me", "--token", "t", env=given)
    assert (done.returncode, "it must be the name of a user" in done.stderr, Path(".env").exists()) == (3, True, False)


@at_a_terminal
def test_what_cannot_be_a_user_is_asked_again() -> None:
    done = asked(f"{KEY}\nsnowflake\nmyorg-me\nhttps://app.snowflake.com/\nBOT\n\n\n\n\ntoken\nt0ken\n")
    assert (done.returncode, load_settings(env={}).get("SNOWFLAKE_USER")) == (0, "BOT"), done.stderr
