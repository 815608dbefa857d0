"""A key pair for Snowflake: the private key encrypted in a file, the public key for ALTER USER."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from stockpipe.base.installed import install_command
from stockpipe.errors import ConfigError
from stockpipe.setup.env_file import write_private
from stockpipe.warehouse.scripts.names import quoted_user


@dataclass(frozen=True)
class KeyPair:
    """The private key's file with its passphrase, and the body of the public key in one line."""

    path: Path
    public_key: str
    passphrase: str = field(repr=False)

    def alter_user(self, user: str) -> str:
        """The statement that gives the public key to a user."""
        return f"ALTER USER {quoted_user(user)} SET RSA_PUBLIC_KEY='{self.public_key}';"


def make_key_pair(path: Path, passphrase: str | None = None) -> KeyPair:
    """Make an RSA key of 2048 bits, the least that Snowflake takes, in an encrypted PKCS#8 file with mode 600.

    A passphrase is made when none is given. ConfigError when the file is there already.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as error:
        message = "A key pair cannot be made: the cryptography package, which the connector brings, is not installed."
        raise ConfigError(message, hint=f"Install it: {install_command('snowflake')}") from error
    passphrase = passphrase or secrets.token_urlsafe(24)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(path, private, "Use it (--private-key-path), or name another file.")
    return KeyPair(path, "".join(public.decode().strip().split("\n")[1:-1]), passphrase)
