"""A proxy on this machine, as companies have it: CONNECT, with a user and password where the test wants them."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer


@dataclass
class ConnectProxy:
    """Where it listens, what was asked of it, and how it answers.

    All connections are led to `port` on this machine, whatever host they are for. With `password` ("user:password") it
    answers 407 to whoever does not know it; with `status` ("403 Forbidden") it refuses all.
    """

    port: int
    address: str = ""
    password: str = ""
    status: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, head: str) -> str:
        """The status for a request with these lines."""
        self.asked.append(head.split()[1])
        wanted = "basic " + base64.b64encode(self.password.encode()).decode()
        given = [line.partition(":")[2].strip() for line in head.splitlines() if line.lower().startswith("proxy-auth")]
        if self.password and [text[:6].lower() + text[6:] for text in given] != [wanted]:
            return "407 Proxy Authentication Required"
        return self.status or "200 Connection established"


@contextlib.contextmanager
def connect_proxy(port: int, **how: str) -> Iterator[ConnectProxy]:
    """A proxy in front of `port`; `how` are fields of ConnectProxy."""
    found = ConnectProxy(port, **how)  # type: ignore[arg-type]

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            status = found.answer(_head(self.request))
            self.request.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
            if status.startswith("200"):
                with socket.create_connection(("127.0.0.1", found.port)) as onward:
                    back = threading.Thread(target=_pour, args=(onward, self.request), daemon=True)
                    back.start()
                    _pour(self.request, onward)
                    back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        found.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        server.shutdown()


def _head(client: socket.socket) -> str:
    read = b""
    while b"\r\n\r\n" not in read and (more := client.recv(4096)):
        read += more
    return read.decode("latin-1")


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
