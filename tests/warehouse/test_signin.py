"""Signing in to Snowflake: each way as the connector really sends it, and what is said when it fails."""

from __future__ import annotations

import base64
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import jwt
import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from snowflake_gate import SnowflakeGate, User
from stockpipe.errors import AccessError, ConfigError, StockpipeError, WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse import open_warehouse
from stockpipe.warehouse.snowflake.account import account_arguments, endpoint
from stockpipe.warehouse.snowflake.keys import private_key
from support.keys import PrivateKey, pem, public_pem

Write = Callable[..., str]


@pytest.fixture(scope="module")
def gate() -> Iterator[SnowflakeGate]:
    with SnowflakeGate() as gate:
        yield gate


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def _bot(gate: SnowflakeGate, key: rsa.RSAPrivateKey) -> None:
    """A service user with every kind of proof but a password."""
    gate.users["BOT"] = bot(key)
    gate.logins.clear()


def bot(key: PrivateKey, identities: Iterable[str] = ()) -> User:
    user = User(
        "BOT",
        access_tokens={"pat-1"},
        oauth_tokens={"oauth-1"},
        expired_tokens={"old"},
        identity_tokens=set(identities),
    )
    user.set_rsa_public_key(public_pem(key))
    return user


def signed_in(gate: SnowflakeGate, user: str | None = "BOT", **proof: str) -> object:
    """Who the service says it is, after signing in with no password unless one is given."""
    env = {name: text for name, text in gate.env().items() if name not in ("SNOWFLAKE_PASSWORD", "SNOWFLAKE_USER")}
    given = env | proof | ({"SNOWFLAKE_USER": user} if user else {})
    warehouse = open_warehouse(load_settings(env=given))
    warehouse.begin("the-run")
    try:
        return warehouse.query("SELECT CURRENT_USER()").rows[0][0]
    finally:
        warehouse.close()


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def refusal(gate: SnowflakeGate, kind: type[StockpipeError], user: str | None = "BOT", **proof: str) -> StockpipeError:
    with pytest.raises(kind) as error:
        signed_in(gate, user, **proof)
    for secret in proof.values():
        assert not (len(secret) > 12 and "/" not in secret and secret in str(error.value))
    return error.value


# The ways


