"""TLS is always verified, and a certificate authority of one's own is named with SSL_CERT_FILE."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import stockpipe
from conftest import flags, many, write_listing
from stockpipe.errors import ApiError
from stockpipe.sandbox import Sandbox
from stockpipe.sandbox.server import Server


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of our own for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stockpipe test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return files


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox behind TLS, and the certificate to trust."""
    cert, key = certificate(tmp_path)
    sandbox = Sandbox(data=write_listing(tmp_path / "listing.csv", many(1500)))
    server = Server(("127.0.0.1", 0), sandbox.app.answer, 0.0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    sandbox.app.base_url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield sandbox, cert
    server.shutdown()
    server.server_close()
    thread.join()


def test_ssl_cert_file_names_the_authority(secure: tuple[Sandbox, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, cert = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert stockpipe.load(settings=flags(sandbox)).rows == 1500


def test_an_unknown_certificate_is_never_accepted(
    secure: tuple[Sandbox, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, _ = secure
    monkeypatch.setattr("stockpipe.massive.pacing.backoff", lambda _attempt: 0.001)
    with pytest.raises(ApiError, match="CERTIFICATE_VERIFY_FAILED"):
        stockpipe.load(settings=flags(sandbox))
