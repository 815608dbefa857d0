"""A connection of Airflow's Snowflake provider as settings. Airflow itself is run by `make test-airflow`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from stockpipe.settings import load_settings
from stockpipe.warehouse.snowflake.signin import sign_in
from support.keys import pem

DAG = Path(__file__).parents[2] / "integrations/airflow/stockpipe_daily.py"
PLACE = {"account": "org-acc", "warehouse": "WH", "database": "DB", "role": "R"}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the DAG's file defines, with names of Airflow that do nothing."""

    class Nothing:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __call__(self, *_: object, **__: object) -> Any:
            return Nothing()

        def __getattr__(self, _: str) -> Any:
            return Nothing()

    sdk = ModuleType("airflow.sdk")
    for name in (
        "Asset",
        "Connection",
        "CronTriggerTimetable",
        "Metadata",
        "Variable",
        "dag",
        "get_current_context",
        "task",
    ):
        setattr(sdk, name, Nothing())
    exceptions = ModuleType("airflow.sdk.exceptions")
    exceptions.AirflowFailException = exceptions.AirflowNotFoundException = Exception  # type: ignore[attr-defined]
    for module in (ModuleType("airflow"), sdk, exceptions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return runpy.run_path(str(DAG))


def settings_of(names: dict[str, Any], password: str | None, form: str | None = "S", **extra: str) -> dict[str, str]:
    """The settings of a connection with these fields, without those that are not set."""
    connection = SimpleNamespace(login="me", password=password, schema=form, extra_dejson=PLACE | extra)
    function = names["snowflake_settings"]
    function.__globals__["Connection"] = SimpleNamespace(get=lambda _: connection)
    return {name: text for name, text in function().items() if text is not None}


@pytest.mark.parametrize(
    ("password", "extra", "way", "proof"),
    [
        ("pw", {}, "SNOWFLAKE", {"password": "pw"}),
        ("pw", {"authenticator": "snowflake"}, "SNOWFLAKE", {"password": "pw"}),
        ("pw", {"authenticator": "username_password_mfa"}, "USERNAME_PASSWORD_MFA", {"password": "pw"}),
        (None, {"token": "tok"}, "PROGRAMMATIC_ACCESS_TOKEN", {"token": "tok"}),
        (None, {"token": "tok", "authenticator": "oauth"}, "OAUTH", {"token": "tok"}),
    ],
)
def test_the_way_of_the_connection_is_ours(
    names: dict[str, Any], password: str | None, extra: dict[str, str], way: str, proof: dict[str, str]
) -> None:
    plan = sign_in(load_settings(settings_of(names, password, **extra), env={}))
    assert plan.way == way
    assert plan.arguments.items() >= {"user": "me", "account": "org-acc", **proof}.items()


@pytest.mark.parametrize("name", ["private_key_file", "private_key_content", "extra__snowflake__private_key_content"])
def test_a_key_pair_signs_in_with_its_passphrase(names: dict[str, Any], name: str) -> None:
    text = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), "phrase")
    Path("key.p8").write_text(text)
    found = settings_of(names, "phrase", **{name: "key.p8" if name.endswith("file") else text})
    assert "SNOWFLAKE_PASSWORD" not in found
    assert sign_in(load_settings(found, env={})).way == "SNOWFLAKE_JWT"


def test_a_region_and_a_schema_in_the_extra(names: dict[str, Any]) -> None:
    found = settings_of(names, "pw", None, region="us-east-1", schema="E")
    assert (found["SNOWFLAKE_ACCOUNT"], found["SNOWFLAKE_SCHEMA"]) == ("org-acc.us-east-1", "E")