@pytest.mark.parametrize("passphrase", [None, "long and secret"])
def test_a_key_pair_in_a_file(gate: SnowflakeGate, key: rsa.RSAPrivateKey, passphrase: str | None) -> None:
    Path("key.p8").write_text(pem(key, passphrase))
    more = {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": passphrase} if passphrase else {}
    assert signed_in(gate, SNOWFLAKE_PRIVATE_KEY_PATH="key.p8", **more) == "BOT"
    assert gate.logins[0].authenticator == "SNOWFLAKE_JWT"


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text,
        lambda text: text.strip().replace("\n", "\\n"),
        lambda text: "".join(text.strip().split("\n")[1:-1]),
        lambda text: text.strip().replace("\n", "\\r\\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.strip().replace("\n", " "),
        lambda text: text.strip().replace("\n", ""),
        lambda text: f'"{text.strip()}"',
        lambda text: "'" + text.strip().replace("\n", "\\n") + "\\n'",
        lambda text: f"\n  {text}\n\n",
        lambda text: "".join(f"    {line}\n" for line in text.split("\n")),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.encodebytes(text.replace("\n", "\r\n").encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
        lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
        lambda text: base64.b64encode("".join(text.strip().split("\n")[1:-1]).encode()).decode(),
        lambda text: f"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n{text}",
    ],
    ids=[
        "as it is", "with \\n", "without its frame", "with \\r\\n", "CRLF", "CR", "spaces for lines", "one line", "quotes",
        "quotes and \\n", "blank lines", "indented", "base64", "base64 in lines", "base64 for URLs", "base64 twice",
        "base64 without its frame", "behind its certificate",
    ],
)  # fmt: skip
@pytest.mark.parametrize("passphrase", [None, "long and secret"])
def test_a_key_in_each_form_that_people_and_stores_give_it(
    key: rsa.RSAPrivateKey, written: Callable[[str], str], passphrase: str | None
) -> None:
    text, more = written(pem(key, passphrase)), {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": passphrase} if passphrase else {}
    expected = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert private_key(load_settings(env=more | {"SNOWFLAKE_PRIVATE_KEY": text})) == expected
    Path("key.p8").write_bytes(text.encode())
    assert private_key(load_settings(env=more | {"SNOWFLAKE_PRIVATE_KEY_PATH": "key.p8"})) == expected


def test_a_key_as_a_file_of_other_encodings(key: rsa.RSAPrivateKey) -> None:
    expected = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for content in (expected, pem(key).encode("utf-16"), pem(key).encode("utf-8-sig")):
        Path("key.p8").write_bytes(content)
        assert private_key(load_settings(env={"SNOWFLAKE_PRIVATE_KEY_PATH": "key.p8"})) == expected


def test_a_key_pair_in_the_environment(gate: SnowflakeGate, key: rsa.RSAPrivateKey) -> None:
    packed = base64.b64encode(pem(key, "long and secret").encode()).decode()
    assert signed_in(gate, SNOWFLAKE_PRIVATE_KEY=packed, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE="long and secret") == "BOT"


@pytest.mark.parametrize("pack", [lambda text: text, lambda text: base64.b64encode(text.encode()).decode()])
def test_the_true_reason_why_a_key_cannot_be_used(key: rsa.RSAPrivateKey, pack: Callable[[str], str]) -> None:
    locked = pem(key, "long and secret")
    cut = "It is cut: its last line (-----END ...) is missing. A line of .env holds one line only, unless it is in quotes."
    for text, more, message, hint in (
        (locked, {}, "is encrypted, and no passphrase is set.", "Set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE."),
        (
            locked,
            {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "quite another"},
            "cannot be opened with the passphrase that is set.",
            "Correct SNOWFLAKE_PRIVATE_KEY_PASSPHRASE.",
        ),
        (
            public_pem(key),
            {},
            "is no private key in PEM form.",
            "It is a public key: give the private key that belongs to it.",
        ),
        (locked.split("\n")[0], {}, "is no private key in PEM form.", cut),
        (pem(key)[:800], {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "x"}, "is no private key in PEM form.", cut),
    ):
        with pytest.raises(ConfigError) as raised:
            private_key(load_settings(env={"SNOWFLAKE_PRIVATE_KEY": pack(text)} | more))
        assert (raised.value.message, raised.value.hint) == (
            f"The private key of SNOWFLAKE_PRIVATE_KEY {message}",
            hint,
        )


def test_a_file_name_in_place_of_the_key_is_told_where_it_belongs() -> None:
    with pytest.raises(ConfigError, match="the name of its file belongs into SNOWFLAKE_PRIVATE_KEY_PATH"):
        private_key(load_settings(env={"SNOWFLAKE_PRIVATE_KEY": "/etc/stockpipe/key.p8"}))


def test_a_key_file_that_never_ends_is_refused() -> None:
    with pytest.raises(ConfigError, match="The private key in /dev/zero is too large to be one"):
        private_key(load_settings(env={"SNOWFLAKE_PRIVATE_KEY_PATH": "/dev/zero"}))


def test_a_key_pair_goes_before_a_password_and_warns_of_nothing(
    gate: SnowflakeGate, key: rsa.RSAPrivateKey, caplog: pytest.LogCaptureFixture
) -> None:
    assert signed_in(gate, SNOWFLAKE_PRIVATE_KEY=pem(key), SNOWFLAKE_PASSWORD="wrong") == "BOT"
    assert not warned(caplog)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_a_key_of_an_elliptic_curve(gate: SnowflakeGate, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    gate.users["BOT"] = bot(key)
    if snowflake.connector.__version__ < "4":
        error = refusal(gate, ConfigError, SNOWFLAKE_PRIVATE_KEY=pem(key))
        assert error.message.startswith(
            "The connector cannot use the private key: 251008: Private key type (ECPrivateKey)"
        )
        assert (error.hint, gate.logins) == ("Use RSA of 2048 bits or more, or a newer connector.", [])
        return
    assert signed_in(gate, SNOWFLAKE_PRIVATE_KEY=pem(key)) == "BOT"


def test_a_programmatic_access_token(gate: SnowflakeGate) -> None:
    assert signed_in(gate, SNOWFLAKE_TOKEN="pat-1") == "BOT"
    Path("token").write_text("pat-1\n")
    assert signed_in(gate, SNOWFLAKE_TOKEN_FILE_PATH="token") == "BOT"
    assert {login.authenticator for login in gate.logins} == {"PROGRAMMATIC_ACCESS_TOKEN"}


def test_an_oauth_token(gate: SnowflakeGate) -> None:
    assert signed_in(gate, None, SNOWFLAKE_AUTHENTICATOR="oauth", SNOWFLAKE_TOKEN="oauth-1") == "BOT"
    assert gate.logins[0].authenticator == "OAUTH"


def test_oauth_client_credentials(gate: SnowflakeGate) -> None:
    gate.oauth_clients["client"] = ("client secret", "BOT")
    proof = {
        "SNOWFLAKE_OAUTH_CLIENT_ID": "client",
        "SNOWFLAKE_OAUTH_CLIENT_SECRET": "client secret",
        "SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL": f"http://127.0.0.1:{gate.port}/oauth/token-request",
    }
    assert signed_in(gate, **proof) == "BOT"
    assert gate.logins[0].authenticator == "OAUTH"
    error = refusal(gate, AccessError, **proof | {"SNOWFLAKE_OAUTH_CLIENT_SECRET": "another secret"})
    assert "SNOWFLAKE_OAUTH_CLIENT_SECRET" in error.hint


def test_workload_identity(gate: SnowflakeGate, key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    # The connector sends a workload's token to hosts of Snowflake only, and to those of this list.
    monkeypatch.setenv("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "127.0.0.1")
    token = jwt.encode({"iss": "https://idp.example", "sub": "job"}, "a key of thirty-two bytes or more")
    gate.users["BOT"] = bot(key, [token])
    Path("token").write_text(token)
    proof = {"SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "oidc", "SNOWFLAKE_TOKEN_FILE_PATH": "token"}
    assert signed_in(gate, None, **proof) == "BOT"
    assert (gate.logins[0].authenticator, gate.logins[0].data["PROVIDER"]) == ("WORKLOAD_IDENTITY", "OIDC")
    gate.users["BOT"] = bot(key)
    assert "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER" in refusal(gate, AccessError, None, **proof).hint


def test_an_external_browser(
    gate: SnowflakeGate, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The browser comes back at once, as a real one does, and opens the page meanwhile.
    opens = f"{sys.executable} -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' \"$1\""
    Path("browser").write_text(f"#!/bin/sh\n{opens} >/dev/null 2>&1 &\n")
    Path("browser").chmod(0o700)
    monkeypatch.setenv("BROWSER", str(Path("browser").resolve()))
    if snowflake.connector.__version__ >= "5":
        # Connector 5 opens no page without TLS, and the stand-in has none.
        error = refusal(gate, AccessError, SNOWFLAKE_AUTHENTICATOR="externalbrowser")
        assert "URL must use https scheme" in error.message
        return
    assert signed_in(gate, SNOWFLAKE_AUTHENTICATOR="externalbrowser") == "BOT"
    assert gate.logins[0].authenticator == "EXTERNALBROWSER"
    assert capfd.readouterr().out == ""


def test_a_password_with_mfa(gate: SnowflakeGate, caplog: pytest.LogCaptureFixture) -> None:
    gate.users["ANNA"] = User("ANNA", password="anna's password", mfa_passcode="123456")
    proof = {"SNOWFLAKE_AUTHENTICATOR": "username_password_mfa", "SNOWFLAKE_PASSWORD": "anna's password"}
    assert signed_in(gate, "ANNA", **proof, SNOWFLAKE_PASSCODE="123456") == "ANNA"
    assert gate.logins[0].data["SESSION_PARAMETERS"]["CLIENT_REQUEST_MFA_TOKEN"] is True
    assert not warned(caplog)
    error = refusal(gate, AccessError, "ANNA", SNOWFLAKE_PASSWORD="anna's password")
    assert "SNOWFLAKE_AUTHENTICATOR=username_password_mfa" in error.hint


def test_a_password_alone_works_and_warns_once(gate: SnowflakeGate, caplog: pytest.LogCaptureFixture) -> None:
    assert signed_in(gate, "LOADER", SNOWFLAKE_PASSWORD=gate.password) == "LOADER"
    assert warned(caplog) == [
        "Signing in with a password alone: only trial and reader accounts of Snowflake still take that. "
        "Use a key pair (SNOWFLAKE_PRIVATE_KEY_PATH) or a programmatic access token (SNOWFLAKE_TOKEN)."
    ]


# What fails


def test_a_key_that_the_user_does_not_have_is_refused(gate: SnowflakeGate) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    error = refusal(gate, AccessError, SNOWFLAKE_PRIVATE_KEY=pem(other))
    assert error.message.startswith("Snowflake refused the sign-in of BOT:")
    assert "RSA_PUBLIC_KEY" in error.hint


@pytest.mark.parametrize(
    ("proof", "hint"),
    [
        ({"SNOWFLAKE_TOKEN": "old"}, "SNOWFLAKE_TOKEN"),
        ({"SNOWFLAKE_TOKEN": "unknown"}, "SNOWFLAKE_TOKEN"),
        ({"SNOWFLAKE_TOKEN": "old", "SNOWFLAKE_AUTHENTICATOR": "oauth"}, "get a new one"),
        ({"SNOWFLAKE_PASSWORD": "wrong"}, "SNOWFLAKE_PASSWORD"),
        ({"SNOWFLAKE_TOKEN": "pat-1", "SNOWFLAKE_ROLE": "NOBODYS"}, "GRANT ROLE"),
    ],
)
def test_what_the_service_refuses_ends_with_4(gate: SnowflakeGate, proof: dict[str, str], hint: str) -> None:
    error = refusal(gate, AccessError, **proof)
    assert error.exit_code == 4
    assert hint in error.hint
    assert error.message.startswith("Snowflake refused")


def test_a_key_that_cannot_be_used_ends_with_3_before_any_request(gate: SnowflakeGate, key: rsa.RSAPrivateKey) -> None:
    Path("locked.p8").write_text(pem(key, "long and secret"))
    Path("junk.p8").write_text("not a key")
    Path("public.pem").write_text(public_pem(key))
    wrong = {"SNOWFLAKE_PRIVATE_KEY_PATH": "locked.p8", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "quite another"}
    messages = [
        refusal(gate, ConfigError, **proof).message
        for proof in (
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "locked.p8"},
            wrong,
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "junk.p8"},
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "public.pem"},
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "missing.p8"},
            {"SNOWFLAKE_PRIVATE_KEY_PATH": "."},
            {"SNOWFLAKE_PRIVATE_KEY": "not a key"},
        )
    ]
    assert messages == [
        "The private key in locked.p8 is encrypted, and no passphrase is set.",
        "The private key in locked.p8 cannot be opened with the passphrase that is set.",
        "The private key in junk.p8 is no private key in PEM form.",
        "The private key in public.pem is no private key in PEM form.",
        "The private key in missing.p8 cannot be read: No such file or directory.",
        "The private key in . cannot be read: Is a directory.",
        "The private key of SNOWFLAKE_PRIVATE_KEY is no private key in PEM form.",
    ]
    assert gate.logins == []


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), "RSA of 1024 bits"),  # noqa: S505 - weak on purpose
        (dsa.generate_private_key(key_size=1024), "DSA"),  # noqa: S505
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ec.generate_private_key(ec.SECP256K1()), "EC on the curve secp256k1"),
    ],
    ids=["short", "dsa", "ed25519", "curve"],
)
def test_a_key_of_a_kind_that_snowflake_does_not_take_ends_with_3(
    gate: SnowflakeGate, key: PrivateKey, found: str
) -> None:
    Path("key.p8").write_text(pem(key))
    error = refusal(gate, ConfigError, SNOWFLAKE_PRIVATE_KEY_PATH="key.p8")
    assert error.message == f"The private key in key.p8 is of a kind that Snowflake does not take: {found}."
    assert error.hint == (
        "Use RSA of 2048 bits or more (stockpipe init --env-file new.env --generate-key stockpipe.p8 makes a pair), or EC on P-256, P-384 or P-521."
    )
    assert (error.exit_code, gate.logins) == (3, [])


