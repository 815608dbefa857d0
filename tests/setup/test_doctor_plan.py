"""A plan that is set against what earlier runs found costs minutes every night, and is told."""

from __future__ import annotations

from datetime import date

import pytest

from conftest import Serve, flags, many
from stockpipe.base.clock import Clock, new_york_date
from stockpipe.massive.client import Origin
from stockpipe.massive.memory import recall
from stockpipe.massive.open import key_of
from stockpipe.settings import KeyPlan, load_settings
from stockpipe.setup.doctor import Diagnosis
from stockpipe.setup.doctor.api import examine_api
from stockpipe.setup.doctor.compute import _not_there


def plan_of(settings: dict[str, str], known: KeyPlan, day: date) -> Diagnosis:
    """What the doctor says of the plan when an earlier run has found it to be `known`."""
    found = load_settings(settings, env={})
    memory = recall(found.state_file)
    memory.learn_plan(key_of(Origin(found.base_url, found.api_key)), known, day)
    memory.keep()
    return next(finding for finding in examine_api(found, Clock()) if finding.name == "plan")


@pytest.mark.parametrize(
    ("said", "known", "level"), [("free", "paid", "WARN"), ("free", "free", "OK"), ("paid", "free", "OK")]
)
def test_free_is_said_of_a_key_that_is_known_as_paid(serve: Serve, said: str, known: KeyPlan, level: str) -> None:
    finding = plan_of(flags(serve(many(4)), MASSIVE_PLAN=said), known, new_york_date(Clock()))
    assert (finding.level, finding.text.startswith(f"{said}, as MASSIVE_PLAN says")) == (level, True)
    if level == "WARN":
        assert finding.text == "free, as MASSIVE_PLAN says, and an earlier run found that the key is a paid one"
        assert finding.remedy.startswith("Take MASSIVE_PLAN out")


@pytest.mark.parametrize(("role", "level", "who"), [("LOADER", "FAIL", "LOADER"), (None, "WARN", "the role")])
def test_a_warehouse_that_is_not_set_is_called_so(role: str | None, level: str, who: str) -> None:
    finding = _not_there(load_settings({}, env={}), role)
    assert (finding.level, finding.text, finding.remedy) == (
        level,
        "SNOWFLAKE_WAREHOUSE is not set, and the user has no default warehouse",
        f"Set SNOWFLAKE_WAREHOUSE to a compute warehouse that {who} may use.",
    )
