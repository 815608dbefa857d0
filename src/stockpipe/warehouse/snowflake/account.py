"""Which Snowflake account, and at which address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import urlsplit

from stockpipe.base.text import is_loopback, looks_like
from stockpipe.settings import Protocol, Settings

_HOSTS = (".snowflakecomputing.com", ".snowflakecomputing.cn")
_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9a-fA-F:.]+")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def account_arguments(settings: Settings) -> dict[str, Any]:
    """Account and host for the connector. A pasted URL is understood, and the ORG.ACCOUNT of Snowsight.

    https://myorg-myaccount.snowflakecomputing.com, https://app.snowflake.com/myorg/myaccount and MYORG.MYACCOUNT all
    mean myorg-myaccount; xy12345.us-east-1 stays as it is. ConfigError for what is no account.
    """
    text = settings.require("SNOWFLAKE_ACCOUNT").strip()
    account, host = _account(text)
    if not _ACCOUNT.fullmatch(account) or looks_like(account):
        raise settings.refused(
            "SNOWFLAKE_ACCOUNT", "an account such as myorg-myaccount or xy12345.us-east-1, or its URL"
        )
    arguments: dict[str, Any] = {"account": account}
    if host := _host(settings) or host:
        arguments["host"] = host
    if settings.get("SNOWFLAKE_PROTOCOL"):
        protocol = arguments["protocol"] = settings.choice("SNOWFLAKE_PROTOCOL", *get_args(Protocol))
        # A sign-in and its rows would be sent in the clear.
        if protocol == "http" and not (host and is_loopback(host)):
            raise settings.refused("SNOWFLAKE_PROTOCOL", "https (http only for this machine itself)")
    if settings.get("SNOWFLAKE_PORT"):
        arguments["port"] = int(settings.number("SNOWFLAKE_PORT", least=1, most=65535))
    return arguments


def user_name(settings: Settings) -> str:
    """The user, who may be called anything, an address too. ConfigError for a URL or several lines: that is no user."""
    text = settings.require("SNOWFLAKE_USER").strip()
    if "://" in text or not text.isprintable() or looks_like(text):
        raise settings.refused("SNOWFLAKE_USER", "the name of a user, such as STOCKPIPE_SERVICE or me@example.com")
    return text


def endpoint(arguments: Mapping[str, Any]) -> tuple[str, int]:
    """The host and the port that a sign-in with these arguments of `account_arguments` goes to.

    myorg-my_account is at myorg-my-account.snowflakecomputing.com, an account in China (cn-...) at .cn.
    """
    account, protocol = str(arguments["account"]), arguments.get("protocol", "https")
    domain = _HOSTS[1] if ".cn-" in account else _HOSTS[0]
    host = arguments.get("host") or account.replace("_", "-") + domain
    return str(host), int(arguments.get("port") or (80 if protocol == "http" else 443))


def _host(settings: Settings) -> str | None:
    host = settings.get("SNOWFLAKE_HOST")
    if host is not None and (not _HOST.fullmatch(host) or looks_like(host)):
        raise settings.refused("SNOWFLAKE_HOST", "the name of a host, without https:// and without a port")
    return host


def _account(text: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return text, None
    host, path = parts.hostname or "", [part for part in parts.path.split("/") if part]
    if host == "app.snowflake.com" and len(path) > 1:
        # A region has a hyphen, which an organization's name cannot have.
        return (f"{path[1]}.{path[0]}" if "-" in path[0] else f"{path[0]}-{path[1]}"), None
    for domain in _HOSTS:
        if host.endswith(domain):
            return host.removesuffix(domain), host if domain == _HOSTS[1] else None
    if match := re.fullmatch(r"([A-Za-z0-9]+)\.([A-Za-z0-9_]+)", text):
        return (text if match[2].lower() in ("privatelink", "global") else f"{match[1]}-{match[2]}"), None
    return text, None
