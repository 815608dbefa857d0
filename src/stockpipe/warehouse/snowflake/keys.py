"""Private keys and other secrets in files. What cannot be used is a ConfigError that never shows the content."""

from __future__ import annotations

from typing import Any

from stockpipe.base.paths import at_home
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings

_LEAST_BITS = 2048
# P-256, P-384 and P-521 are those that the connector signs with.
_CURVES = ("secp256r1", "secp384r1", "secp521r1")


def private_key(settings: Settings) -> bytes:
    """The private key as unencrypted DER (PKCS#8). ConfigError when it is not there or cannot be used."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem, where = _pem(settings)
    key = _loaded(pem, settings.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"), where)
    if foreign := _foreign(key):
        raise ConfigError(
            f"The private key {where} is of a kind that Snowflake does not take: {foreign}.",
            hint="Use RSA of 2048 bits or more (stockpipe init --generate-key makes a pair), or EC on P-256, P-384 or P-521.",
        )
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _pem(settings: Settings) -> tuple[bytes, str]:
    if path := settings.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
        return content(path, "private key", "SNOWFLAKE_PRIVATE_KEY_PATH"), f"in {path}"
    # In an environment variable the line breaks are often written as \n.
    if settings.get("SNOWFLAKE_PRIVATE_KEY") is None:
        settings.require("SNOWFLAKE_PRIVATE_KEY_PATH")
    text = settings.require("SNOWFLAKE_PRIVATE_KEY").replace("\\n", "\n")
    if "-----" not in text:
        kind = "ENCRYPTED PRIVATE KEY" if settings.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE") else "PRIVATE KEY"
        text = f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n"
    return text.encode(), "of SNOWFLAKE_PRIVATE_KEY"


def _loaded(pem: bytes, passphrase: str | None, where: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in pem
    if encrypted and passphrase is None:
        raise ConfigError(
            f"The private key {where} is encrypted, and no passphrase is set.",
            hint="Set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE.",
        )
    try:
        return load_pem_private_key(pem, passphrase.encode() if passphrase and encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted and b"BEGIN" in pem:
            message = f"The private key {where} cannot be opened with the passphrase that is set."
            raise ConfigError(message, hint="Correct SNOWFLAKE_PRIVATE_KEY_PASSPHRASE.") from None
        raise ConfigError(
            f"The private key {where} is no private key in PEM form.",
            hint="It begins with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----; "
            "stockpipe init --generate-key makes a pair.",
        ) from None


def _foreign(key: Any) -> str:
    """What a key is that Snowflake and its connector do not take, "" for one that they do."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey):
        return "" if key.key_size >= _LEAST_BITS else f"RSA of {key.key_size} bits"
    if isinstance(key, EllipticCurvePrivateKey):
        return "" if key.curve.name in _CURVES else f"EC on the curve {key.curve.name}"
    return type(key).__name__.removesuffix("PrivateKey")


def content(path: str, what: str, setting: str) -> bytes:
    """The bytes of a file that a setting names; ConfigError when it cannot be read."""
    try:
        return at_home(path, setting).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The {what} in {path} cannot be read: {error.strerror}.",
            hint=f"Correct {setting}, or make the file readable by the user that runs stockpipe.",
        ) from error
