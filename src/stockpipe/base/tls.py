"""Whose certificates are trusted, and what a handshake that failed means.

The system's certificates, or those that SSL_CERT_FILE or SSL_CERT_DIR names. A certificate is always verified.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpcore2

from stockpipe.errors import ApiError, ConfigError, StockpipeError

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
# Other programs' settings for the same thing, which we do not read: who has set one of them thinks that it holds.
_NOT_OURS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")

# OpenSSL's numbers (x509_vfy.h).
_NOT_YET, _EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 9, 10, 62, 64
# What a server says that does not speak TLS, or none that we speak. It says so every time.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "HANDSHAKE_FAILURE")


def trusting() -> ssl.SSLContext:
    """Whom to trust; ConfigError names the setting and the file when that cannot be read."""
    setting, path = next(((name, os.environ[name]) for name in (FILE, FOLDER) if os.environ.get(name)), ("", ""))
    if setting == FOLDER and not any(Path(folder).is_dir() for folder in path.split(os.pathsep)):
        raise ConfigError(f"{FOLDER} names {path}, which is not a folder.", hint=_HINTS[FOLDER])
    try:
        return httpcore2.default_ssl_context()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        if not setting:
            raise ConfigError(
                f"This machine's certificates cannot be read: {error}.", hint=f"Name a file with them in {FILE}."
            ) from error
        why = "no certificate in PEM form is in it" if isinstance(error, ssl.SSLError) else _reason(error)
        raise ConfigError(f"{setting} names {path}, which cannot be used: {why}.", hint=_HINTS[setting]) from error


_HINTS = {
    FILE: f"Correct {FILE}, or unset it to trust the system's certificates.",
    FOLDER: f"Correct {FOLDER}, or unset it to trust the system's certificates.",
}


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def lasting(error: BaseException | None, host: str, setting: str) -> StockpipeError | None:
    """The error for a handshake that would fail again in the same way; None for a passing fault.

    `setting` is the one whose URL led to `host`.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_verified(error, host, setting)
    reason = (getattr(error, "reason", None) or "") if isinstance(error, ssl.SSLError) else ""
    if any(sign in reason for sign in _NO_TLS):
        return ApiError(
            f"{host} does not answer in TLS ({reason}).",
            hint=f"Check {setting}, its scheme and its port, and whether a proxy answers in its place.",
        )
    if any(sign in reason for sign in _OLD_TLS):
        return ApiError(
            f"{host} and this Python have no version or cipher of TLS in common ({reason}).",
            hint=f"Check {setting}; a company's gateway in between may be too old.",
        )
    return None


def _not_verified(error: ssl.SSLCertVerificationError, host: str, setting: str) -> ApiError:
    why = error.verify_message or "it is not trusted"
    message = f"The certificate of {host} could not be verified: {why} (CERTIFICATE_VERIFY_FAILED)."
    if error.verify_code in (_NOT_YET, _EXPIRED):
        hint = "Check this machine's clock. If it is right, the server's certificate has to be renewed"
    elif error.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
        hint = f"Check the host in {setting}: another server answers there"
    else:
        return ApiError(message, hint=f"{_authority()} Certificates are always verified.")
    return ApiError(
        message, hint=f"{hint}. If a company's gateway answers in its place, {FILE} has to name its authority."
    )


def _authority() -> str:
    """What to do about an authority that is not known, with regard to what is set."""
    for name in (FILE, FOLDER):
        if os.environ.get(name):
            return f"{name} is {os.environ[name]}: the authority that signed the certificate has to be in it."
    for name in _NOT_OURS:
        if os.environ.get(name):
            return f"{name} is not read by stockpipe: set {FILE}={os.environ[name]} as well."
    return f"If your company signs certificates itself, name the file of its authority in {FILE}."
