"""The API: is it there, does it take the key, how far back, how fast, and is it the same time there?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from stockpipe.clock import Clock, new_york_date
from stockpipe.datasets import TICKERS
from stockpipe.doctor.finding import Finding, failed
from stockpipe.errors import AccessError, ConfigError, StockpipeError
from stockpipe.fetch import known_plan
from stockpipe.massive.answers import Answer, Throttled, Transient, judge
from stockpipe.massive.client import Client, Endpoint
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.settings import Settings

# The vendor's first day: a key that gets it gets every later one.
_FIRST_DAY = "2003-09-10"
_SECONDS = 15.0
# A key-pair sign-in lives for a minute; a quarter of it may be lost without harm.
_SKEW = 15.0


def examine_api(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """What one call tells: it asks for one ticker of the vendor's first day."""
    try:
        endpoint = Endpoint(settings.base_url, settings.api_key, _SECONDS)
        began = clock.monotonic()
        answer = _asked(endpoint, clock)
        took = clock.monotonic() - began
    except ConfigError as error:
        yield Finding("SKIP", "API", f"not asked: {error.message}")
        return
    except Transient as fault:
        remedy = "Check the network, the proxy (HTTPS_PROXY) and MASSIVE_BASE_URL."
        yield Finding("FAIL", "API", f"no answer: {fault}", remedy, 5)
        return
    yield from _judged(answer, f"{endpoint.base_url} answered in {took:.2f} s", clock.now())
    yield _plan(settings, endpoint, clock)
    yield from _skew(answer, clock.now())


def _asked(endpoint: Endpoint, clock: Clock) -> Answer:
    with Client(endpoint, Pacer(Patience(clock, clock.monotonic() + _SECONDS))) as client:
        return client.answer(f"{TICKERS.path}?market=stocks&active=true&limit=1&date={_FIRST_DAY}")


def _judged(answer: Answer, came: str, now: datetime) -> Iterator[Finding]:
    try:
        judge(answer, on_cursor=False, now=now)
    except Throttled:
        yield Finding("OK", "API", came)
        yield Finding("WARN", "key", "the key has used up its calls for now (429)", "Ask again in a minute.")
    except Transient as fault:
        yield Finding("FAIL", "API", f"{came}, but not as it should: {fault}", "Run again later.", 5)
    except AccessError as error:
        yield Finding("OK", "API", came)
        if "timeframe" in error.message:
            yield Finding("OK", "key", "accepted")
            yield Finding("WARN", "history", "the plan does not reach the vendor's first day", "stockpipe run --date asks for days within it.")  # fmt: skip
        else:
            yield failed("key", error)
    except StockpipeError as error:
        yield failed("API", error)
    else:
        yield Finding("OK", "API", came)
        yield Finding("OK", "key", "accepted")
        yield Finding("OK", "history", f"reaches back to {_FIRST_DAY}")


def _plan(settings: Settings, endpoint: Endpoint, clock: Clock) -> Finding:
    said = settings.plan
    plan = known_plan(settings, endpoint, new_york_date(clock)) if said == "auto" else said
    source = "from an earlier run" if said == "auto" else "as MASSIVE_PLAN says"
    if plan == "auto":
        return Finding("OK", "plan", "not known yet; the first runs find it out")
    speed = "5 calls a minute: a day of stocks takes about two minutes" if plan == "free" else "pages go side by side"
    return Finding("OK", "plan", f"{plan}, {source}; {speed}")


def _skew(answer: Answer, now: datetime) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return
    skew = abs((theirs - now).total_seconds())
    # The header has whole seconds, and the answer was on its way.
    if skew <= _SKEW:
        yield Finding("OK", "clock", "agrees with the API's")
    else:
        yield Finding("WARN", "clock", f"{skew:,.0f} s apart from the API's", "Set this machine's clock (NTP): sign-ins by key pair fail otherwise.")  # fmt: skip
