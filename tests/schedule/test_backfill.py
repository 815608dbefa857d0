"""A backfill: real HTTP to the sandbox, a real DuckDB file, and the connector against the stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from conftest import Serve, command, flags, many, table
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import Part
from stockpipe.errors import AccessError, ApiError, DataCheckError, Interrupted, OutOfReach, WarehouseError
from stockpipe.load.desk import Desk
from stockpipe.sandbox import Answer, Request, Sandbox
from stockpipe.schedule.backfill import Limits, Report, Wanted, backfill
from stockpipe.settings import load_settings
from support.clocks import QuickClock
from support.loads import DELISTED, STOCKS, load

pytestmark = pytest.mark.slow

FIRST = date(2025, 3, 3)
STATUSES = "SELECT DS::VARCHAR, STATUS, ROWS_PUBLISHED FROM STOCKPIPE_RUNS ORDER BY DS, FINISHED_UTC"


def day(number: int) -> date:
    """The days of a range, from 0."""
    return FIRST + timedelta(days=number)


@dataclass
class Spoiled:
    """The sandbox, with some days answered badly; `asked` are the days in the order of the calls."""

    bad: dict[date, Answer] = field(default_factory=dict)
    asked: list[date] = field(default_factory=list)

    def wrap(self, respond: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            on = date.fromisoformat(request.query["date"])
            self.asked.append(on)
            return self.bad.get(on) or respond(request)

        return answer


REFUSED = Answer(400, b'{"status":"ERROR","error":"planned"}')
NO_TIMEFRAME = Answer(403, b'{"status":"NOT_AUTHORIZED","message":"Your plan doesn\'t include this data timeframe."}')


def fill(
    env: dict[str, str],
    count: int,
    *,
    parts: tuple[Part, ...] = (STOCKS,),
    published: tuple[int, ...] = (),
    **how: object,
) -> Report:
    """Load days 0 to `count`, but for the published ones."""
    there = frozenset(map(day, published))
    days = [day(number) for number in range(count) if day(number) not in there]
    with Desk(load_settings(env, env={}), QuickClock()) as desk:
        return backfill(desk, [Wanted(parts, days, there)], lambda *_: None, Report(), **how)  # type: ignore[arg-type]


def test_days_come_together_and_each_has_its_record(serve: Serve) -> None:
    api = Spoiled()
    report = fill(flags(serve(many(30), wrap=api.wrap)), 7, limits=Limits(3, 1e9))
    assert (report.days, report.rows, report.failed, report.codes) == (7, 210, [], [])
    assert table(STATUSES) == [(str(day(number)), "published", 30) for number in range(7)]
    assert table("SELECT count(*), count(DISTINCT (DS, TICKER)) FROM TICKERS") == [(210, 210)]
    # Three days of one transaction are one run; the calls are those of each day, whatever goes on beside it.
    assert table("SELECT count(*) FROM STOCKPIPE_RUNS GROUP BY RUN_ID ORDER BY RUN_ID") == [(3,), (3,), (1,)]
    assert table("SELECT DISTINCT CALLS, PAGES, RETRIES, SOURCE LIKE '%(dated)' FROM STOCKPIPE_RUNS") == [
        (1, 1, 0, True)
    ]
    assert sorted(api.asked) == [day(number) for number in range(7)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", str(day(0)), "--to", str(day(1))], f"no day from {day(0)} to {day(1)} is missing. --redo loads"),
        (["--from", "2000-01-03", "--to", "2000-01-04"], "the API has no day before 2003-09-10."),
        (["--from", "2024-01-06", "--to", "2024-01-07", "--sessions"], "the exchanges did not trade on these days."),
        (["--from", "2024-01-06", "--to", "2024-01-07", "--dataset", "daily_bars"], "the exchanges did not trade on"),
    ],
)
def test_where_there_is_nothing_to_load_a_sentence_says_why(serve: Serve, words: list[str], says: str) -> None:
    sandbox = serve(many(5))
    env = flags(sandbox)
    fill(env, 2)
    for more in ([], ["--dry-run"], ["--json"], ["--dry-run", "--json"]):
        done = command("backfill", *words, *more, env=env)
        [told] = [line for line in done.stderr.splitlines() if line.startswith("Nothing to load")]
        assert (done.returncode, says in told, "Nothing" in done.stdout) == (0, True, False)
    assert command("backfill", *words, "-q", env=env).stderr == ""


def test_both_states_of_a_day_stand_or_fall_together(serve: Serve) -> None:
    listed = many(5)
    gone = [
        row | {"active": "False", "ticker": f"Z{row['ticker']}", "delisted_utc": "2024-01-05T00:00:00Z"}
        for row in many(2)
    ]
    report = fill(flags(serve([*listed, *gone])), 2, parts=(STOCKS, DELISTED))
    assert (report.days, report.rows) == (2, 14)
    assert table("SELECT DS::VARCHAR, ACTIVE, count(*) FROM TICKERS GROUP BY ALL ORDER BY ALL") == [
        (str(day(0)), False, 2), (str(day(0)), True, 5), (str(day(1)), False, 2), (str(day(1)), True, 5),
    ]  # fmt: skip


def test_a_day_that_fails_or_is_refused_is_recorded_and_left_out(serve: Serve) -> None:
    empty = Answer(200, b'{"status":"OK","results":[]}')
    api = Spoiled({day(1): REFUSED, day(3): empty})
    env = flags(serve(many(30), wrap=api.wrap))
    report = fill(env, 5)
    assert (report.days, [(one.ds, type(one.error)) for one in report.failed]) == (
        3, [(day(1), ApiError), (day(3), DataCheckError)],
    )  # fmt: skip
    assert report.codes == [5, 7]
    assert table(STATUSES) == [
        (str(day(0)), "published", 30), (str(day(1)), "failed", 0), (str(day(2)), "published", 30),
        (str(day(3)), "refused", 0), (str(day(4)), "published", 30),
    ]  # fmt: skip
    # The next time only what is missing is asked for.
    api.bad, api.asked = {}, []
    assert fill(env, 5, published=(0, 2, 4)).days == 2
    assert sorted(set(api.asked)) == [day(1), day(3)]


def test_an_api_that_fails_day_after_day_ends_the_list(serve: Serve) -> None:
    api = Spoiled({day(number): REFUSED for number in range(2, 20)})
    report = fill(flags(serve(many(3), wrap=api.wrap)), 20)
    assert (report.days, len(report.failed)) == (2, 3)
    [(_, count, error)] = report.given_up
    assert (count, type(error)) == (15, ApiError)
    assert len(api.asked) <= 8


def test_a_refused_key_ends_the_list_at_its_first_day(serve: Serve) -> None:
    report = fill(flags(serve(many(3))) | {"POLYGON_API_KEY": "wrong"}, 9)
    assert (report.days, [type(one.error) for one in report.failed], report.given_up[0][1]) == (0, [AccessError], 8)


@pytest.mark.parametrize("reach", [1, 37, 99, 100])
def test_the_plan_s_reach_is_learned_with_a_dozen_calls(serve: Serve, reach: int) -> None:
    api = Spoiled({day(number): NO_TIMEFRAME for number in range(reach)})
    report = fill(flags(serve(many(3), wrap=api.wrap)), 100)
    assert report.days == 100 - reach
    [(_, first, count, error)] = report.reach
    assert (first, count, type(error)) == (day(reach) if reach < 100 else None, reach, OutOfReach)
    assert len([asked for asked in api.asked if asked < day(reach)]) <= 12
    assert (report.failed, report.codes) == ([], [4])


def test_the_next_command_knows_the_reach_and_asks_for_no_day_before_it(serve: Serve) -> None:
    api = Spoiled({day(number): NO_TIMEFRAME for number in range(37)})
    env = flags(serve(many(3), wrap=api.wrap))
    fill(env, 40)
    api.asked = []
    report = fill(env, 40, published=(37, 38, 39))
    [(_, first, count, error)] = report.reach
    assert (first, count, type(error), report.codes, api.asked) == (None, 37, OutOfReach, [4], [])
    words = ("backfill", "--from", str(day(30)), "--to", str(day(39)), "--dry-run")
    done = command(*words, env=env)
    assert (done.returncode, "tickers: stocks: 7 days are left out" in done.stderr) == (0, True)
    assert json.loads(command(*words, "--json", env=env).stdout)["lists"][0]["missing_days"] == []
    # A plan that reaches further: one of the days is loaded by hand, and then all are asked for.
    api.bad = {}
    load(env, on=str(day(36)))
    assert fill(env, 37, published=(36,)).days == 36


def test_each_day_is_compared_with_the_one_before_it_whatever_its_batch(serve: Serve) -> None:
    def only(count: int) -> Answer:
        rows = [
            {key: row[key] for key in ("ticker", "name", "market", "locale")} | {"active": True} for row in many(count)
        ]
        body = json.dumps({"status": "OK", "results": rows}).encode()
        return Answer(200, body, {"X-Sandbox": "file listing-0.csv"})

    api = Spoiled({day(2): only(30)})
    env = flags(serve(many(60), wrap=api.wrap))
    report = fill(env, 6, limits=Limits(2, 1e9))
    assert [one.ds for one in report.failed] == [day(2)]
    # Where no day is before it, the next later one is the measure.
    api.bad = {day(-1): only(30)}
    with Desk(load_settings(env, env={}), QuickClock()) as desk:
        there = frozenset({day(0), day(1), day(3), day(4), day(5)})
        found = backfill(desk, [Wanted((STOCKS,), [day(-1)], there)], lambda *_: None, Report())
    assert [str(one.error)[:27] for one in found.failed] == ["30 rows against 60 on 2025-"]


def test_days_of_another_source_are_refused_before_the_first_call(serve: Serve) -> None:
    load(flags(serve(many(3))), on=str(day(0)))
    api = Spoiled()
    env = flags(serve(many(3), wrap=api.wrap))
    real = env | {"MASSIVE_BASE_URL": "https://api.massive.com"}
    report = fill(real, 3, published=())
    [(_, count, error)] = report.given_up
    assert (count, isinstance(error, DataCheckError), report.days, api.asked) == (3, True, 0, [])


def test_what_is_complete_is_published_when_somebody_stops_it(serve: Serve) -> None:
    def tell(_: Report, done: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    env = flags(serve(many(3)))
    report = Report()
    with pytest.raises(KeyboardInterrupt), Desk(load_settings(env, env={}), QuickClock()) as desk:
        backfill(desk, [Wanted((STOCKS,), [day(number) for number in range(30)])], tell, report)
    assert report.days == 4
    assert table(STATUSES) == [(str(day(number)), "published", 3) for number in range(4)]


def test_a_batch_in_snowflake_is_one_transaction_of_few_statements(serve: Serve, gate: SnowflakeGate) -> None:
    env = flags(serve(many(3)), STOCKPIPE_SAMPLE_DATA="true") | gate.env()
    fill(env, 1)
    before = len(gate.log)
    api = Spoiled({day(7): REFUSED})
    report = fill(flags(serve(many(3), wrap=api.wrap), STOCKPIPE_SAMPLE_DATA="true") | gate.env(), 40, published=(0,))
    assert (report.days, len(report.failed)) == (38, 1)
    words = [request.sql.split()[0] for request in list(gate.log)[before:] if request.sql]
    assert words.count("BEGIN") == words.count("COMMIT") == words.count("DELETE") == words.count("COPY") == 1
    assert words.count("PUT") == 1
    assert words.count("INSERT") == 1  # the records of all days, that of the failed one too
    assert len(words) <= 30
    assert gate.rows("SELECT count(*), count(DISTINCT ds) FROM tickers") == [(117, 39)]
    assert gate.rows("SELECT status, count(*) FROM stockpipe_runs GROUP BY 1 ORDER BY 1") == [
        ("failed", 1),
        ("published", 39),
    ]


def test_the_command_shows_the_plan_loads_and_lists_what_failed(serve: Serve) -> None:
    api = Spoiled({day(1): REFUSED})
    env = flags(serve(many(30), wrap=api.wrap))
    words = ("backfill", "--from", str(day(0)), "--to", str(day(3)))
    plan = command(*words, "--dry-run", "--json", env=env)
    [planned] = json.loads(plan.stdout)["lists"]
    assert (plan.returncode, planned["missing_days"], api.asked) == (0, [str(day(number)) for number in range(4)], [])
    done = command(*words, env=env)
    assert (done.returncode, done.stdout) == (5, "")
    assert "Published 3 days with 90 rows" in done.stderr
    assert f"stockpipe run --date {day(1)}" in done.stderr.splitlines()[-1]
    api.bad = {}
    again = command(*words, "--json", env=env)
    assert (again.returncode, json.loads(again.stdout)["days"]) == (0, 1)
    once_more = command(*words, "--json", env=env)
    assert (once_more.returncode, json.loads(once_more.stdout)["days"]) == (0, 0)


def test_a_day_that_a_check_refused_is_listed_with_the_command_that_publishes_it(serve: Serve) -> None:
    few = [row | {"active": True} for row in many(20)]
    api = Spoiled({day(1): Answer(200, json.dumps({"status": "OK", "results": few}).encode())})
    env = flags(serve(many(30), wrap=api.wrap))
    done = command("backfill", "--from", str(day(0)), "--to", str(day(2)), env=env)
    assert done.returncode == 7
    assert f"Published 2 days of tickers: stocks, {day(0)} to {day(2)}." in done.stderr
    assert "Published 2 days with 60 rows." in done.stderr
    [proposed] = [line for line in done.stderr.splitlines() if f"run --date {day(1)}" in line]
    words = proposed.split(" run ")[1].split()
    assert words == ["--date", str(day(1)), "--force"]
    assert command("run", *words, env=env).returncode == 0


def test_one_day_is_one_day(serve: Serve) -> None:
    done = command("backfill", "--from", str(day(0)), "--to", str(day(0)), env=flags(serve(many(1))))
    assert f"Published {day(0)} of tickers: stocks." in done.stderr
    assert "Published 1 day with 1 row." in done.stderr


def test_gaps_are_shown_with_the_command_that_fills_them(serve: Serve) -> None:
    env = flags(serve(many(3)))
    fill(env, 5, published=(1, 2))
    done = command("status", "--gaps", "--json", env=env)
    [known] = json.loads(done.stdout)["lists"]
    [gap] = known.pop("gaps")
    assert (done.returncode, known) == (
        7, {"list": "tickers: stocks", "first_day": str(day(0)), "last_day": str(day(4)), "published": 3},
    )  # fmt: skip
    assert (gap["from"], gap["to"], gap["days"]) == (str(day(1)), str(day(2)), 2)
    words = gap["command"].split(" backfill ")[1].split()
    assert command("backfill", *words, env=env).returncode == 0
    filled = command("status", "--gaps", env=env)
    assert (filled.returncode, filled.stderr) == (0, "")


def test_a_gap_that_a_check_refused_has_the_command_that_tells_why(serve: Serve) -> None:
    short = Spoiled({day(1): Answer(200, json.dumps({"status": "OK", "results": []}).encode())})
    env = flags(serve(many(3), wrap=short.wrap))
    report = fill(env, 3)
    assert [type(one.error) for one in report.failed] == [DataCheckError]
    done = command("status", "--gaps", env=env)
    assert done.returncode == 7
    assert f"tickers: stocks: {day(1)} was refused by a check; a run tells why" in done.stderr
    assert f" run --date {day(1)}" in done.stderr


def test_a_day_on_which_there_was_nothing_to_load_is_no_published_one() -> None:
    with Sandbox(rows=40) as sandbox:
        env = flags(sandbox)
        for on in ("2025-03-02", "2025-03-03", "2025-03-04"):  # the first one is a Sunday
            load(env, dataset="daily_bars", on=on)
    document = json.loads(command("status", "--gaps", "--json", env=env).stdout)
    assert document["lists"] == [
        {"list": "daily_bars", "first_day": "2025-03-03", "last_day": "2025-03-04", "published": 2, "gaps": []}
    ]


def test_where_no_day_is_there_are_no_gaps_and_all_is_missing() -> None:
    told, gaps = command("status"), command("status", "--gaps")
    assert (gaps.returncode, gaps.stdout, gaps.stderr) == (7, told.stdout, told.stderr)
    assert "stocks: No day is published yet." in gaps.stderr
    document = command("status", "--gaps", "--json")
    assert (document.returncode, json.loads(document.stdout)) == (7, {"exit_code": 7, "lists": []})


def test_much_is_not_loaded_unasked_where_nobody_can_answer(serve: Serve) -> None:
    env = flags(serve(many(3))) | {"MASSIVE_PLAN": "free"}
    done = command("backfill", "--last", "2y", env=env)
    assert (done.returncode, "Add --yes" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "2026-02-30"], "'2026-02-30' is not a date."),
        (["--last", "soon"], "'soon' is not a length of time."),
        ([], "Which days?"),
        (["--last", "3d", "--dataset", "no"], "There is no dataset 'no'."),
    ],
)
def test_what_makes_no_sense_is_usage(words: list[str], says: str) -> None:
    done = command("backfill", *words, env={"POLYGON_API_KEY": "key"})
    assert (done.returncode, says in done.stderr) == (2, True)


def test_a_warehouse_that_fails_ends_all_of_it(serve: Serve) -> None:
    env = flags(serve(many(3)))

    def tell(*_: object) -> None:
        raise WarehouseError("gone")

    with pytest.raises(WarehouseError), Desk(load_settings(env, env={}), QuickClock()) as desk:
        backfill(desk, [Wanted((STOCKS,), [day(number) for number in range(5)])], tell, Report())
    with pytest.raises(Interrupted):
        desk.client.pacer.patience.check()
