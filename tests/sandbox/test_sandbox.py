"""The sandbox's answers, judged by the official client and by the API's documented forms."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from conftest import Serve, many
from stockpipe.sandbox import SANDBOX_KEY, Sandbox
from stockpipe.sandbox.market import Market

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(7)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=lambda: NOW) as sandbox:
        yield sandbox


def get(sandbox: Sandbox, target: str, key: str | None = SANDBOX_KEY) -> tuple[int, Any]:
    request = urllib.request.Request(sandbox.url + target, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_official_client_lists_the_whole_market(sandbox: Sandbox, market: Market) -> None:
    from massive import RESTClient

    client = RESTClient(api_key=SANDBOX_KEY, base=sandbox.url)
    listed = [item.ticker for item in client.list_tickers(market="stocks", active=True, limit=1000)]
    assert listed == [row["ticker"] for row in market.rows("stocks", True, None, NOW)]


def test_cursors_are_an_offset_without_a_date_and_a_keyset_with_one(sandbox: Sandbox) -> None:
    tokens = []
    for date_part in ("", "&date=2020-01-02"):
        _, page = get(sandbox, f"/v3/reference/tickers?market=stocks&limit=1000{date_part}")
        token = page["next_url"].partition("?cursor=")[2]
        tokens.append(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
        assert (page["status"], page["count"], len(page["results"])) == ("OK", 1000, 1000)
    assert "ap=1000&" in tokens[0]
    assert "date=2020-01-02" in tokens[1]
    assert "%7C" in tokens[1]


@pytest.mark.parametrize(
    ("target", "key", "status", "text"),
    [
        ("/v3/reference/tickers", None, 401, "API Key was not provided"),
        ("/v3/reference/tickers", "other", 401, "Unknown API Key"),
        (
            "/v3/reference/tickers?limit=1001",
            SANDBOX_KEY,
            400,
            "'1001' is not a valid limit: it must be from 1 to 1000",
        ),
        ("/v3/reference/tickers?market=bonds", SANDBOX_KEY, 400, "'bonds' is not a valid market"),
        (
            "/v3/reference/tickers?cursor=nonsense",
            SANDBOX_KEY,
            400,
            "Failed to parse query parameters from URL: invalid cursor",
        ),
    ],
)
def test_errors_have_the_vendors_form(sandbox: Sandbox, target: str, key: str | None, status: int, text: str) -> None:
    code, answer = get(sandbox, target, key)
    assert (code, answer["status"], answer["error"]) == (status, "ERROR", text)


def test_the_key_may_also_stand_in_the_query(sandbox: Sandbox) -> None:
    assert get(sandbox, f"/v3/reference/tickers/types?apiKey={SANDBOX_KEY}", None)[0] == 200
    assert all(SANDBOX_KEY not in str(call) for call in sandbox.calls)


def test_a_free_key_gets_429_on_its_sixth_call(serve: Serve) -> None:
    sandbox = serve(many(1), plan="free")
    codes = [get(sandbox, "/v3/reference/tickers")[0] for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_filters_narrow_the_list(sandbox: Sandbox) -> None:
    _, page = get(sandbox, "/v3/reference/tickers?market=stocks&ticker.gte=NA&ticker.lt=NAO&limit=1000")
    tickers = [row["ticker"] for row in page["results"]]
    assert {"NA", "NAN"} <= set(tickers)
    assert all("NA" <= ticker < "NAO" for ticker in tickers)
    assert "XNAS" in [row.get("mic") for row in get(sandbox, "/v3/reference/exchanges")[1]["results"]]