def test_what_is_missing_is_named(gate: SnowflakeGate) -> None:
    Path("empty").write_text("\n")
    ways = refusal(gate, ConfigError)
    assert ways.message == "SNOWFLAKE_PASSWORD is not set, nor any other way to sign in to Snowflake."
    assert "Set one of SNOWFLAKE_PRIVATE_KEY_PATH (key pair), SNOWFLAKE_TOKEN" in ways.hint
    for proof, message in (
        (
            {"SNOWFLAKE_AUTHENTICATOR": "magic"},
            "SNOWFLAKE_AUTHENTICATOR is 'magic' (from the environment): it must be",
        ),
        ({"SNOWFLAKE_AUTHENTICATOR": "oauth"}, "SNOWFLAKE_TOKEN is not set"),
        (
            {"SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt"},
            "SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY_FILE is not set",
        ),
        ({"SNOWFLAKE_OAUTH_CLIENT_ID": "client"}, "SNOWFLAKE_OAUTH_CLIENT_SECRET is not set"),
        ({"SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "moon"}, "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER is 'moon'"),
        ({"SNOWFLAKE_TOKEN_FILE_PATH": "empty"}, "The token in empty is empty"),
        ({"SNOWFLAKE_TOKEN_FILE_PATH": "missing"}, "The token in missing cannot be read: No such file"),
    ):
        assert refusal(gate, ConfigError, **proof).message.startswith(message)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"SNOWFLAKE_PORT": "1"}, "Snowflake could not be reached at 127.0.0.1:1: Connection refused"),
        (
            {"SNOWFLAKE_HOST": "", "SNOWFLAKE_PROTOCOL": "", "SNOWFLAKE_PORT": "", "SNOWFLAKE_ACCOUNT": "my_org-acc"},
            "Snowflake could not be reached at my-org-acc.snowflakecomputing.com:443: its name is not known here (",
        ),
    ],
)
def test_a_host_that_cannot_be_reached_is_told_at_once(
    gate: SnowflakeGate, monkeypatch: pytest.MonkeyPatch, place: dict[str, str], message: str
) -> None:
    """Which host was tried, and whether its name is known: the connector alone takes half a minute and tells neither."""
    waits: list[float] = []
    monkeypatch.setattr("stockpipe.warehouse.snowflake.session.time.sleep", waits.append)
    known = socket.getaddrinfo

    def unknown(host: str, *more: object, **how: object) -> object:
        if host.endswith(".snowflakecomputing.com"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *more, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = refusal(gate, WarehouseError, SNOWFLAKE_TOKEN="pat-1", **place)
    assert error.message.startswith(message)
    assert (error.exit_code, waits, gate.logins) == (6, [2.0], [])


@pytest.mark.parametrize(
    ("arguments", "at"),
    [
        ({"account": "MYORG-MY_ACCOUNT"}, ("MYORG-MY-ACCOUNT.snowflakecomputing.com", 443)),
        ({"account": "xy12345.us-east-1"}, ("xy12345.us-east-1.snowflakecomputing.com", 443)),
        ({"account": "xy12345.cn-north-1"}, ("xy12345.cn-north-1.snowflakecomputing.cn", 443)),
        ({"account": "a-b.privatelink"}, ("a-b.privatelink.snowflakecomputing.com", 443)),
        ({"account": "a", "host": "127.0.0.1", "protocol": "http"}, ("127.0.0.1", 80)),
        ({"account": "a", "host": "h_1", "port": 8443}, ("h_1", 8443)),
    ],
)
def test_where_a_sign_in_goes(arguments: dict[str, object], at: tuple[str, int]) -> None:
    assert endpoint(arguments) == at


# Which account


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("myorg-myaccount", "myorg-myaccount"),
        ("MYORG-MY_ACCOUNT", "MYORG-MY_ACCOUNT"),
        ("myorg.myaccount", "myorg-myaccount"),
        ("xy12345.us-east-1", "xy12345.us-east-1"),
        ("xy12345.west-europe.azure", "xy12345.west-europe.azure"),
        ("myorg-myaccount.privatelink", "myorg-myaccount.privatelink"),
        ("https://myorg-myaccount.snowflakecomputing.com", "myorg-myaccount"),
        ("https://myorg-myaccount.snowflakecomputing.com:443", "myorg-myaccount"),
        ("myorg-myaccount.snowflakecomputing.com:443/console", "myorg-myaccount"),
        ("https://app.snowflake.com:443/myorg/myaccount", "myorg-myaccount"),
        ("https://XY12345.us-east-1.snowflakecomputing.com/console/login#/", "xy12345.us-east-1"),
        ("myorg-myaccount.privatelink.snowflakecomputing.com", "myorg-myaccount.privatelink"),
        ("https://app.snowflake.com/myorg/myaccount/#/homepage", "myorg-myaccount"),
        ("https://app.snowflake.com/us-east-1/xy12345/worksheets", "xy12345.us-east-1"),
        ("  myorg-myaccount ", "myorg-myaccount"),
    ],
)
def test_an_account_in_any_form(text: str, account: str) -> None:
    assert account_arguments(load_settings({"SNOWFLAKE_ACCOUNT": text}, env={})) == {"account": account}


