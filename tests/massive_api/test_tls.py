"""TLS is always verified. A fault that comes back in the same way is not retried, and names the setting to correct."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Serve, command, flags, many, table
from stockpipe.errors import ApiError, ConfigError
from support.loads import load
from support.receivers import TOKEN, Receiver
from support.tls import HOST, Secure, certificate, secured


def at(url: str) -> dict[str, str | None]:
    return {
        "POLYGON_API_KEY": "sandbox-key",
        "MASSIVE_BASE_URL": url,
        "MASSIVE_PLAN": "paid",
        "STOCKPIPE_PARALLEL_CALLS": "1",
    }


def test_ssl_cert_file_names_the_authority(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.cert))
    assert load(at(secure.url)).rows == 1500


def test_ssl_cert_dir_is_a_folder_of_authorities(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(Path.cwd()))
    with pytest.raises(ApiError) as caught:  # the file has no name that OpenSSL would look for
        load(at(secure.url))
    assert caught.value.hint.startswith(f"SSL_CERT_DIR is {Path.cwd()}: the authority")


def test_an_unknown_certificate_is_never_accepted_and_not_asked_again(secure: Secure) -> None:
    with pytest.raises(ApiError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        load(at(secure.url))
    assert caught.value.message == (
        "The certificate of 127.0.0.1 could not be verified: self-signed certificate (CERTIFICATE_VERIFY_FAILED)."
    )
    assert "name the file of its authority in SSL_CERT_FILE" in caught.value.hint
    assert len(secure.connections) == 1


def test_who_set_another_programs_variable_is_told_so(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.cert))
    with pytest.raises(ApiError) as caught:
        load(at(secure.url))
    assert f"REQUESTS_CA_BUNDLE is not read by stockpipe: set SSL_CERT_FILE={secure.cert} as well." in caught.value.hint
    assert len(secure.connections) == 1


def test_another_authority_than_the_one_that_is_set(
    secure: Secure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    other, _ = certificate(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with pytest.raises(ApiError) as caught:
        load(at(secure.url))
    assert f"SSL_CERT_FILE is {other}: the authority that signed the certificate has to be in it." in caught.value.hint


@pytest.mark.parametrize(
    ("names", "days", "why", "hint"),
    [
        ((), (-3, -1), "certificate has expired", "Check this machine's clock."),
        ((), (1, 3), "certificate is not yet valid", "Check this machine's clock."),
        ((HOST,), (-1, 1), "IP address mismatch", "Check the host in MASSIVE_BASE_URL"),
    ],
)
def test_a_certificate_that_is_known_and_not_good(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    days: tuple[int, int],
    why: str,
    hint: str,
) -> None:
    cert, key = certificate(tmp_path, *names, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with secured(tmp_path, cert, key) as server, pytest.raises(ApiError, match="could not be verified") as caught:
        load(at(server.url))
    assert why in caught.value.message
    assert caught.value.hint.startswith(hint)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert len(server.connections) == 1


def test_https_where_plain_http_is_spoken(serve: Serve) -> None:
    sandbox = serve(many(1))
    with pytest.raises(ApiError, match=r"127\.0\.0\.1 does not answer in TLS \(WRONG_VERSION_NUMBER\)") as caught:
        load(at(sandbox.url.replace("http:", "https:")))
    assert "Check MASSIVE_BASE_URL, its scheme and its port" in caught.value.hint


def broken(kind: str) -> str:
    """A value of SSL_CERT_FILE or SSL_CERT_DIR that cannot be used."""
    place = Path("place")
    if kind == "a folder":
        place.mkdir()
    elif kind in ("no certificate", "a file"):
        place.write_text("nothing of the sort")
    elif kind == "empty":
        place.touch()
    return str(place)


BROKEN = [
    ("SSL_CERT_FILE", "missing", "No such file or directory"),
    ("SSL_CERT_FILE", "no certificate", "no certificate in PEM form is in it"),
    ("SSL_CERT_FILE", "empty", "no certificate in PEM form is in it"),
    ("SSL_CERT_FILE", "a folder", "cannot be used"),
    ("SSL_CERT_DIR", "missing", "not a folder"),
    ("SSL_CERT_DIR", "a file", "not a folder"),
]


@pytest.mark.parametrize(("setting", "kind", "why"), BROKEN)
def test_a_file_of_authorities_that_cannot_be_used_is_named(
    setting: str, kind: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, broken(kind))
    with pytest.raises(ConfigError) as caught:
        load(at("https://127.0.0.1:9"))
    assert caught.value.message.startswith(f"{setting} names place, which ")
    assert why in caught.value.message
    assert caught.value.hint == f"Correct {setting}, or unset it to trust the system's certificates."


def test_plain_http_needs_no_certificates(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "gone.pem")
    assert load(flags(serve(many(3)))).rows == 3


def test_a_broken_file_of_authorities_does_not_break_a_run_through_an_alert(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "gone.pem")
    hook = {"STOCKPIPE_PING_URL": "https://127.0.0.1:9/never-to-be-shown"}
    assert load(flags(serve(many(3))) | hook).rows == 3
    assert table("SELECT count(*) FROM TICKERS") == [(3,)]
    warnings = [record.message for record in caplog.records if record.name == "stockpipe.observe.alerts"]
    assert warnings == [
        "The ping alert could not be sent (SSL_CERT_FILE names gone.pem, which cannot be used: No such file or "
        "directory. Correct SSL_CERT_FILE, or unset it to trust the system's certificates.). The run goes on."
    ]


def test_an_alert_whose_receiver_has_an_unknown_certificate_says_so(
    serve: Serve, secure: Secure, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(flags(serve(many(3))) | {"STOCKPIPE_PING_URL": f"{secure.url}/never-to-be-shown"}).rows == 3
    warnings = [record.message for record in caplog.records if record.name == "stockpipe.observe.alerts"]
    assert len(warnings) == 1
    assert "The ping alert could not be sent (The certificate of 127.0.0.1 could not be verified" in warnings[0]
    assert "never-to-be-shown" not in warnings[0]
    assert len(secure.connections) == 2  # one for the start, one for the end


def test_a_failure_between_us_and_the_api_is_told_to_the_receivers(receiver: Receiver, secure: Secure) -> None:
    hook = {"STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}"}
    with pytest.raises(ApiError):
        load(at(secure.url) | hook)
    assert [(told["event"], told["exit_code"]) for told in receiver.documents] == [("failed", 5)]
    assert "SSL_CERT_FILE" in receiver.documents[0]["message"]


def found_by_doctor(url: str, *, env: dict[str, str], code: int) -> dict[str, dict[str, str]]:
    done = command(
        "doctor", "--json", env={"POLYGON_API_KEY": "a-good-key-of-32-characters-xxx", "MASSIVE_BASE_URL": url} | env
    )
    assert (done.returncode, done.stderr) == (code, "")
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


@pytest.mark.parametrize("setting", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_doctor_survives_a_file_that_is_gone(setting: str) -> None:
    found = found_by_doctor("https://127.0.0.1:9", env={setting: broken("missing")}, code=3)
    assert found["API"]["level"] == "FAIL"
    assert found["API"]["text"].startswith(f"{setting} names place, which ")
    assert found["API"]["remedy"] == f"Correct {setting}, or unset it to trust the system's certificates."
    assert found["key"]["level"] == "SKIP"
    assert "disk" in found


def test_the_doctor_says_of_a_certificate_what_a_run_says(secure: Secure) -> None:
    found = found_by_doctor(secure.url, env={}, code=5)
    assert found["API"]["text"].startswith("The certificate of 127.0.0.1 could not be verified: self-signed")
    assert "SSL_CERT_FILE" in found["API"]["remedy"]
    assert "disk" in found


def test_the_doctor_says_of_plain_http_behind_https_what_a_run_says(serve: Serve) -> None:
    found = found_by_doctor(serve(many(1)).url.replace("http:", "https:"), env={}, code=5)
    assert found["API"]["text"] == "127.0.0.1 does not answer in TLS (WRONG_VERSION_NUMBER)."
