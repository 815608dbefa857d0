"""A receiver of pings and webhooks on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

TOKEN = "token-never-to-be-shown"


@dataclass
class Receiver:
    """What a receiver got, and how it answers: with the statuses in turn, then with 200."""

    url: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[str | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    silent: threading.Event | None = None

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for path, body in self.calls if path == f"/hook/{TOKEN}"]

    @property
    def pings(self) -> list[tuple[str, str]]:
        return [(path.removeprefix(f"/ping/{TOKEN}"), body) for path, body in self.calls if path.startswith("/ping")]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.calls.append((self.path, body))
            receiver.kinds.append(self.headers["Content-Type"])
            if receiver.silent:
                receiver.silent.wait(30)
                return
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    if found.silent:
        found.silent.set()
    server.shutdown()
    server.server_close()
    thread.join()