@pytest.mark.parametrize(
    "place",
    [
        {"SNOWFLAKE_PROTOCOL": "http"},
        {"SNOWFLAKE_PROTOCOL": "http", "SNOWFLAKE_HOST": "snowflake.corp.example"},
        {"SNOWFLAKE_PROTOCOL": "HTTP", "SNOWFLAKE_HOST": "127.0.0.1.example"},
        {"SNOWFLAKE_PROTOCOL": "ftp", "SNOWFLAKE_HOST": "127.0.0.1"},
    ],
)
def test_nothing_goes_to_another_machine_in_the_clear(place: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="SNOWFLAKE_PROTOCOL is ") as raised:
        account_arguments(load_settings(env={"SNOWFLAKE_ACCOUNT": "myorg-myaccount"} | place))
    assert raised.value.exit_code == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_may_be_asked_in_the_clear(host: str) -> None:
    env = {"SNOWFLAKE_ACCOUNT": "myorg-myaccount", "SNOWFLAKE_PROTOCOL": "http", "SNOWFLAKE_HOST": host}
    assert account_arguments(load_settings(env=env))["protocol"] == "http"


def test_a_client_secret_goes_to_no_other_machine_in_the_clear(gate: SnowflakeGate) -> None:
    proof = {
        "SNOWFLAKE_OAUTH_CLIENT_ID": "client",
        "SNOWFLAKE_OAUTH_CLIENT_SECRET": "client secret",
        "SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL": "http://idp.example/token",
    }
    error = refusal(gate, ConfigError, **proof)
    assert error.message.startswith(
        "SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL is 'http://idp.example/token' (from the environment)"
    )


