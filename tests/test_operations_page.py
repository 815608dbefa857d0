"""Every block of output in docs/operations.md is what is really printed: each command of the page is typed here."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stockpipe.base.clock import NEW_YORK
from stockpipe.sandbox import SANDBOX_KEY, Sandbox
from stockpipe.sandbox.build import build_moment
from support.pages import PROGRAM, blocks, commands, is_shown, page, shape, shell, under
from support.receivers import TOKEN, Receiver

PAGE = "operations.md"
PATH = f"{PROGRAM.parent}:{os.defpath}"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform == "win32" or not PROGRAM.exists(),
        reason="needs a shell, and stockpipe installed beside this Python",
    ),
]


def once_built() -> datetime:
    """The time, or that of today's nightly build until it is made: the page shows a day on which the list is there."""
    now = datetime.now(UTC)
    return max(now, build_moment(now.astimezone(NEW_YORK).date()))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=once_built) as sandbox:
        yield sandbox


@pytest.fixture
def env(sandbox: Sandbox) -> dict[str, str]:
    return {"POLYGON_API_KEY": SANDBOX_KEY, "MASSIVE_BASE_URL": sandbox.url, "STOCKPIPE_WAREHOUSE": "duckdb"}


def typed(words: str, env: dict[str, str]) -> str:
    """What a command of the page prints, its errors too."""
    return shell(words, PATH, **env).stdout


def scheduled(words: str, env: dict[str, str]) -> str:
    """What a schedule in the foreground prints until it is ended by Ctrl+C, once it has said when it loads next."""
    # Its time has passed, whatever the time is.
    arguments = [str(PROGRAM), *words.split()[1:], "--at", "00:00"]
    said = []
    with subprocess.Popen(arguments, env=os.environ | env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            said.append(line)
            if line.startswith("Next: "):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    return "".join(said)


def assert_shown(printed: str, shown: str) -> None:
    """Both, line by line, where they differ."""
    assert is_shown(printed, shown), "\n".join(["printed:", *shape(printed), "shown:", *shape(shown)])


def test_the_first_steps(sandbox: Sandbox) -> None:
    prepared = blocks(page(PAGE), "bash")[0].replace("http://127.0.0.1:8765", sandbox.url)
    assert shell(prepared, PATH).returncode == 0
    for words, shown in commands(blocks(under(PAGE, "## First run"), "console")[0]):
        assert_shown(typed(words, {}), shown)


def test_the_entry_for_a_scheduler() -> None:
    [(words, shown)] = commands(blocks(under(PAGE, "### An entry for the machine's own scheduler"), "console")[0])
    Path(".env").touch(0o600)
    folder, python = str(Path.cwd()), str(PROGRAM.with_name("python"))
    printed = typed(f"{words} --user", {"HOME": folder, "XDG_CONFIG_HOME": f"{folder}/.config"})
    assert_shown(printed.replace(python, "/srv/stockpipe/.venv/bin/python").replace(folder, "/srv/stockpipe"), shown)


def test_days_that_were_missed_in_the_foreground_and_what_is_told_of_them(env: dict[str, str]) -> None:
    fresh, stale = (commands(block)[0] for block in blocks(under(PAGE, "## Is everything there?"), "console"))
    three_days_ago = datetime.now(NEW_YORK).date() - timedelta(days=3)
    assert typed(f"stockpipe run -q --date {three_days_ago} 2>/dev/null", env) == ""
    assert_shown(typed(stale[0], env), stale[1])

    [(words, shown)] = commands(blocks(under(PAGE, "### In the foreground"), "console")[0])
    printed = scheduled(words, env)
    assert_shown(printed, shown.replace("^C\n", ""))  # the terminal's own

    assert_shown(typed(fresh[0], env), fresh[1])
    found, document = (
        json.loads(typed("stockpipe status --json", env)),
        json.loads(blocks(under(PAGE, "## Is everything there?"), "json")[0]),
    )
    assert kinds(found) == kinds(document)
    (words, shown), _ = commands(blocks(under(PAGE, "## What happened?"), "console")[0])
    assert_shown(typed(words, env), shown)
    metrics = shape(blocks(under(PAGE, "## Metrics"), "text")[0])
    assert [line for line in shape(Path("stockpipe.prom").read_text()) if line in metrics] == metrics
    lines = Path("logs/pipeline.log").read_text().splitlines()
    published = next(number for number, line in enumerate(lines) if "Published" in line)
    assert_begins("\n".join(lines[published:]), blocks(under(PAGE, "## Logs"), "text")[1])
    # Days that are published together have one run id in their records, and their publish has it in the log.
    assert " - - - " not in next(line for line in lines if "Ingested batch" in line)


def test_a_run_with_every_call_and_one_in_json(env: dict[str, str]) -> None:
    typed("stockpipe run -q", env)
    ranges = re.compile(r"ticker\.(gte|lt)=[A-Z]+")
    printed, shown = (
        ranges.sub(r"ticker.\1=X", text)
        for text in (typed("stockpipe run -v", env), blocks(under(PAGE, "## Logs"), "text")[0])
    )
    # Which of the calls side by side is answered first is not known.
    assert shape(printed)[:6] == shape(shown)[:6]
    assert set(shape(shown)[6:]) <= set(shape(printed))
    line = json.loads(blocks(under(PAGE, "## Logs"), "json")[0])
    printed = typed("stockpipe run --log-format json", env).splitlines()[0]
    assert shape(printed) == shape(json.dumps(line))


def test_the_failed_run_in_the_list(env: dict[str, str]) -> None:
    _, (words, shown) = commands(blocks(under(PAGE, "## What happened?"), "console")[0])
    typed("stockpipe run", env | {"POLYGON_API_KEY": "wrong"})
    assert_shown(typed(words, env), shown)


def test_the_end_of_a_schedule_without_an_api(env: dict[str, str]) -> None:
    shown = blocks(under(PAGE, "### In the foreground"), "text")[0]
    down = env | {"MASSIVE_BASE_URL": "http://127.0.0.1:9", "STOCKPIPE_DEADLINE": "3"}
    printed = scheduled("stockpipe schedule", down)
    assert_shown("\n".join(printed.splitlines()[-3:-1]), shown)


def test_what_a_receiver_gets(env: dict[str, str], receiver: Receiver) -> None:
    places = {
        "STOCKPIPE_PING_URL": f"{receiver.url}/ping/{TOKEN}",
        "STOCKPIPE_WEBHOOK_URL": f"{receiver.url}/hook/{TOKEN}",
    }
    typed("stockpipe run", env)
    typed("stockpipe run", env | places | {"POLYGON_API_KEY": "wrong"})
    typed("stockpipe run", env | places)
    got = [f"POST {path.replace(TOKEN, 'token')} {body}" for path, body in receiver.calls]
    assert_shown("\n".join(got), blocks(under(PAGE, "## Alerts"), "text")[0])


def assert_begins(printed: str, shown: str) -> None:
    """That what is shown is how it begins."""
    assert_shown("\n".join(printed.splitlines()[: len(shape(shown))]), shown)


def kinds(document: object) -> object:
    """The keys of a document, in their order, with the kinds of their values."""
    if isinstance(document, dict):
        return [(name, kinds(value)) for name, value in document.items()]
    return [kinds(one) for one in document] if isinstance(document, list) else type(document)
