"""Answers that no client should take for a page."""

from __future__ import annotations

import json
from dataclasses import replace

from stockpipe.sandbox import Answer, Request
from stockpipe.sandbox.server import Respond

JSON = {"Content-Type": "application/json"}


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


TRANSIENT = {
    "500": Answer(500, b"oops"),
    "502 HTML": Answer(502, b"<html>Bad Gateway</html>"),
    "503 empty": Answer(503),
    "429 JSON": Answer(429, body(status="ERROR", error="You've exceeded the maximum requests per minute"), JSON),
    "429 empty": Answer(429),
    "429 with Retry-After": Answer(429, b"", {"Retry-After": "0.02"}),
    "429 with junk": Answer(429, b"<html>", {"Retry-After": "soon"}),
    "429 negative": Answer(429, b"", {"Retry-After": "-5"}),
    "HTML with 200": Answer(200, b"<html>maintenance</html>"),
    "empty with 200": Answer(200),
    "truncated JSON": Answer(200, b'{"results":[{"ticker":"A"', JSON),
    "no results": Answer(200, body(status="OK", request_id="1"), JSON),
    "results null": Answer(200, body(status="OK", results=None), JSON),
    "results no list": Answer(200, body(status="OK", results={"a": 1}), JSON),
    "status ERROR": Answer(200, body(status="ERROR", results=[]), JSON),
    "throttled with 200": Answer(200, body(status="ERROR", error="exceeded the maximum requests per minute"), JSON),
    "broken gzip": Answer(200, b"\x1f\x8bnot gzip", {"Content-Encoding": "gzip"}, raw=True),
    "shorter than said": Answer(200, b"{}", {"Content-Length": "500"}, raw=True, wire=lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}")),
    "reset": Answer(200, wire=lambda s: s.close()),
    "invalid UTF-8": Answer(200, b'{"status":"OK","results":[{"ticker":"\xff"}]}', JSON),
}  # fmt: skip


def without_the_sign(respond: Respond) -> Respond:
    """An API that does not call itself a sandbox: to us, a real one."""

    def answer(request: Request) -> Answer:
        found = respond(request)
        headers = {name: text for name, text in found.headers.items() if name != "X-Sandbox"}
        return replace(found, headers=headers)

    return answer
