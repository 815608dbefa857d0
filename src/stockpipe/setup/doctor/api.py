"""The API: is it there, does it take the key, how far back, how fast, and is it the same time there?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stockpipe.base.clock import Clock, new_york_date
from stockpipe.base.waiting import told_if_slow
from stockpipe.datasets import USUAL
from stockpipe.errors import AccessError, ConfigError, Interrupted, StockpipeError
from stockpipe.massive.answers import Answer, Throttled, Transient
from stockpipe.massive.client import Client, Origin, judged
from stockpipe.massive.open import known_plan, paced
from stockpipe.massive.pacing import Pacer, Patience
from stockpipe.settings import Settings
from stockpipe.setup.doctor.diagnosis import Diagnosis, failed

# The usual part on the vendor's first day: a key that gets it gets every later one.
_PART = USUAL.parts()[0]
_FIRST_DAY = _PART.dataset.first_day
_SECONDS = 15.0
# A key-pair sign-in lives for a minute; a quarter of it may be lost without harm.
_SKEW = 15.0
_NOT_ASKED = Diagnosis("SKIP", "key", "key, history, plan and clock were not looked at: the API did not answer")


def examine_api(settings: Settings, clock: Clock) -> Iterator[Diagnosis]:
    """What one call tells: it asks for one row of the vendor's first day."""
    try:
        origin = Origin(settings.base_url, settings.api_key, _SECONDS)
    except ConfigError as error:
        yield Diagnosis("SKIP", "API", f"not asked, nor key, history, plan and clock looked at: {error.message}")
        return
    began = clock.monotonic()
    try:
        answer = _asked(origin, clock)
    except Transient as fault:
        remedy = fault.remedy or "Check the network, the proxy (HTTPS_PROXY) and MASSIVE_BASE_URL."
        yield Diagnosis("FAIL", "API", f"no answer: {fault}", remedy, 5)
        yield _NOT_ASKED
        return
    except Interrupted:
        raise
    except StockpipeError as error:  # a proxy, a certificate: what stands in the way of a run too
        yield failed("API", error)
        yield _NOT_ASKED
        return
    took = clock.monotonic() - began
    yield from _judged(answer, origin.key, f"{origin.base_url} answered in {took:.2f} s", clock.now())
    yield from _plan(settings, origin, clock)
    yield _skew(answer, clock.now())


def _asked(origin: Origin, clock: Clock) -> Answer:
    waiting = told_if_slow(f"Waiting for {origin.base_url}, up to {_SECONDS:.0f} s.")
    with waiting, Client(origin, Pacer(Patience(clock, clock.monotonic() + _SECONDS))) as client:
        return client.answer(replace(_PART.dataset.source, page=1).target(_PART.asked, _FIRST_DAY))


def _judged(answer: Answer, key: str, came: str, now: datetime) -> Iterator[Diagnosis]:
    try:
        page = judged(answer, _PART.dataset.source, key, on_cursor=False, now=now)
    except Throttled:
        yield Diagnosis("OK", "API", came)
        yield Diagnosis("WARN", "key", "the key has used up its calls for now (429)", "Ask again in a minute.")
        yield Diagnosis("SKIP", "history", "not looked at: the one call was refused")
    except Transient as fault:
        yield Diagnosis("FAIL", "API", f"{came}, but not as it should: {fault}", "Run again later.", 5)
        yield Diagnosis("SKIP", "key", "key and history were not looked at: the answer tells nothing about them")
    except AccessError as error:
        yield Diagnosis("OK", "API", came)
        yield from _not_allowed(error)
    except StockpipeError as error:
        yield failed("API", error)
        yield _NOT_ASKED
    else:
        yield Diagnosis("OK", "API", came)
        yield Diagnosis("OK", "key", "accepted")
        if page.rows:
            yield Diagnosis("OK", "history", f"reaches back to {_FIRST_DAY}")
        else:
            yield Diagnosis("SKIP", "history", f"not known: the API has nothing for {_FIRST_DAY}")


def _not_allowed(error: AccessError) -> Iterator[Diagnosis]:
    if "timeframe" in error.message:
        yield Diagnosis("OK", "key", "accepted")
        yield Diagnosis("WARN", "history", "the plan does not reach the vendor's first day", "stockpipe run --date asks for days within it.")  # fmt: skip
    else:
        yield failed("key", error)
        yield Diagnosis("SKIP", "history", "not looked at: the key was refused")


def _plan(settings: Settings, origin: Origin, clock: Clock) -> Iterator[Diagnosis]:
    try:
        said = paced(settings, clock).plan
    except ConfigError:
        return  # said with the settings
    plan = known_plan(settings, origin, new_york_date(clock)) if said == "auto" else said
    setting = "STOCKPIPE_REQUESTS_PER_SECOND" if settings.plan == "auto" else "MASSIVE_PLAN"
    source = "from an earlier run" if said == "auto" else f"as {setting} says"
    if plan == "auto":
        yield Diagnosis("OK", "plan", "not known yet; the first runs find it out")
        return
    if plan == "free" and known_plan(settings, origin, new_york_date(clock)) == "paid":
        text = "free, as MASSIVE_PLAN says, and an earlier run found that the key is a paid one"
        yield Diagnosis(
            "WARN", "plan", text, "Take MASSIVE_PLAN out: it makes a day of stocks take two minutes longer."
        )
        return
    speed = "5 calls a minute: a day of stocks takes about two minutes" if plan == "free" else "pages go side by side"
    yield Diagnosis("OK", "plan", f"{plan}, {source}; {speed}")


def _skew(answer: Answer, now: datetime) -> Diagnosis:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        # HTTP dates are UTC, whether or not they say so.
        skew = abs((theirs.replace(tzinfo=theirs.tzinfo or UTC) - now).total_seconds())
    except ValueError:
        return Diagnosis("SKIP", "clock", "not looked at: the answer carries no date")
    # The header has whole seconds, and the answer was on its way.
    if skew <= _SKEW:
        return Diagnosis("OK", "clock", "agrees with the API's")
    return Diagnosis("WARN", "clock", f"{skew:,.0f} s apart from the API's", "Set this machine's clock (NTP): sign-ins by key pair fail otherwise.")  # fmt: skip
