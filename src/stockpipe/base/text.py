"""Text from outside, made safe to show."""

from __future__ import annotations

import ipaddress
import re

# Who pastes a URL with a password into a setting shall not find it on the screen. A password may hold any character, so
# all up to the last @ is hidden; without a scheme, only what looks like user:password, as a user may be an address.
_USERINFO = re.compile(r"(?<=//).+(?=@)|^(?!.*//)[^@]*:.*(?=@)", re.DOTALL)


def printable(text: str) -> str:
    """Outside text made safe for a terminal: control characters are shown escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def without_password(text: str) -> str:
    """A setting's text as it may be shown: a URL without its user and password."""
    return _USERINFO.sub("***", text)


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(host: str) -> bool:
    """Whether a text can be a host name or an address at all: sockets take no other, and fail in a way of their own."""
    try:
        host.encode("ascii").decode("ascii").encode("idna")
    except UnicodeError:
        return False
    return not any(char.isspace() for char in host)


def secret_parts(text: str) -> list[str]:
    """User and password of a URL in a setting's text; nothing where it has none."""
    return _USERINFO.findall(text)
