"""The sandbox's sockets: a threaded HTTP/1.1 server on loopback around anything that turns a Request into an Answer."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from stockpipe.sandbox.app import Answer, Request

Respond = Callable[[Request], Answer]
_REASONS = {int(status): status.phrase for status in HTTPStatus}


class Server(ThreadingHTTPServer):
    """Listens on `address`; each connection has a thread and is kept alive."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], respond: Respond, latency: float) -> None:
        self.respond = respond
        self.latency = latency
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.respond(Request("GET", parts.path, dict(parse_qsl(parts.query)), headers))
        if self.server.latency:
            time.sleep(self.server.latency)
        if answer.wire is not None:
            self._hand_over(answer.wire)
        else:
            self._send(answer, packs="gzip" in headers.get("accept-encoding", ""))

    def _send(self, answer: Answer, *, packs: bool) -> None:
        body, extra = answer.body, dict(answer.headers)
        if packs and not answer.raw and len(body) > 500:
            body = answer.packed or gzip.compress(body, 5)
            extra["Content-Encoding"] = "gzip"
        extra.setdefault("Content-Length", str(len(body)))
        reason = _REASONS.get(answer.status, "")
        lines = [
            f"HTTP/1.1 {answer.status} {reason}",
            f"Date: {self.date_time_string()}",
            *(f"{n}: {v}" for n, v in extra.items()),
        ]
        # One send for head and body: two would wait for each other's acknowledgement.
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def _hand_over(self, wire: Callable[[socket.socket], None]) -> None:
        self.close_connection = True
        wire(self.connection)

    def log_message(self, format: str, *args: object) -> None:
        """The sandbox is silent; `Sandbox.calls` has what was asked."""
