"""Can a host be reached at all? Asked by those whose own client would try for half a minute, and name another host."""

from __future__ import annotations

import base64
import socket

from stockpipe.base.proxies import Proxy, proxy_for
from stockpipe.base.text import printable

_MOST_BYTES = 4096
_GOOD = b"200"


def why_not_reached(host: str, port: int, seconds: float) -> str:
    """Why no connection to a host comes about within `seconds`; "" when one does, through the proxy where one is set.

    ConfigError for a proxy that cannot be used.
    """
    proxy = proxy_for(f"https://{host}:{port}")
    if proxy and proxy.scheme == "https":
        return ""  # that takes a TLS client, which says itself what is wrong
    at = (proxy.host, proxy.port) if proxy else (host, port)
    try:
        with socket.create_connection(at, timeout=seconds) as connection:
            return _refused_by(proxy, connection, host, port) if proxy else ""
    except OSError as error:
        return f"{proxy}: {_said(error, seconds)}" if proxy else _said(error, seconds)


def _said(error: OSError, seconds: float) -> str:
    if isinstance(error, socket.gaierror):
        return f"its name is not known here ({error.strerror})"
    return f"no answer within {seconds:.0f} s" if isinstance(error, TimeoutError) else error.strerror or str(error)


def _refused_by(proxy: Proxy, connection: socket.socket, host: str, port: int) -> str:
    """What a proxy says against a connection to the host, "" when it makes one."""
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if proxy.auth:
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(b":".join(proxy.auth)).decode())
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    status = connection.recv(_MOST_BYTES).split(b"\r\n", 1)[0]
    if _GOOD in status.split(b" ")[1:2]:
        return ""
    return f"{proxy} refuses to connect to it: {printable(status.decode('latin-1'))}"
