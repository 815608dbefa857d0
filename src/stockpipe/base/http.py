"""Sockets with a deadline: a server that sends one byte a second cannot hold a run.

A time-out per read is not enough, since every byte starts it anew. Each read here gets only what is left of the time
that the whole answer may take, headers included.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpcore2

from stockpipe.base import tls
from stockpipe.base.proxies import Proxy, proxy_for
from stockpipe.base.text import is_loopback, printable

_LOOK_UP = 0.5
_NUMBER = re.compile(r"^\[(?:Errno|WinError) -?\d+\] ")
_Option = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Stop(Protocol):
    """Says when all reads shall end, such as an event."""

    def is_set(self) -> bool:
        """Whether they shall."""


class Deadline(threading.local):
    """The moment at which the present answer must be complete, one per thread. `stop` ends all reads before it."""

    at: float = float("inf")

    def __init__(self, stop: Stop) -> None:
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

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline, setting: str) -> None:
        self._inner = inner
        self._deadline = deadline
        self._setting = setting

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
        try:
            secure = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        except httpcore2.ConnectError as error:
            if known := tls.lasting(error.__cause__, server_hostname or "the server", self._setting):
                raise known from error
            raise
        return _Stream(secure, self._deadline, self._setting)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Unreachable(httpcore2.ConnectError):
    """No connection: to a host that has no address, or to the proxy. It may pass; `remedy` says what to look at."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


class NobodyListens(Unreachable):
    """A port of this machine that no program listens at."""


def in_words(error: Exception) -> str:
    """What an error of the transport says, without the system's number: `Connection refused`, not `[Errno 111] ...`."""
    return printable(_NUMBER.sub("", str(error)))


class _Backend(httpcore2.NetworkBackend):
    """Opens connections that keep the deadline; all of them go to the proxy where there is one."""

    def __init__(self, deadline: Deadline, proxy: Proxy | None, setting: str) -> None:
        self._inner = httpcore2.SyncBackend()
        self._deadline = deadline
        self._proxy = proxy
        self._setting = setting

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_Option] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        try:
            stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise self._named(host, error) from error
        return _Stream(stream, self._deadline, self._setting)

    def _named(self, host: str, error: Exception) -> Exception:
        """The error with the name of what could not be reached, where that is not plain."""
        text = in_words(error)
        if isinstance(error.__cause__, socket.gaierror):
            text = f"no address is known for the host name {host} ({text})"
        if self._proxy:
            remedy = f"Check {self._proxy.setting}: is the proxy there, and is it still the right one?"
            return Unreachable(f"{self._proxy} could not be reached: {text}", remedy)
        if isinstance(error.__cause__, socket.gaierror):
            return Unreachable(text, f"Check the host name in {self._setting}, the network and its DNS.")
        if isinstance(error.__cause__, ConnectionRefusedError) and is_loopback(host):
            return NobodyListens(text, f"Nothing listens there: check {self._setting}.")
        return error


class _Pool(httpcore2.ConnectionPool):
    """A pool that says what a proxy's refusal means."""

    def __init__(self, proxy: Proxy | None, proxy_context: ssl.SSLContext | None, **how: Any) -> None:
        super().__init__(proxy=proxy.transport(proxy_context) if proxy else None, **how)
        self._named = proxy

    def handle_request(self, request: httpcore2.Request) -> httpcore2.Response:
        try:
            return super().handle_request(request)
        except httpcore2.ProxyError as error:
            raise (self._named.refusal(error) if self._named else error) from error


def open_pool(base_url: str, deadline: Deadline, connections: int, setting: str) -> httpcore2.ConnectionPool:
    """A pool of kept-alive HTTP/1.1 connections, through the proxy that is set for the host, see `proxies`.

    `connections` is how many at once; `setting` names where the URL was set, for errors.
    TLS is always verified, see `tls`. Raises ConfigError for a proxy or a certificate file that cannot be used. A
    handshake that would fail again in the same way ends a request in ApiError, a proxy's refusal in ConfigError.
    """
    secure = urlsplit(base_url).scheme == "https"
    proxy = proxy_for(base_url)
    return _Pool(
        proxy,
        tls.trusting() if proxy and proxy.scheme == "https" else None,
        ssl_context=tls.trusting() if secure else None,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=30.0,
        network_backend=_Backend(deadline, proxy, setting),
    )