@pytest.mark.parametrize("host", ["https://x.example", "x.example:443", "a b", "x.example/path"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=r"SNOWFLAKE_HOST is .*: it must be the name of a host, without https:// and"):
        account_arguments(load_settings(env={"SNOWFLAKE_ACCOUNT": "myorg-myaccount", "SNOWFLAKE_HOST": host}))


def test_hosts() -> None:
    china = {"SNOWFLAKE_ACCOUNT": "https://xy12345.cn-northwest-1.snowflakecomputing.cn"}
    assert account_arguments(load_settings(china, env={})) == {
        "account": "xy12345.cn-northwest-1",
        "host": "xy12345.cn-northwest-1.snowflakecomputing.cn",
    }
    link = {
        "SNOWFLAKE_ACCOUNT": "myorg-myaccount",
        "SNOWFLAKE_HOST": "snowflake.corp.example",
        "SNOWFLAKE_PORT": "8443",
    }
    assert account_arguments(load_settings(link, env={})) == {
        "account": "myorg-myaccount",
        "host": "snowflake.corp.example",
        "port": 8443,
    }


@pytest.mark.parametrize(
    "text", ["my account", "https://example.com/x", "a;b", "https://app.snowflake.com/", "https://[", "https://"]
)
def test_what_is_no_account_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="SNOWFLAKE_ACCOUNT is"):
        account_arguments(load_settings(env={"SNOWFLAKE_ACCOUNT": text}))
