"""The connections file that Snowflake's own tools share: connections.toml, or [connections] in config.toml.

Where it lies and what it holds is the connector's documentation: the folder SNOWFLAKE_HOME, else ~/.snowflake where
that exists, else the platform's folder for settings. A connections.toml stands in place of the other's [connections].
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stockpipe.base.paths import at_home
from stockpipe.base.text import described, quoted
from stockpipe.errors import ConfigError
from stockpipe.settings.paths import is_secret

NAME = "SNOWFLAKE_DEFAULT_CONNECTION_NAME"

# Keys of a connection as Snowflake CLI, dbt and the connector write them, and our settings.
_KEYS = {
    **{
        name: f"SNOWFLAKE_{name.upper()}"
        for name in (
            "account", "user", "password", "role", "warehouse", "database", "schema", "host", "port", "protocol",
            "authenticator", "private_key", "private_key_path", "private_key_passphrase", "token", "token_file_path",
            "oauth_client_id", "oauth_client_secret", "oauth_token_request_url", "oauth_scope",
            "workload_identity_provider", "passcode",
        )
    },
    "username": "SNOWFLAKE_USER",
    "private_key_file": "SNOWFLAKE_PRIVATE_KEY_PATH",
    "private_key_raw": "SNOWFLAKE_PRIVATE_KEY",
    "private_key_file_pwd": "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
}  # fmt: skip
_PROXY = "HTTPS_PROXY names a proxy"
_CHECKS = "certificates are checked as the connector does by default"
# What other keys of the connector mean, and what there is in their place.
_INSTEAD = {
    **dict.fromkeys(("proxy_host", "proxy_port", "proxy_user", "proxy_password"), _PROXY),
    **dict.fromkeys(("insecure_mode", "disable_ocsp_checks", "ocsp_fail_open", "cert_revocation_check_mode"), _CHECKS),
    "session_parameters": "a session has those that stockpipe needs",
    "secondary_roles": "ALTER USER ... SET DEFAULT_SECONDARY_ROLES sets them",
}


@dataclass(frozen=True)
class Connection:
    """One connection: values by setting name, and where they were found. The values stay out of `repr`.

    `unused` are the keys that mean nothing here.
    """

    origin: str
    values: Mapping[str, str] = field(repr=False)
    path: Path
    unused: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        """What of it is not used, by name, with what there is in its place; None when all of it is."""
        if not self.unused:
            return None
        names: dict[str, list[str]] = {}
        for key in self.unused:
            names.setdefault(_INSTEAD.get(key, ""), []).append(quoted(key, most=40).strip("'"))
        told = (", ".join(keys) + (f" ({instead})" if instead else "") for instead, keys in names.items())
        return f"What {self.origin} has of these is not used: {'; '.join(told)}."


def find_connection(name: str | None, home: str | None, env: Mapping[str, str]) -> Connection | None:
    """The connection of a name, or the default one; `home` is SNOWFLAKE_HOME.

    A value may also stand in the environment as Snowflake CLI has it, SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>, and goes
    before the file's. None when no name was given and there is no default one. Raises ConfigError for a file that
    cannot be read and for a name that it does not have.
    """
    folder = _folder(home)
    path, document = _read(folder)
    known = _table(document.get("connections"))
    wanted = name or document.get("default_connection_name") or "default"
    own = {key: text for key in _KEYS if (text := env.get(f"SNOWFLAKE_CONNECTIONS_{wanted}_{key}".upper()))}
    if wanted not in known and not own:
        if name is None:
            return None
        there = f"It has: {', '.join(known)}." if known else f"There is no such file in {folder}, or it has none."
        raise ConfigError(
            f"There is no connection {quoted(name or wanted, most=100)} in {path}.",
            hint=f"{there} Correct {NAME}, or set SNOWFLAKE_HOME.",
        )
    texts = {key: str(value) for key, value in _table(known.get(wanted)).items()} | own
    values = {_KEYS[key]: text for key, text in texts.items() if key in _KEYS and text}
    return Connection(f"connection {wanted} in {path}", values, path, tuple(key for key in texts if key not in _KEYS))


def _folder(home: str | None) -> Path:
    if home and is_secret(home):
        raise ConfigError(f"SNOWFLAKE_HOME is {described(home)}: it must be a folder.", hint="Correct SNOWFLAKE_HOME.")
    if home:
        return at_home(home, "SNOWFLAKE_HOME")
    own = _spelled_out("~/.snowflake")
    if own.is_dir():
        return own
    if sys.platform == "win32":
        return _spelled_out(os.environ.get("LOCALAPPDATA", "~")) / "snowflake"
    if sys.platform == "darwin":
        return _spelled_out("~/Library/Application Support/snowflake")
    return _spelled_out(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "snowflake"


def _spelled_out(folder: str) -> Path:
    """A folder with `~` spelled out; as it is for a user without a home, who has no such file."""
    with contextlib.suppress(RuntimeError):
        return Path(folder).expanduser()
    return Path(folder)


def _read(folder: Path) -> tuple[Path, dict[str, Any]]:
    """What both files say together, and the one that has the connections."""
    config, connections = folder / "config.toml", folder / "connections.toml"
    document = _parsed(config)
    if not connections.is_file():
        return (config if "connections" in document else connections), document
    return connections, document | {"connections": _parsed(connections)}


def _parsed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib  # few have such a file, and it is slow to import

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path} cannot be read: {what}.", hint="Correct the file, or set SNOWFLAKE_HOME.") from error


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
