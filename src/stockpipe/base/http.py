"""Sockets with a deadline: a server that sends one byte a second cannot hold a run.

A time-out per read is not enough, since every byte starts it anew. Each read here gets only what is left of the time
that the whole answer may take, headers included.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

_LOOK_UP = 0.5
_Option = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline(threading.local):
    """The moment at which the present answer must be complete, one per thread. `stop` ends all reads before it."""

    at: float = float("inf")

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop

    def start(self, seconds: float) -> None:
        """Give the next answer this many seconds."""
        self.at = time.monotonic() + seconds

    def left(self, wanted: float | None) -> float:
        """Seconds that a read may take; raises ReadTimeout when none are left."""
        left = self.at - time.monotonic()
        if left <= 0 or self.stop.is_set():
            raise httpcore2.ReadTimeout("the whole answer took too long")
        return left if wanted is None else min(left, wanted)


class _Stream(httpcore2.NetworkStream):
    """A connection whose reads and writes end at the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # In short waits, so that a stop is noticed soon while a server says nothing.
        while (left := self._deadline.left(timeout)) > _LOOK_UP:
            with contextlib.suppress(httpcore2.ReadTimeout):
                return self._inner.read(max_bytes, _LOOK_UP)
        return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secure = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens connections that keep the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._inner = httpcore2.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_Option] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._inner.connect_tcp(host, port, self._deadline.left(timeout), local_address, socket_options)
        return _Stream(stream, self._deadline)


def open_pool(base_url: str, deadline: Deadline, connections: int) -> httpcore2.ConnectionPool:
    """A pool of kept-alive HTTP/1.1 connections, through the system's proxy where one is set for the host.

    TLS is always verified, against the system's certificates or those of SSL_CERT_FILE.
    """
    parts = urlsplit(base_url)
    context = httpcore2.default_ssl_context() if parts.scheme == "https" else None
    proxy_url = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    return httpcore2.ConnectionPool(
        ssl_context=context,
        proxy=_proxy(proxy_url) if proxy_url else None,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=30.0,
        network_backend=_Backend(deadline),
    )


def _proxy(url: str) -> httpcore2.Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    auth = (parts.username, parts.password or "") if parts.username else None
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return httpcore2.Proxy(origin, auth=auth)
