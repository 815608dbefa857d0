"""What a session at Snowflake needs, and nobody has set: all of it is named at once."""

from __future__ import annotations

from stockpipe.errors import ConfigError
from stockpipe.settings import Settings

PROOFS = (
    "SNOWFLAKE_PRIVATE_KEY_PATH", "SNOWFLAKE_PRIVATE_KEY", "SNOWFLAKE_TOKEN", "SNOWFLAKE_TOKEN_FILE_PATH", "SNOWFLAKE_PASSWORD",
    "SNOWFLAKE_OAUTH_CLIENT_ID", "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "SNOWFLAKE_AUTHENTICATOR",
)  # fmt: skip
"""Settings of which one says how to sign in."""
_ALWAYS = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_DATABASE", "SNOWFLAKE_SCHEMA")
_WITHOUT_USER = ("SNOWFLAKE_OAUTH_CLIENT_ID", "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "SNOWFLAKE_AUTHENTICATOR")
"""Ways of signing in of which some need no user; the sign-in itself says where one does."""


def check_needed(settings: Settings) -> None:
    """Raise ConfigError where settings of the account are missing.

    How to sign in is named beside others only: alone it is told by the sign-in, which knows more of it.
    """
    needed = _ALWAYS if any(settings.find(name) for name in _WITHOUT_USER) else (*_ALWAYS, "SNOWFLAKE_USER")
    missing = [name for name in needed if settings.find(name) is None]
    signs_in = any(settings.find(name) for name in PROOFS)
    if len(missing) == 1 and signs_in:
        settings.require(missing[0])
    if missing:
        raise _error(settings, missing, signs_in=signs_in)


def _error(settings: Settings, missing: list[str], *, signs_in: bool) -> ConfigError:
    *first, last = missing
    names = f"{', '.join(first)} and {last} are" if first else f"{last} is"
    nor = "" if signs_in else ", nor any way to sign in (such as SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_TOKEN)"
    return ConfigError(
        f"{names} not set{nor}.",
        hint=f"Looked in: {', '.join(settings.looked_in)}. Set them in .env or in the environment; where there is no .env, "
        "stockpipe init asks for them and writes it.",
    )
