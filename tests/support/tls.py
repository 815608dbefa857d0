"""Certificates of our own, and a sandbox behind them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import many, write_listing
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.sandbox.server import Server

HOST = "api.massive.test"
"""A name that no DNS knows: only a proxy finds the way to it."""

Respond = Callable[[Request], Answer]


def certificate(folder: Path, *names: str, days: tuple[int, int] = (-1, 1)) -> tuple[Path, Path]:
    """A certificate of our own for the names (default: 127.0.0.1 and HOST), valid from and to these days from now, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stockpipe test")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = (
        [x509.DNSName(name) for name in names]
        if names
        else [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(HOST)]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return files


@dataclass
class Secure:
    """A sandbox behind TLS: its origin, the certificate to trust, and how many connections came."""

    url: str
    cert: Path
    port: int
    connections: list[object] = field(default_factory=list)


class _SecureServer(Server):
    """Shakes hands in each connection's own thread: one that never does must not keep the others out."""

    context: ssl.SSLContext
    seen: list[object]

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.seen.append(client_address)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError:  # the client does not trust us
            return
        with secured:
            super().finish_request(secured, client_address)


@contextmanager
def secured(folder: Path, cert: Path, key: Path, rows: int = 1500) -> Iterator[Secure]:
    """A sandbox behind TLS, with this certificate."""
    sandbox = Sandbox(data=write_listing(folder / "listing.csv", many(rows)))
    server = _SecureServer(("127.0.0.1", 0), sandbox.app.answer, 0.0)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(cert, key)
    port = server.server_address[1]
    found = Secure(f"https://127.0.0.1:{port}", cert, port)
    server.seen = found.connections
    sandbox.app.base_url = found.url
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    """A sandbox behind TLS, with a certificate that no machine trusts by itself."""
    with secured(tmp_path, *certificate(tmp_path)) as found:
        yield found
