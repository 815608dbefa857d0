"""A server, or a proxy before it, that sends back the key: no output, file, table or alert has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import stockpipe
from conftest import Serve, command, flags, many, table
from stockpipe.errors import StockpipeError
from stockpipe.sandbox import Answer, Call
from support.faults import JSON, body
from support.receivers import TOKEN, Receiver

pytestmark = pytest.mark.slow

KEY = "kb/8Sa2+daPgsT=5yx5cHtHpYcrjp5Jq"
HALVES = (KEY, KEY[:12], KEY[-12:])


ANSWERS = {
    "in the error": Answer(401, body(status="ERROR", error=f"Unknown API Key: {KEY}"), JSON),
    "in the message": Answer(403, body(status="NOT_AUTHORIZED", message=f"key {KEY}"), JSON),
    "where the text is cut": Answer(401, body(status="ERROR", error=f"{'x' * 285}{KEY}"), JSON),
    "where a page is cut": Answer(403, f"<html><title>Denied</title><p>{' ' * 38}{KEY}</p>".encode()),
    "in a URL": Answer(404, b"/v3?apiKey=" + KEY.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D").encode()),
    "as PHP writes JSON": Answer(401, body(error=f"no {KEY}").replace(b"/", b"\\/"), JSON),
    "with 200": Answer(200, body(status="ERROR", error=f"Bearer {KEY}"), JSON),
    "as the status": Answer(200, body(status=KEY, results=[]), JSON),
    "with 500": Answer(500, f"Authorization: Bearer {KEY}".encode()),
    "with 429": Answer(429, body(error=f"too many requests of {KEY}"), JSON),
    "in next_url": Answer(200, body(status="OK", results=[], next_url=f"http://x/other?apiKey={KEY}"), JSON),
    "in a broken header": Answer(200, wire=lambda s: s.sendall(f"HTTP/1.1 200 OK\r\nX Key {KEY}\r\n\r\n".encode())),
    "as the packing": Answer(200, b"{}", {"Content-Encoding": KEY}, raw=True),
}


def _says(answer: Answer) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    return lambda _: lambda _: answer


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_key_that_is_sent_back_is_in_no_output_file_table_or_alert(
    serve: Serve, receiver: Receiver, answer: Answer
) -> None:
    env = flags(serve(many(3), wrap=_says(answer)), POLYGON_API_KEY=KEY, STOCKPIPE_DEADLINE="3") | {
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
    }
    done = command("run", "-vv", "--json", "--log-file", "run.log", "--metrics-file", "run.prom", env=env)
    assert done.returncode in (4, 5)
    assert json.loads(done.stdout)["message"]
    records = table("SELECT MESSAGE FROM STOCKPIPE_RUNS")
    assert records[0][0]
    told = "\n".join(
        [done.stdout, done.stderr, Path("run.log").read_text(), Path("run.prom").read_text(), str(receiver.calls), str(records)]
    )  # fmt: skip
    assert receiver.documents
    assert [half for half in HALVES if half in told] == []


@pytest.mark.parametrize("name", ["in the error", "where the text is cut", "as the status"])
def test_a_key_that_is_sent_back_is_in_no_exception_and_no_diagnosis(serve: Serve, name: str) -> None:
    settings = flags(serve(many(3), wrap=_says(ANSWERS[name])), POLYGON_API_KEY=KEY, STOCKPIPE_DEADLINE="2")
    with pytest.raises(StockpipeError) as raised:
        stockpipe.load(settings=settings)
    error: BaseException | None = raised.value
    chain = []
    while error is not None:
        chain.append(f"{error!r} {error} {vars(error)}")
        error = error.__cause__ or error.__context__
    doctor = command("doctor", "--json", env=settings)
    assert [half for half in HALVES if half in doctor.stdout + doctor.stderr + "".join(chain)] == []
