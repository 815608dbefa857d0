"""Private keys and other secrets in files. What cannot be used is a ConfigError that never shows the content."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from stockpipe.errors import ConfigError
from stockpipe.settings import Settings

_LEAST_BITS = 2048
# P-256, P-384 and P-521 are those that the connector signs with.
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_PATH, _TEXT, _PASSPHRASE = "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
# Into a file of its own: `init` overwrites no .env, and who reads this has one.
_MAKES_A_PAIR = "stockpipe init --env-file new.env --generate-key stockpipe.p8 makes a pair"
_PRIVATE = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_FRAMED = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_MOST_BYTES = 1_000_000


def private_key(settings: Settings) -> bytes:
    """The private key as unencrypted DER (PKCS#8). ConfigError when it is not there or cannot be used."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    given, where = _given(settings)
    key = _loaded(_unpacked(given), settings.get(_PASSPHRASE), where)
    if foreign := _foreign(key):
        raise ConfigError(
            f"The private key {where} is of a kind that Snowflake does not take: {foreign}.",
            hint=f"Use RSA of 2048 bits or more ({_MAKES_A_PAIR}), or EC on P-256, P-384 or P-521.",
        )
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def public_key(settings: Settings) -> str:
    """The public key of the private one that is set, as RSA_PUBLIC_KEY takes it: base64 in one line.

    ConfigError when it is not there or cannot be used.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    key = load_der_private_key(private_key(settings), None)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


def _given(settings: Settings) -> tuple[bytes, str]:
    """The key as it is written, and where: in its file or in its setting."""
    if settings.get(_PATH) or settings.get(_TEXT) is None:
        return content(settings, _PATH, "private key", instead=_TEXT), f"in {settings.require(_PATH)}"
    return settings.require(_TEXT).encode(errors="replace"), f"of {_TEXT}"


def _unpacked(given: bytes, layers: int = 3) -> bytes:
    """A key as PEM or DER, whatever a setting or a secrets store made of it.

    Line breaks may be written as \\n or \\r\\n, be spaces, or be lost; there may be quotes around it; the whole may be
    packed in up to `layers` of base64; the first and the last line may be missing. What is none of this is given back.
    """
    encoding = "utf-16" if given[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = given.decode(encoding, "replace").strip().strip("'\"")
    text = re.sub(r"\\r\\n|\\n|\\r|\r\n?", "\n", text).strip()
    if found := _PRIVATE.search(text) or _FRAMED.search(text):
        kind, body = found[1], found[2].strip()
        # Headers of old keys (DEK-Info: ...) need their lines; without them, lines mean nothing.
        body = body if ":" in body else "".join(body.split())
        return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n".encode()
    if "-----" in text:
        return text.encode()
    text = "".join(text.split())
    try:
        # Some stores take the = off at the end, and some write - and _ for + and /.
        inner = base64.b64decode(text + "=" * (-len(text) % 4), b"-_" if set("-_") & set(text) else None, validate=True)
    except (binascii.Error, ValueError):
        return given
    return _unpacked(inner, layers - 1) if inner and layers else given


def _loaded(key: bytes, passphrase: str | None, where: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    load = load_pem_private_key if b"-----BEGIN " in key else load_der_private_key
    if _is_cut(key) or not _is_encrypted(key, load):
        passphrase = None
    elif passphrase is None:
        message = f"The private key {where} is encrypted, and no passphrase is set."
        raise ConfigError(message, hint=f"Set {_PASSPHRASE}.")
    try:
        return load(key, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if passphrase:
            message = f"The private key {where} cannot be opened with the passphrase that is set."
            raise ConfigError(message, hint=f"Correct {_PASSPHRASE}.") from None
        raise ConfigError(f"The private key {where} is no private key in PEM form.", hint=_what_it_is(key)) from None


def _is_encrypted(key: bytes, load: Any) -> bool:
    """Whether a key needs a passphrase: the library says so before it looks at anything else."""
    try:
        load(key, None)
    except TypeError:
        return True
    except Exception:  # noqa: BLE001 - what is wrong with it is said where it is loaded
        return b"ENCRYPTED" in key
    return False


def _is_cut(key: bytes) -> bool:
    return b"-----BEGIN " in key and b"-----END " not in key


def _what_it_is(key: bytes) -> str:
    """What to do about a text that is no private key."""
    if kind := re.search(rb"-----BEGIN ((?:RSA )?PUBLIC KEY|CERTIFICATE)", key):
        return f"It is a {kind[1].decode().lower()}: give the private key that belongs to it."
    if _is_cut(key):
        return "It is cut: its last line (-----END ...) is missing. A line of .env holds one line only, unless it is in quotes."
    return (
        "It begins with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----; the name of its file belongs "
        f"into {_PATH}. {_MAKES_A_PAIR}."
    )


def _foreign(key: Any) -> str:
    """What a key is that Snowflake and its connector do not take, "" for one that they do."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey):
        return "" if key.key_size >= _LEAST_BITS else f"RSA of {key.key_size} bits"
    if isinstance(key, EllipticCurvePrivateKey):
        return "" if key.curve.name in _CURVES else f"EC on the curve {key.curve.name}"
    return type(key).__name__.removesuffix("PrivateKey")


def content(settings: Settings, name: str, what: str, *, instead: str) -> bytes:
    """The bytes of the file that the setting `name` names; `what` says what it holds, `instead` which setting would hold
    it itself. ConfigError when it cannot be read, or has more than a million bytes."""
    path = settings.path(name, instead)
    try:
        with path.open("rb") as file:
            found = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"The {what} in {settings.require(name)} cannot be read: {error.strerror}.",
            hint=f"Correct {name}, or make the file readable by the user that runs stockpipe.",
        ) from error
    if len(found) > _MOST_BYTES:
        raise ConfigError(f"The {what} in {settings.require(name)} is too large to be one.", hint=f"Correct {name}.")
    return found
