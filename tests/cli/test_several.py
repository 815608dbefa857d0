"""Several datasets and markets in one run: one client, one pace, one session, a line each, the exit code of the worst."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Serve, command, flags, many, stock, table
from stockpipe.base.clock import Clock
from stockpipe.errors import UsageError
from stockpipe.load.loads import make_jobs
from stockpipe.observe.several import worst
from stockpipe.sandbox import Answer, Request
from support.receivers import TOKEN, Receiver

pytestmark = pytest.mark.slow

COINS = [stock(f"X:C{number}USD", market="crypto", locale="global") for number in range(3)]
ROWS = [*many(5), *COINS]


def jobs(*datasets: str, **words: Any) -> list[list[str]]:
    """What is loaded together, by the parts' paths."""
    return [[load.part.path for load in job] for job in make_jobs(Clock(), datasets, words)]


@pytest.mark.parametrize(
    ("market", "active", "expected"),
    [
        ((), None, [["tickers/stocks/active"]]),
        (("stocks", "crypto"), None, [["tickers/stocks/active"], ["tickers/crypto/active"]]),
        (("stocks,crypto",), "false", [["tickers/stocks/inactive"], ["tickers/crypto/inactive"]]),
        ((" fx , fx", "fx"), "both", [["tickers/fx/active", "tickers/fx/inactive"]]),
        ((), "true,false", [["tickers/stocks/active"], ["tickers/stocks/inactive"]]),
        ((), "true,both", [["tickers/stocks/active", "tickers/stocks/inactive"]]),
        (("all",), "true", [[f"tickers/{name}/active"] for name in ("stocks", "otc", "crypto", "fx", "indices")]),
    ],
)
def test_the_words_of_a_command_are_jobs(
    market: tuple[str, ...], active: str | None, expected: list[list[str]]
) -> None:
    assert jobs(market=market, active=active) == expected
    assert jobs("tickers", "tickers,tickers", market=market, active=active) == expected


@pytest.mark.parametrize(
    ("datasets", "words", "says"),
    [
        (["tickers", "no"], {}, "There is no dataset 'no'."),
        (["tickers"], {"market": ("stocks", "bonds")}, "market is 'bonds', which tickers does not know."),
        (["tickers"], {"market": ("stocks,",)}, "market is '', which tickers does not know."),
        (["tickers"], {"active": "all"}, "active is 'all', which tickers does not know."),
        (["tickers"], {"flavour": "sweet"}, "The dataset tickers has no flavour to choose."),
    ],
)
def test_a_word_that_makes_no_sense_is_named_before_anything_is_called(
    datasets: list[str], words: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        jobs(*datasets, **words)
    assert refused.value.message == says


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 5, 0], 5),
        ([5, 7], 7),
        ([6, 7, 4], 7),
        ([1, 7], 1),
        ([1, 7, 130], 130),
        ([143, 1], 143),
    ],
)
def test_the_exit_code_is_that_of_the_worst(codes: list[int], expected: int) -> None:
    assert worst(codes) == expected


def without(market: str) -> Callable[[Callable[[Request], Answer]], Callable[[Request], Answer]]:
    """A fault of one market: the API refuses it."""

    def wrap(respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            if request.query.get("market") == market:
                return Answer(400, b'{"status":"ERROR","error":"planned"}')
            return respond(request)

        return answer

    return wrap


def test_two_markets_are_two_runs_and_one_table(serve: Serve) -> None:
    done = command("run", "--market", "stocks", "--market", "crypto", env=flags(serve(ROWS)))
    assert done.returncode == 0
    lines = [line.split() for line in done.stderr.splitlines()]
    day = table("SELECT DISTINCT DS::VARCHAR FROM TICKERS")[0][0]
    assert ["tickers:", "stocks", day, "published", "5", "0", "1"] in [line[:7] for line in lines]
    assert ["tickers:", "crypto", day, "published", "3", "0", "1"] in [line[:7] for line in lines]
    assert table("SELECT MARKET, STATUS, ROWS_PUBLISHED FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [
        ("stocks", "published", 5), ("crypto", "published", 3),
    ]  # fmt: skip


def test_one_that_fails_does_not_stop_the_rest_and_gives_the_exit_code(serve: Serve, receiver: Receiver) -> None:
    urls = {
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
    }
    sandbox = serve(ROWS, wrap=without("fx"))
    done = command("run", "--market=fx,crypto", "--json", "--metrics-file", "out.prom", env=flags(sandbox) | urls)
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"], document["status"]) == (5, 5, "failed")
    failed, good = document["loads"]
    assert (failed["list"], failed["status"], failed["exit_code"], failed["error"]) == (
        "tickers: fx", "failed", 5, "ApiError",
    )  # fmt: skip
    assert (good["list"], good["status"], good["rows"]) == ("tickers: crypto", "published", 3)
    # One ping for the whole command, and a message for the list that failed.
    paths = [path for path, _ in receiver.calls]
    assert paths == [f"/ping/{TOKEN}/start", f"/hook/{TOKEN}", f"/ping/{TOKEN}/fail"]
    assert "tickers: fx: The API refused the request" in receiver.calls[-1][1]
    metrics = [one for one in Path("out.prom").read_text().splitlines() if one.startswith("stockpipe_exit_status")]
    assert [line.rsplit(" ", 1)[1] for line in metrics] == ["5", "0"]


def test_a_list_that_a_check_refuses_is_refused_in_the_table_as_in_the_record(serve: Serve) -> None:
    """The market of fx is empty here, which a check refuses."""
    done = command("run", "--market", "stocks,fx", env=flags(serve(ROWS[:5])))
    lines = [line.split() for line in done.stderr.splitlines()]
    assert done.returncode == 7
    assert ["tickers:", "fx", "refused", "7"] in [[*line[:2], *line[3:]] for line in lines]
    assert table("SELECT MARKET, STATUS FROM STOCKPIPE_RUNS ORDER BY RUN_ID") == [
        ("stocks", "published"),
        ("fx", "refused"),
    ]


def test_what_none_could_do_with_is_one_error(serve: Serve) -> None:
    done = command("run", "--market", "all", env=flags(serve(ROWS)) | {"STOCKPIPE_MAX_LOSS": "x"})
    assert (done.returncode, done.stderr.count("STOCKPIPE_MAX_LOSS")) == (3, 2)


def test_a_dry_run_of_several_prints_the_sql_of_each(serve: Serve) -> None:
    done = command("run", "--market", "stocks,crypto", "--dry-run", env=flags(serve(ROWS)))
    assert (done.returncode, done.stdout.count("BEGIN TRANSACTION")) == (0, 2)
