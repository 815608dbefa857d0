"""A secret in the wrong setting is described, never quoted: in errors, config, doctor, logs, alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from conftest import Serve, command, flags, many
from stockpipe.base.text import described, is_safe_url, looks_like, quoted, redacted, secret_parts, without_secrets
from stockpipe.errors import StockpipeError
from stockpipe.load.checks import Limits
from stockpipe.massive.memory import recall
from stockpipe.massive.open import Bounds, paced
from stockpipe.observe.alerts import Alerts
from stockpipe.settings import SETTINGS, Settings, load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake.session import session_plan
from support.clocks import FakeClock
from support.keys import pem
from support.receivers import TOKEN, Receiver

PEM = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
BODY = "".join(PEM.strip().split("\n")[1:-1])
RANDOM = "beBybSi8daPgsTp5yx5cHtHpYcrjp5Jq"
JWT = "eyJraWQiOiIxMjM0NTY3ODkwIiwiYWxnIjoiRVMyNTYifQ.eyJwIjoiMTIzNDU2Nzg5MCJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
SECRETS = {
    "key": PEM,
    "key with \\n": PEM.replace("\n", "\\n"),
    "key without its frame": BODY,
    "key packed in base64": "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVND",
    "token": JWT,
    "random": RANDOM,
    "hex": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "password": "Tr0ub4dor&3xyz",
    "passphrase": "correct horse battery staple",
    "URL with a user": "https://loader:s3cretword@warehouse.example/v3",
    "URL with a query": "https://warehouse.example/v3?apiKey=s3cretword1",
    "webhook": "https://hooks.slack.com/services/T00000000/B00000000/XqX2aXk3XfXqX8sXdXw1q7Yz",
}
PIECES = {name: [text] for name, text in SECRETS.items()} | {
    "key": PEM.strip().split("\n")[1:-1],
    "key with \\n": PEM.strip().split("\n")[1:-1],
    "key without its frame": [BODY[:40], BODY[100:140]],
    "token": [JWT, JWT.split(".")[1]],
    "URL with a user": ["s3cretword"],
    "URL with a query": ["s3cretword1"],
    "webhook": ["XqX2aXk3XfXqX8sXdXw1q7Yz"],
}
# What has the form that the setting asks for, and is a word to us.
_ANYTHING = {
    "SNOWFLAKE_USER", "SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_OAUTH_SCOPE", "SNOWFLAKE_OAUTH_CLIENT_ID",
    "SNOWFLAKE_DEFAULT_CONNECTION_NAME",
    "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_TOKEN_FILE_PATH", "SNOWFLAKE_HOME", "STOCKPIPE_DUCKDB_PATH", "STOCKPIPE_STATE_FILE",
}  # fmt: skip
PLACE = {
    f"SNOWFLAKE_{name}": text
    for name, text in (
        ("ACCOUNT", "myorg-myaccount"), ("USER", "BOT"), ("DATABASE", "DB"), ("SCHEMA", "S"), ("WAREHOUSE", "WH"), ("PASSWORD", "x"),
    )
}  # fmt: skip


def _uses(settings: Settings) -> list[Callable[[], object]]:
    """All that a run and the doctor ask the settings for, before anything is sent."""
    clock = FakeClock()
    return [
        lambda: settings.api_key,
        lambda: settings.base_url,
        lambda: settings.warehouse,
        lambda: settings.duckdb_path,
        lambda: recall(settings.state_file).plan("key", date(2026, 2, 7)),
        lambda: settings.batch_size,
        lambda: settings.load_method,
        lambda: paced(settings, clock),
        lambda: Bounds.of(settings),
        lambda: Limits.of(settings),
        lambda: Alerts.from_settings(settings),
        lambda: session_plan(settings),
        lambda: open_warehouse(settings),
    ]


def _said(settings: Settings) -> str:
    """The texts of all errors, and the warnings."""
    said = list(settings.warnings)
    for use in _uses(settings):
        try:
            use()
        except StockpipeError as error:
            said += [str(error), repr(error)]
    return "\n".join(said)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name, setting in SETTINGS.items()
        for kind in SECRETS
        if not setting.secret and not (kind in ("password", "passphrase") and name in _ANYTHING)
    ],
)
def test_a_secret_in_any_setting_is_in_no_error(name: str, kind: str) -> None:
    place = PLACE | {"POLYGON_API_KEY": "a-test-key", "STOCKPIPE_WAREHOUSE": "snowflake"}
    for warehouse in ("snowflake", "duckdb"):
        try:
            settings = load_settings(env=place | {"STOCKPIPE_WAREHOUSE": warehouse, name: SECRETS[kind]})
        except StockpipeError as error:
            said = f"{error} {error!r}"
        else:
            said = _said(settings)
        assert [piece for piece in PIECES[kind] if piece in said] == []


@pytest.mark.parametrize("kind", [kind for kind in SECRETS if kind not in ("password", "passphrase")])
def test_config_describes_a_secret_in_the_wrong_setting(kind: str) -> None:
    env = {name: SECRETS[kind] for name, setting in SETTINGS.items() if not setting.secret and name != "STOCKPIPE_WAREHOUSE"}  # fmt: skip
    env = {name: text for name, text in env.items() if not name.endswith(("CONNECTION_NAME", "HOME"))}
    done = command("config", "--json", env=env)
    table = command("config", env=env)
    assert (done.returncode, table.returncode) == (0, 0)
    shown = {line["name"]: line["value"] for line in json.loads(done.stdout)["settings"]}
    assert [piece for piece in PIECES[kind] if piece in done.stdout + done.stderr + table.stdout + table.stderr] == []
    if "://" not in SECRETS[kind]:
        assert shown["SNOWFLAKE_USER"].startswith(f"(a text of {len(SECRETS[kind].strip()):,} characters")


def test_a_private_key_in_place_of_its_file_is_nowhere(serve: Serve, receiver: Receiver) -> None:
    env = flags(serve(many(3))) | PLACE | {
        "SNOWFLAKE_PRIVATE_KEY_PATH": PEM,
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
    }  # fmt: skip
    done = command("run", "-vv", "--json", "--log-file", "run.log", env=env)
    others = [command(name, env=env) for name in ("doctor", "config", "status", "runs")]
    says = (
        f"SNOWFLAKE_PRIVATE_KEY_PATH is a text of {len(PEM.strip()):,} characters in 28 lines that looks like a private key "
        "(from the environment): it must be the name of a file."
    )
    assert (done.returncode, says in done.stderr, says in others[0].stdout) == (3, True, True)
    assert "Put it into SNOWFLAKE_PRIVATE_KEY, or name a file in SNOWFLAKE_PRIVATE_KEY_PATH." in done.stderr
    assert says in receiver.documents[0]["message"]
    told = str([done, *others]).replace(str(env), "") + Path("run.log").read_text() + str(receiver.calls)
    assert [line for line in PEM.split("\n")[1:-2] if line in told] == []


def test_a_token_in_place_of_its_file() -> None:
    settings = load_settings(env=PLACE | {"SNOWFLAKE_AUTHENTICATOR": "oauth", "SNOWFLAKE_TOKEN_FILE_PATH": JWT})
    with pytest.raises(StockpipeError) as raised:
        session_plan(settings)
    assert raised.value.hint == "Put it into SNOWFLAKE_TOKEN, or name a file in SNOWFLAKE_TOKEN_FILE_PATH."
    assert JWT not in str(raised.value)


def test_what_a_token_file_holds_is_a_secret_from_then_on() -> None:
    Path("token").write_text("a-token-in-a-file\n")
    settings = load_settings(env=PLACE | {"SNOWFLAKE_AUTHENTICATOR": "oauth", "SNOWFLAKE_TOKEN_FILE_PATH": "token"})
    session_plan(settings)
    assert "a-token-in-a-file" in settings.secrets


@pytest.mark.parametrize(
    "text",
    [
        "stockpipe.duckdb", "/var/lib/stockpipe/tickers-2026.duckdb", "/home/User1/Data/Stock2026/Polygon/Warehouse",
        "/private/var/pytest-of-root/pytest-12/test_a0/x.duckdb", "~/.ssh/stockpipe.p8", r"C:\Users\me\stockpipe.duckdb",
        r"C:\Users\me@corp\x.duckdb", "/nix/store/3f2a9c1d2b4a5968778695a4b3c2d1e0-stockpipe", "myorg-myaccount", "MYORG-MY_ACCOUNT1", "xy12345.us-east-1",
        "MyOrgMyAccountIsHere1", "STOCKPIPE_SERVICE_2026", "dbt_cloud_pr_12345_678", "MARKET_DATA", "me@example.com",
        "https://api.massive.com", "http://127.0.0.1:8765", "session:role:STOCKPIPE_LOADER", "0.2", "7200", "externalbrowser",
        "xy12345.west-europe.azure.snowflakecomputing.com", "stockpipe-production-eu-west-1-2026",
    ],
)  # fmt: skip
def test_ordinary_values_are_no_secrets(text: str) -> None:
    assert (looks_like(text), secret_parts(text), without_secrets(text)) == ("", set(), text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("silver", "'silver'"),
        ("x; DROP", "'x; DROP'"),
        ("Tr0ub4dor&3", "a text of 11 characters"),
        ("correct horse battery staple", "a text of 28 characters"),
        (RANDOM, "a text of 32 characters that looks like a random key"),
        ("https://me:pw@x.example/v3?key=1#f", "'https://***@x.example/v3?***'"),
        ("https://x.example/#access_token=abc", "'https://x.example/#***'"),
        ("api.example/v3?apiKey=abc", "'api.example/v3?***'"),
        ("https://hc-ping.com/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "'https://hc-ping.com/***'"),
        (f"https://{RANDOM}", "'https://***'"),
    ],
)
def test_a_wrong_value_is_quoted_only_when_it_is_harmless(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_a_description_has_length_lines_and_look() -> None:
    assert described("x" * 1704) == "a text of 1,704 characters"
    assert described(f"{'x' * 10}\n{'y' * 10}") == "a text of 21 characters in 2 lines"


@pytest.mark.parametrize(
    "said",
    [
        "no {}",
        "no {!r}",
        "{}",
        "<p>no &quot;{}&quot;",
    ],
)
def test_a_secret_is_found_in_the_forms_that_others_give_it(said: str) -> None:
    for secret in ('pa"ss\\w&rd <1>', "a\tb\nc with lines", PEM):
        assert "***" in redacted(said.format(secret), [secret])
        assert secret.strip() not in redacted(said.format(secret), [secret])


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("a/b+c=d&e", "a%2Fb%2Bc%3Dd%26e"),
        ("two words", "two+words"),
        ("p%40ss-word", "p@ss-word"),
        ("<tag>&co", "&lt;tag&gt;&amp;co"),
        ('quo"ted', 'quo\\"ted'),
        ("sla/shes", "sla\\/shes"),
        ("no-utf8-\udcff", "no-utf8-\udcff"),
        ("lines\nof-sixteen-characters", "of-sixteen-characters"),
    ],
)
def test_each_spelling_of_a_secret(secret: str, said: str) -> None:
    assert redacted(f"before {said} after", [secret]) == "before *** after"


def test_a_short_secret_hides_no_ordinary_words() -> None:
    assert redacted("the API answered", ["the", "AP"]) == "the API answered"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://x.example/a", True),
        ("http://127.0.0.1:1/a", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("HTTPS://x.example", True),
        ("http://x.example", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://x.example:port", False),
        ("https://x .example", False),
        ('"https://x.example"', False),
        ("x.example", False),
        ("http://localhost.example", False),
    ],
)
def test_where_secrets_may_be_sent(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe


def test_the_password_of_a_proxy_and_each_header_is_a_secret() -> None:
    env = {"https_proxy": "http://us%20er:p%40ss-word@proxy:3128", "OTEL_EXPORTER_OTLP_HEADERS": "a=Bearer%20one-two,b=three-four"}  # fmt: skip
    secrets = load_settings(env=env).secrets
    assert {"p%40ss-word", "Bearer one-two", "three-four"} <= secrets
    assert redacted("407 for p@ss-word", secrets) == "407 for ***"
