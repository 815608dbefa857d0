"""How to sign in to Snowflake: what the connector is given, from what is set.

Key pair first, because it is what a service should use; a password last, because Snowflake has ended it for nearly all accounts. What can be
found wrong without the service (a key that cannot be read, an empty token) is a ConfigError here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stockpipe.base.text import is_safe_url
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings
from stockpipe.warehouse.snowflake.account import account_arguments, user_name
from stockpipe.warehouse.snowflake.keys import content, private_key

SINGLE_FACTOR = (
    "Signing in with a password alone: only trial and reader accounts of Snowflake still take that. Use a key pair "
    "(SNOWFLAKE_PRIVATE_KEY_PATH) or a programmatic access token (SNOWFLAKE_TOKEN)."
)
_WAYS = (
    "SNOWFLAKE_PRIVATE_KEY_PATH (key pair), SNOWFLAKE_TOKEN (programmatic access token), SNOWFLAKE_OAUTH_CLIENT_ID, "
    "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER, SNOWFLAKE_AUTHENTICATOR=externalbrowser, or SNOWFLAKE_PASSWORD"
)

_SECRETS = ("password", "token", "passcode", "oauth_client_secret")

Arguments = dict[str, Any]
"""Of the connector's `connect`. They hold secrets: not for a log."""


@dataclass(frozen=True)
class SignIn:
    """The way of signing in, in the connector's words, and what its `connect` is given, secrets among it."""

    way: str
    arguments: Arguments = field(repr=False)

    @property
    def secrets(self) -> frozenset[str]:
        """The proofs of identity that are text; a private key itself is never sent."""
        return frozenset(str(self.arguments[name]) for name in _SECRETS if self.arguments.get(name))

    @property
    def asks_a_person(self) -> bool:
        """Whether somebody has to answer, in a browser or on a telephone."""
        return self.way in ("EXTERNALBROWSER", "USERNAME_PASSWORD_MFA")

    @property
    def alone(self) -> bool:
        """Whether a password is all there is."""
        return self.way == "SNOWFLAKE"


def sign_in(settings: Settings) -> SignIn:
    """Account, user and proof of identity, as the settings have them.

    Raises ConfigError for what is missing or cannot be used.
    """
    arguments = account_arguments(settings)
    way = _way(settings)
    # A URL is that of an Okta tenant, where the connector signs in with user and password.
    proof = _password if way.startswith("HTTPS://") else _PROOFS.get(way)
    if proof is None:
        raise settings.refused("SNOWFLAKE_AUTHENTICATOR", f"one of {', '.join(_PROOFS)}, or the https URL of Okta")
    if way not in _WITHOUT_USER or settings.get("SNOWFLAKE_USER"):
        arguments["user"] = user_name(settings)
    return SignIn(way, arguments | proof(settings, way))


def _way(settings: Settings) -> str:
    """As set, or by what is set."""
    if given := settings.get("SNOWFLAKE_AUTHENTICATOR"):
        return given.upper()
    for names, way in _FOUND_BY:
        if any(settings.get(name) for name in names):
            return way
    raise ConfigError(
        "SNOWFLAKE_PASSWORD is not set, nor any other way to sign in to Snowflake.",
        hint=f"Looked in: {', '.join(settings.looked_in)}. Set one of {_WAYS}.",
    )


def _key_pair(settings: Settings, way: str) -> Arguments:
    return {"authenticator": way, "private_key": private_key(settings)}


def _token(settings: Settings, way: str) -> Arguments:
    path = settings.get("SNOWFLAKE_TOKEN_FILE_PATH")
    if settings.get("SNOWFLAKE_TOKEN") or path is None:
        return {"authenticator": way, "token": settings.require("SNOWFLAKE_TOKEN")}
    given = content(settings, "SNOWFLAKE_TOKEN_FILE_PATH", "token", instead="SNOWFLAKE_TOKEN")
    token = given.decode("ascii", "replace").strip().strip("'\"")
    settings.add_secret(token)
    if not token or not token.isprintable() or "\ufffd" in token:
        raise ConfigError(f"The token in {path} is empty or is no plain text.", hint="Put a new token there.")
    return {"authenticator": way, "token": token}


def _client_credentials(settings: Settings, way: str) -> Arguments:
    arguments = {
        "authenticator": way,
        "oauth_client_id": settings.require("SNOWFLAKE_OAUTH_CLIENT_ID"),
        "oauth_client_secret": settings.require("SNOWFLAKE_OAUTH_CLIENT_SECRET"),
        "oauth_token_request_url": settings.require("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL"),
    }
    if not is_safe_url(arguments["oauth_token_request_url"]):
        wanted = "a URL that begins with https:// (http:// only for this machine itself)"
        raise settings.refused("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", wanted)
    if scope := settings.get("SNOWFLAKE_OAUTH_SCOPE"):
        arguments["oauth_scope"] = scope
    return arguments


def _workload(settings: Settings, way: str) -> Arguments:
    provider = settings.choice("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "aws", "azure", "gcp", "oidc").upper()
    token = _token(settings, way) if provider == "OIDC" else {}
    return {"authenticator": way, "workload_identity_provider": provider} | token


def _browser(_: Settings, way: str) -> Arguments:
    return {"authenticator": way.lower(), "client_store_temporary_credential": True}


def _password(settings: Settings, way: str) -> Arguments:
    arguments: Arguments = {"password": settings.require("SNOWFLAKE_PASSWORD")}
    if way == "USERNAME_PASSWORD_MFA":
        arguments["client_request_mfa_token"] = True
        if passcode := settings.get("SNOWFLAKE_PASSCODE"):
            arguments["passcode"] = passcode
    return arguments | ({} if way == "SNOWFLAKE" else {"authenticator": way.lower()})


_PROOFS: dict[str, Callable[[Settings, str], Arguments]] = {
    "SNOWFLAKE_JWT": _key_pair,
    "PROGRAMMATIC_ACCESS_TOKEN": _token,
    "OAUTH": _token,
    "OAUTH_CLIENT_CREDENTIALS": _client_credentials,
    "WORKLOAD_IDENTITY": _workload,
    "EXTERNALBROWSER": _browser,
    "USERNAME_PASSWORD_MFA": _password,
    "SNOWFLAKE": _password,
}
_WITHOUT_USER = ("OAUTH", "OAUTH_CLIENT_CREDENTIALS", "WORKLOAD_IDENTITY")
_FOUND_BY = (
    (("SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY"), "SNOWFLAKE_JWT"),
    (("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER",), "WORKLOAD_IDENTITY"),
    (("SNOWFLAKE_OAUTH_CLIENT_ID",), "OAUTH_CLIENT_CREDENTIALS"),
    (("SNOWFLAKE_TOKEN", "SNOWFLAKE_TOKEN_FILE_PATH"), "PROGRAMMATIC_ACCESS_TOKEN"),
    (("SNOWFLAKE_PASSWORD",), "SNOWFLAKE"),
)
