"""The proxy between us and an origin: which one, how it is named to the user, and what its refusal means.

Read as curl, requests and httpx read it: `https_proxy`, `HTTPS_PROXY`, then `all_proxy`, `ALL_PROXY`; user and password
are percent-decoded; `no_proxy` names hosts that are reached directly. This machine itself is always reached directly.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

from stockpipe.base.text import is_loopback, printable
from stockpipe.errors import ConfigError, StockpipeError

_FORM = "http://user:password@host:port"
_ENCODED = "Special characters in user and password are percent-encoded: @ as %40, / as %2F, % as %25."
_PORTS = {"http": 80, "https": 443}
# What a proxy may answer to CONNECT in a bad moment; everything else it would answer again.
_PASSING = frozenset({408, 425, 429, *range(500, 600)})


@dataclass(frozen=True)
class Proxy:
    """A proxy and the setting that names it. Its user and password stay out of `repr`."""

    setting: str
    scheme: str
    host: str
    port: int
    auth: tuple[bytes, bytes] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port} ({self.setting})"

    def transport(self, context: ssl.SSLContext | None) -> httpcore2.Proxy:
        """As the pool wants it; `context` says whom to trust when the proxy itself speaks TLS."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return httpcore2.Proxy(f"{self.scheme}://{host}:{self.port}", auth=self.auth, ssl_context=context)

    def refusal(self, error: httpcore2.ProxyError) -> Exception:
        """What its answer to CONNECT means: ConfigError, or ProxyError where the next try may go well."""
        said = printable(str(error)).strip()
        status = int(said[:3]) if said[:3].isdecimal() else 0
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return asks_for_password(self)
        if status in _PASSING or not status:
            return httpcore2.ProxyError(f"{self} could not connect to it: {said}")
        return ConfigError(
            f"{self} refuses to connect to the host: {said}.".replace("the", "The", 1),
            hint=f"Let the proxy allow the host, name another proxy in {self.setting}, or put the host into NO_PROXY.",
        )


def asks_for_password(proxy: Proxy | None = None) -> StockpipeError:
    """The error for a 407: the proxy does not take the user and password, or has got none."""
    setting = proxy.setting if proxy else "HTTPS_PROXY"
    who = str(proxy).replace("the", "The", 1) if proxy else "A proxy on the way to the host"
    what = "did not accept the user and password" if proxy and proxy.auth else "asks for a user and a password"
    return ConfigError(f"{who} {what} (HTTP 407).", hint=f"Set {setting}={_FORM}. {_ENCODED}")


def proxy_for(origin: str) -> Proxy | None:
    """The proxy that is set for an origin, None to go there directly; ConfigError for one that cannot be used."""
    parts = urlsplit(origin)
    if is_loopback(parts.hostname or "") or _is_excepted(parts):
        return None
    setting, url = _set_for(parts.scheme)
    return _parsed(setting, url) if url else None


def _set_for(scheme: str) -> tuple[str, str]:
    """The name and the text of the setting for a scheme; on macOS and Windows it may be the system's own."""
    found = getproxies()
    for kind in (scheme, "all"):
        if url := (found.get(kind) or "").strip():
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())
            return next((name for name in names if os.environ.get(name)), "the system's proxy setting"), url
    return "", ""


def _is_excepted(parts: SplitResult) -> bool:
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    listed = {name.strip().rstrip("/") for name in getproxies().get("no", "").split(",")}
    return bool(
        proxy_bypass(host) or proxy_bypass(f"{host}:{port}") or {f"{parts.scheme}://{parts.netloc}", host} & listed
    )


def _parsed(setting: str, url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable(setting) from None
    if parts.scheme.startswith("socks"):
        raise ConfigError(
            f"{setting} names a SOCKS proxy, and stockpipe only speaks with HTTP proxies.",
            hint=f"Set {setting}={_FORM}, or put the host into NO_PROXY to reach it without a proxy.",
        )
    # An @ behind the host is part of a password with a bare / ? or # in it.
    stray = "@" in parts.path + parts.query + parts.fragment
    if parts.scheme not in _PORTS or not host or not host.isascii() or " " in host or stray:
        raise _unusable(setting)
    return Proxy(setting, parts.scheme, host, port or _PORTS[parts.scheme], _auth(parts))


def _auth(parts: SplitResult) -> tuple[bytes, bytes] | None:
    if "@" not in parts.netloc:
        return None
    return unquote_to_bytes(parts.username or ""), unquote_to_bytes(parts.password or "")


def _unusable(setting: str) -> ConfigError:
    # The text stays unquoted: it may hold a password in any place.
    return ConfigError(f"{setting} is not the URL of a proxy.", hint=f"Write {setting}={_FORM}. {_ENCODED}")
