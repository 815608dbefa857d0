"""The sandbox over real sockets with listing files: paging, auth, error bodies, gzip, plan limits, the hooks."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from conftest import Serve, many, stock
from stockpipe.errors import ConfigError
from stockpipe.sandbox import SANDBOX_KEY, Answer, Request, Sandbox

TICKERS = "/v3/reference/tickers"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
Reply = tuple[int, dict[str, str], bytes]


def fetch(sandbox: Sandbox, target: str, key: str | None = SANDBOX_KEY, **headers: str) -> Reply:
    """One request without any client's help: status, headers in lower case, body as sent."""
    address = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request("GET", target, headers=sent | ({"Authorization": f"Bearer {key}"} if key else {}))
        response = connection.getresponse()
        return response.status, {name.lower(): text for name, text in response.getheaders()}, response.read()
    finally:
        connection.close()


def ask(sandbox: Sandbox, **query: str) -> tuple[int, Any]:
    """A question to the tickers endpoint; `ticker_gte` stands for `ticker.gte`."""
    dotted = {name.replace("ticker_", "ticker."): text for name, text in query.items()}
    status, _, body = fetch(sandbox, f"{TICKERS}?{urlencode(dotted)}")
    return status, json.loads(body)


def walk(sandbox: Sandbox, **query: str) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """The rows of each page and the decoded cursors between them; at most 20 pages."""
    pages: list[list[dict[str, Any]]] = []
    cursors: list[str] = []
    _, page = ask(sandbox, **query)
    while len(pages) < 20:
        pages.append(page["results"])
        if "next_url" not in page:
            return pages, cursors
        parts = urlsplit(page["next_url"])
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == sandbox.url + TICKERS
        assert list(parse_qs(parts.query)) == ["cursor"]
        token = parse_qs(parts.query)["cursor"][0]
        assert "=" not in token
        cursors.append(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
        _, page = ask(sandbox, cursor=token)
    raise AssertionError("the walk does not end")


def json_lines(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


# ---- paging ----


def test_without_a_date_the_cursor_is_an_offset_with_every_filter(serve: Serve) -> None:
    pages, cursors = walk(serve(many(5)), market="stocks", limit="2", ticker_gte="T00001")
    assert [[row["ticker"] for row in page] for page in pages] == [["T00001", "T00002"], ["T00003", "T00004"]]
    assert cursors == ["active=true&ap=2&as=&limit=2&market=stocks&order=asc&sort=ticker&ticker.gte=T00001"]


def test_with_a_date_the_cursor_names_the_last_row(serve: Serve) -> None:
    pages, cursors = walk(serve(many(5)), market="stocks", limit="2", date="2026-02-06")
    assert [row["ticker"] for page in pages for row in page] == [f"T{n:05}" for n in range(5)]
    fields = parse_qs(cursors[0], keep_blank_values=True)
    ticker, _, digest = fields["ap"][0].partition("|")
    assert (ticker, len(bytes.fromhex(digest)), fields["date"], fields["as"]) == ("T00001", 32, ["2026-02-06"], [""])


@pytest.mark.parametrize("dated", [{}, {"date": "2026-02-06"}])
@pytest.mark.parametrize("limit", ["1", "2", "3"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_equal_rows_at_a_page_end_are_neither_lost_nor_repeated(
    serve: Serve, dated: dict[str, str], limit: str, order: str
) -> None:
    rows = [stock("A"), stock("B"), stock("B"), stock("B"), stock("B", cik="0000000009"), stock("B"), stock("C")]
    if order == "desc":
        rows.reverse()
    pages, _ = walk(serve(rows[::-1] if order == "desc" else rows), market="stocks", limit=limit, order=order, **dated)
    assert [(row["ticker"], row["cik"]) for page in pages for row in page] == [
        (row["ticker"], row["cik"]) for row in rows
    ]


def test_a_row_without_a_ticker_does_not_stop_a_dated_walk(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"name": "a"}, {"name": "b"}, {"ticker": 7}, {"ticker": "C"}]
    with Sandbox(data=json_lines(tmp_path / "odd.jsonl", rows)) as sandbox:
        pages, _ = walk(sandbox, market="stocks", limit="1", date="2026-02-06")
    assert [row for page in pages for row in page] == rows


def test_the_envelope(serve: Serve) -> None:
    sandbox = serve(many(3))
    status, headers, body = fetch(sandbox, f"{TICKERS}?limit=2")
    page = json.loads(body)
    assert (status, page["status"], page["count"], len(page["request_id"])) == (200, "OK", 2, 32)
    assert (headers["content-type"], headers["x-item-count"]) == ("application/json", "2")
    assert headers["x-request-id"] == page["request_id"]
    assert headers["x-sandbox"] == sandbox.app.source.label == "file listing-0.csv"
    assert fetch(sandbox, f"{TICKERS}?limit=2")[2] == body
    _, empty = ask(sandbox, market="otc")
    assert {name: empty[name] for name in empty if name != "request_id"} == {"results": [], "status": "OK"}


def test_a_restarted_sandbox_gives_cursors_to_its_new_port(serve: Serve) -> None:
    sandbox = serve(many(3))
    walk(sandbox, limit="2")
    sandbox.stop()
    sandbox.stop()
    sandbox.start()
    sandbox.start()
    assert len(walk(sandbox, limit="2")[0]) == 2


def test_the_official_client_lists_a_file(serve: Serve) -> None:
    from massive import RESTClient

    sandbox = serve(many(2500))
    client = RESTClient(api_key=SANDBOX_KEY, base=sandbox.url)
    listed = [item.ticker for item in client.list_tickers(market="stocks", active=True, limit=1000)]
    assert listed == [row["ticker"] for row in many(2500)]
    assert [call.status for call in sandbox.calls] == [200, 200, 200]


# ---- parameters ----


@pytest.fixture
def mixed(serve: Serve) -> Sandbox:
    return serve(
        [
            stock("A", name="Ape", primary_exchange="XNYS", cik="0000000001"),
            stock("Aa", name="Bee", type="ETF"),
            stock("B", name="Cat", active="false"),
            stock("C:EURUSD", name="Euro", market="fx"),
        ],
        now=lambda: NOW,
    )


@pytest.mark.parametrize(
    ("query", "tickers"),
    [
        ({}, ["A", "Aa", "C:EURUSD"]),
        ({"market": "stocks"}, ["A", "Aa"]),
        ({"market": "fx"}, ["C:EURUSD"]),
        ({"active": "false"}, ["B"]),
        ({"ticker": "Aa"}, ["Aa"]),
        ({"ticker": "AA"}, []),
        ({"ticker_gt": "A", "ticker_lte": "Aa"}, ["Aa"]),
        ({"ticker_gte": "A", "ticker_lt": "Aa"}, ["A"]),
        ({"type": "ETF"}, ["Aa"]),
        ({"exchange": "XNYS"}, ["A"]),
        ({"cik": "0000000001"}, ["A"]),
        ({"search": "bEE"}, ["Aa"]),
        ({"search": "eurusd"}, ["C:EURUSD"]),
        ({"order": "desc"}, ["C:EURUSD", "Aa", "A"]),
        ({"sort": "name", "order": "desc", "market": "stocks"}, ["Aa", "A"]),
        ({"date": "2003-09-09"}, []),
        ({"date": "2003-09-10", "market": "fx"}, ["C:EURUSD"]),
        ({"date": "2027-01-01"}, []),
    ],
)
def test_filters_and_order(mixed: Sandbox, query: dict[str, str], tickers: list[str]) -> None:
    status, page = ask(mixed, **query)
    assert (status, [row["ticker"] for row in page["results"]]) == (200, tickers)


@pytest.mark.parametrize(
    "query",
    [
        {"market": "bonds"},
        {"active": "both"},
        {"sort": "colour"},
        {"order": "sideways"},
        {"date": "tomorrow"},
        {"date": "20260206"},
        {"date": "2026-02-30"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "\N{SUPERSCRIPT TWO}"},
        {"limit": "1" * 5000},
    ],
)
def test_a_bad_parameter_is_400_and_the_error_names_it(mixed: Sandbox, query: dict[str, str]) -> None:
    status, answer = ask(mixed, **query)
    assert (status, answer["status"]) == (400, "ERROR")
    assert next(iter(query.values())) in answer["error"]


@pytest.mark.parametrize(
    "text", ["", "limit=2", "ap=x", "ap=\N{SUPERSCRIPT TWO}", f"ap={'1' * 5000}", "ap=A%7Cbeef&date=2026-02-06"]
)
def test_a_broken_cursor_is_400(mixed: Sandbox, text: str) -> None:
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") or "!"
    status, answer = ask(mixed, cursor=token)
    assert (status, answer["status"]) == (400, "ERROR")
    assert answer["error"].startswith("Failed to parse query parameters from URL: ")


def test_a_future_day_gets_its_rows_when_it_comes(serve: Serve) -> None:
    clock = [NOW]
    sandbox = serve(many(1), now=lambda: clock[0])
    assert ask(sandbox, date="2026-11-21")[1]["results"] == []
    clock[0] += timedelta(days=1)
    assert len(ask(sandbox, date="2026-11-21")[1]["results"]) == 1


# ---- access and plans ----


@pytest.mark.parametrize(("key", "error"), [(None, "API Key was not provided"), ("other", "Unknown API Key")])
@pytest.mark.parametrize("path", [TICKERS, f"{TICKERS}/types", "/v3/reference/exchanges"])
def test_no_key_or_a_wrong_one_is_401(mixed: Sandbox, path: str, key: str | None, error: str) -> None:
    status, _, body = fetch(mixed, path, key)
    answer = json.loads(body)
    assert (status, answer["status"], answer["error"], len(answer["request_id"])) == (401, "ERROR", error, 32)


def test_the_key_in_the_query_opens_and_is_not_kept(mixed: Sandbox) -> None:
    assert fetch(mixed, f"{TICKERS}?apiKey={SANDBOX_KEY}&limit=1", None)[0] == 200
    assert fetch(mixed, f"{TICKERS}?apiKey=other", None)[0] == 401
    assert [(call.path, dict(call.query), call.status) for call in mixed.calls] == [
        (TICKERS, {"limit": "1"}, 200),
        (TICKERS, {}, 401),
    ]
    assert SANDBOX_KEY not in repr(mixed.calls)


def test_the_free_plan_has_five_calls_in_a_minute(serve: Serve) -> None:
    clock = [0.0]
    sandbox = serve(many(1), plan="free", minute=2.0, monotonic=lambda: clock[0])
    assert [ask(sandbox)[0] for _ in range(6)] == [200] * 5 + [429]
    assert ask(sandbox)[1]["error"].startswith("You've exceeded the maximum requests per minute, please wait")
    clock[0] = 2.0
    assert ask(sandbox)[0] == 200


def test_the_free_plan_reaches_two_years_back(serve: Serve) -> None:
    sandbox = serve(many(1), plan="free", now=lambda: NOW)
    status, answer = ask(sandbox, date="2020-01-02")
    assert (status, answer["status"]) == (403, "NOT_AUTHORIZED")
    assert answer["message"].startswith("Your plan doesn't include this data timeframe.")
    assert ask(sandbox, date="2025-01-02")[0] == 200


# ---- the wire ----


def test_gzip_only_when_asked_for(serve: Serve) -> None:
    sandbox = serve(many(50))
    _, plain_headers, plain = fetch(sandbox, TICKERS)
    _, packed_headers, packed = fetch(sandbox, TICKERS, Accept_Encoding="gzip")
    assert "content-encoding" not in plain_headers
    assert packed_headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain)


def test_a_connection_is_kept_alive(serve: Serve) -> None:
    address = urlsplit(serve(many(2)).url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("GET", TICKERS, headers={"Authorization": f"Bearer {SANDBOX_KEY}"})
        response = connection.getresponse()
        assert (response.version, response.status, bool(response.read())) == (11, 200, True)
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


def test_other_paths_are_404_in_plain_text_whatever_the_files_name(tmp_path: Path) -> None:
    with Sandbox(
        data=json_lines(tmp_path / "sch\N{LATIN SMALL LETTER O WITH DIAERESIS}n\u6f22.jsonl", [{"ticker": "A"}])
    ) as sandbox:
        status, headers, body = fetch(sandbox, "/v3/reference/Tickers")
        assert (status, headers["content-type"], body) == (404, "text/plain", b"404 page not found")
        assert headers["x-sandbox"] == fetch(sandbox, TICKERS)[1]["x-sandbox"] == "file sch?n?.jsonl"


def test_the_fixed_lists(mixed: Sandbox) -> None:
    types = json.loads(fetch(mixed, f"{TICKERS}/types")[2])["results"]
    assert {"CS", "ETV", "ETS", "NYRS", "INDEX"} < {each["code"] for each in types}
    assert len(types) == 25
    assert "XNAS" in {each.get("mic") for each in json.loads(fetch(mixed, "/v3/reference/exchanges")[2])["results"]}


def test_wrap_may_spoil_an_answer_and_a_raw_one_is_not_packed(serve: Serve) -> None:
    def spoil(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if request.query.get("limit") == "1":
                return Answer(522, b"<html>" * 200, {"Content-Type": "text/html"}, raw=True)
            return respond(request)

        return answer

    sandbox = serve(many(2), wrap=spoil)
    status, headers, body = fetch(sandbox, f"{TICKERS}?limit=1", Accept_Encoding="gzip")
    assert (status, "content-encoding" in headers, body) == (522, False, b"<html>" * 200)
    assert ask(sandbox)[0] == 200
    assert [call.status for call in sandbox.calls] == [522, 200]


def test_wire_takes_the_socket_and_the_connection_ends(serve: Serve) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    sandbox = serve(many(1), wrap=lambda _: lambda _: Answer(200, wire=half))
    with pytest.raises(http.client.IncompleteRead) as caught:
        fetch(sandbox, TICKERS)
    assert caught.value.partial == b"half"


def test_latency_delays_each_answer(serve: Serve) -> None:
    sandbox = serve(many(1), latency=0.1)
    began = time.monotonic()
    ask(sandbox)
    assert time.monotonic() - began >= 0.1


def test_a_page_asked_for_again_costs_less_than_a_millisecond(serve: Serve) -> None:
    app = serve(many(1000)).app
    request = Request("GET", TICKERS, {"limit": "1000"}, {"authorization": f"Bearer {SANDBOX_KEY}"})
    first = app.answer(request)
    began = time.perf_counter()
    assert all(app.answer(request) is first for _ in range(100))
    assert time.perf_counter() - began < 0.1


# ---- files ----


def test_a_csv_keeps_its_order_its_text_and_its_extra_columns(serve: Serve) -> None:
    lines = [
        stock("NA", name="TRUE", cik="", shelf="007"),
        stock("A", name='Ape, "Inc"\nX'),
        stock("B", active="False"),
    ]
    sandbox = serve(lines)
    _, page = ask(sandbox, market="stocks")
    wanted = [{name: text for name, text in line.items() if text} | {"active": True} for line in lines[:2]]
    assert page["results"] == wanted
    assert ask(sandbox, market="stocks", active="false")[1]["results"][0]["active"] is False


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json"])
def test_json_lines_are_served_as_they_are(tmp_path: Path, suffix: str) -> None:
    rows: list[dict[str, object]] = [
        {"ticker": "B", "name": None, "market": "stocks", "active": True, "deep": {"list": [1, 2.5]}},
        {"ticker": "A", "market": "stocks", "active": False},
    ]
    with Sandbox(data=json_lines(tmp_path / f"rows{suffix}", rows)) as sandbox:
        assert ask(sandbox, market="stocks")[1]["results"] == rows[:1]
        assert ask(sandbox, market="stocks", active="false", date="2026-02-06")[1]["results"] == rows[1:]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("missing.csv", None),
        ("empty.csv", ""),
        ("head.csv", "ticker,name\n"),
        ("other.csv", "symbol,name\nA,Ape\n"),
        ("latin.csv", b"ticker,name\nA,\xe9\n"),
        ("empty.jsonl", "\n"),
        ("broken.jsonl", '{"ticker": "A"\n'),
        ("list.jsonl", "[1]\n"),
        ("other.jsonl", '{"symbol": "A"}\n'),
    ],
)
def test_a_file_that_cannot_be_served_is_a_setting_to_correct(
    tmp_path: Path, name: str, text: str | bytes | None
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        Sandbox(data=path)
    assert name in caught.value.message
    assert caught.value.hint


def test_the_harder_market_is_one_of_its_own_and_says_so() -> None:
    with Sandbox() as usual, Sandbox(hard=True) as hard:
        found = [fetch(each, "/nothing")[1]["x-sandbox"] for each in (usual, hard)]
    assert found == ["synthetic seed=7", "synthetic hard seed=7"]
