"""One row whose content no reader likes does not decide over its page: the page is there, and that row as it was sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from stockpipe.datasets import TICKERS
from stockpipe.massive.answers import Answer, Page, Transient, read_page
from stockpipe.massive.pages import values_of

NOW = datetime(2026, 2, 7, 12, 0, 0, tzinfo=UTC)
GOOD = '{"ticker":"A","name":"Gr\u00fc\u00dfe \\"x\\" [1]","n":1.50}'
ODD = {
    "first half of a pair": r'{"ticker":"B","name":"x\ud800y"}',
    "second half of a pair": r'{"ticker":"B","name":"x\uDC00y"}',
    "halves in the wrong order": r'{"ticker":"B","name":"\udc00\ud83d"}',
    "half a pair at the end": r'{"ticker":"B","name":"x\ud83d"}',
    "half a pair in a name": r'{"ticker":"B","\ud800":1}',
    "lists in lists": '{"ticker":"B","x":' + "[" * 5000 + "]" * 5000 + "}",
    "objects in objects": '{"ticker":"B","x":' + '{"y":' * 5000 + "1" + "}" * 5000 + "}",
    "a row that is no object": "[" * 3000 + "]" * 3000,
    "both": r'{"name":"\ud800","x":' + "[" * 5000 + "]" * 5000 + "}",
}


def judged(text: str) -> Page:
    return read_page(Answer(200, {}, text.encode()), TICKERS.source, on_cursor=False, now=NOW)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("odd", ODD)
def test_the_other_rows_are_there_and_the_odd_one_as_it_was_sent(odd: str, place: int) -> None:
    rows = [GOOD, GOOD.replace('"A"', '"C"')]
    rows.insert(place, ODD[odd])
    page = judged(
        '{"count": 3, "status":"DELAYED", "results" : [ '
        + " ,\n".join(rows)
        + ' ], "next_url":"/next?cursor=x", "request_id":"7"}'
    )
    assert page == Page(rows, "/next?cursor=x", "7", delayed=True, promised=3)


@pytest.mark.parametrize("odd", ODD)
def test_a_page_of_nothing_else_is_a_page(odd: str) -> None:
    assert judged('{"results":[' + ODD[odd] + '],"status":"OK"}').rows == [ODD[odd]]


@pytest.mark.parametrize("odd", ODD)
def test_a_walk_finds_no_ticker_in_such_a_row_and_goes_on(odd: str) -> None:
    assert values_of([GOOD, ODD[odd]], "ticker") == ["A", None]


@pytest.mark.parametrize(
    "broken",
    [
        '{"a":01}', '{"a":NaN}', '{"a":1,}', '{"a" 1}', '{"a":1 "b":2}', '{1:2}', '{"a":"\x01"}', r'{"a":"\x"}', r'{"a":"\u12"}',
        '{"a":tru}', "{]", "[}", '{"a":1}]', ",", "{,}", "[,]", '{"a":}', '{"a":1:2}', "'a'", '{"a":.5}', '{"a":+1}', '{"a":1.}',
        '{"a":"open',
    ],
)  # fmt: skip
def test_what_is_no_json_is_asked_for_again_whatever_stands_beside_it(broken: str) -> None:
    for rows in (broken, ODD["first half of a pair"] + "," + broken, broken + "," + ODD["lists in lists"]):
        with pytest.raises(Transient, match="not the JSON it should be"):
            judged('{"status":"OK","results":[' + rows + "]}")


@pytest.mark.parametrize(
    "envelope",
    [
        '{"status":"OK","results":[%s]',
        '{"status":"OK","results":[%s]}}',
        '{"status":"OK" "results":[%s]}',
        "[%s]",
        '{"results":[%s],"status":"OK"}x',
    ],
)
def test_an_envelope_that_is_no_json_is_asked_for_again(envelope: str) -> None:
    with pytest.raises(Transient):
        judged(envelope % ODD["first half of a pair"])


def test_half_a_pair_in_the_envelope_is_not_one_rows_matter() -> None:
    with pytest.raises(Transient):
        judged(r'{"status":"OK","request_id":"\ud800","results":[]}')


def test_bytes_that_are_no_text_are_asked_for_again_beside_an_odd_row_too() -> None:
    body = b'{"status":"OK","results":[' + ODD["first half of a pair"].encode() + b',{"ticker":"\xff"}]}'
    with pytest.raises(Transient):
        read_page(Answer(200, {}, body), TICKERS.source, on_cursor=False, now=NOW)


def test_a_refusal_with_an_odd_row_is_a_refusal() -> None:
    with pytest.raises(Transient, match="the answer's status is 'ERROR'"):
        judged('{"status":"ERROR","results":[' + ODD["first half of a pair"] + "]}")


def test_results_within_a_row_are_not_the_answers() -> None:
    row = r'{"results":[1,2],"name":"\ud800"}'
    assert judged('{"x":{"results":[3]},"results":[' + row + '],"status":"OK"}').rows == [row]


def test_a_long_page_is_read_as_it_was_sent() -> None:
    rows = [json.dumps({"ticker": f"T{n}", "name": "\u00e9" * 50, "x": [n, {"y": None}]}) for n in range(1000)]
    rows[500] = ODD["both"]
    assert judged('{"status":"OK","results":[' + ",".join(rows) + "]}").rows == rows
