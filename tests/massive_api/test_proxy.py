"""A company's proxy stands between us and both services. Neither stand-in has TLS, so it is HTTP_PROXY here."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import stockpipe
from conftest import Serve, flags, many
from snowflake_gate import SnowflakeGate


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What went through a proxy that the environment names."""
    urls: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            urls.append(self.path.split("?")[0])
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            asked = urllib.request.Request(self.path, body, dict(self.headers), method=self.command)
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked) as answer:
                    content, headers = answer.read(), answer.headers
            except urllib.error.URLError:  # the connector also asks hosts that tell in which cloud it runs
                self.send_error(502)
                return
            self.send_response(200)
            for name in ("Content-Type", "Content-Encoding", "ETag"):
                if headers[name]:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = pass_on  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        yield urls
        server.shutdown()


def test_both_services_are_reached_through_the_proxy(serve: Serve, seen: list[str]) -> None:
    sandbox = serve(many(4))
    with SnowflakeGate() as gate:
        stockpipe.load(settings=flags(sandbox) | gate.env())
        assert gate.rows("SELECT count(*) FROM tickers") == [(4,)]
    assert f"{sandbox.url}/v3/reference/tickers" in seen
    assert f"http://127.0.0.1:{gate.port}/session/v1/login-request" in seen


def test_no_proxy_goes_around_it(serve: Serve, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    stockpipe.load(settings=flags(serve(many(4))))
    assert seen == []
