"""stockpipe doctor on mistakes planted in a Snowflake set-up, before the first run and after one: each with its own remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa

import stockpipe
from conftest import flags, many, write_listing
from snowflake_gate import INSUFFICIENT_PRIVILEGES, SnowflakeGate, User, Warehouse
from stockpipe.models import views
from stockpipe.sandbox import Sandbox
from stockpipe.settings import load_settings
from stockpipe.setup.doctor import Diagnosis
from stockpipe.setup.doctor.account import examine_account
from stockpipe.setup.doctor.storage import stage_hosts
from stockpipe.warehouse.scripts import grants_script
from support.keys import pem, public_pem

pytestmark = pytest.mark.slow

KEY, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
TABLE = '"STOCKS"."PUBLIC"."TICKERS"'


@dataclass
class Place:
    """An account in one state, and the settings of who looks at it."""

    gate: SnowflakeGate
    loaded: bool
    settings: dict[str, str] = field(default_factory=dict)

    def without(self, words: str) -> None:
        self.gate.grants[:] = [grant for grant in self.gate.grants if not re.search(words, grant)]

    def user(self, number: int, message: str) -> None:
        self.gate.users["BOT"].refusal = (number, message)

    def findings(self) -> list[Diagnosis]:
        return list(examine_account(load_settings(self.settings, env={}), date(2026, 2, 7)))

    def wrong(self) -> list[Diagnosis]:
        return [
            finding for finding in self.findings() if finding.level in ("WARN", "FAIL") and finding.name != "last day"
        ]


@pytest.fixture(scope="module", params=["before a first run", "after one"])
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SnowflakeGate, bool]]:
    loaded = request.param == "after one"
    listing = write_listing(tmp_path_factory.mktemp("account") / "listing.csv", many(3))
    with SnowflakeGate() as gate, Sandbox(data=listing) as sandbox:
        gate.users["BOT"] = User("BOT")
        gate.users["BOT"].set_rsa_public_key(public_pem(KEY))
        script = grants_script(load_settings(gate.env(), env={}), views)
        gate.grants.extend(re.findall(r"^GRANT .*(?=;$)", script, re.MULTILINE))
        if loaded:
            stockpipe.load(settings=flags(sandbox) | gate.env())
        yield gate, loaded


@pytest.fixture
def place(account: tuple[SnowflakeGate, bool], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Well at first; what a test spoils of users, grants, warehouses and storage is well again for the next one."""
    monkeypatch.setattr("stockpipe.warehouse.snowflake.session.time.sleep", lambda _: None)
    gate, loaded = account
    grants, bot = list(gate.grants), gate.users["BOT"]
    env = {name: text for name, text in gate.env().items() if name != "SNOWFLAKE_PASSWORD"}
    yield Place(gate, loaded, env | {"SNOWFLAKE_USER": "BOT", "SNOWFLAKE_PRIVATE_KEY": pem(KEY)})
    bot.refusal = None
    gate.users["BOT"], gate.grants[:] = bot, grants
    gate.warehouse_states.clear()
    gate.clear_faults()
    gate.gate.runner.storage = ""


def test_nothing_is_wrong_with_a_good_account(place: Place) -> None:
    assert place.wrong() == []


def named(**settings: str) -> Callable[[Place], None]:
    return lambda place: place.settings.update(settings)


def refused(number: int, message: str) -> Callable[[Place], None]:
    return lambda place: place.user(number, message)


def warehouse(**state: object) -> Callable[[Place], None]:
    return lambda place: place.gate.warehouse_states.update(LOAD_WH=Warehouse(**state))  # type: ignore[arg-type]


def lacking(words: str) -> Callable[[Place], None]:
    return lambda place: place.without(words)


def no_password(place: Place) -> None:
    place.gate.users["BOT"] = User("BOT", "expired", refusal=(390106, "Specified password has expired."))
    place.settings.update(SNOWFLAKE_PASSWORD="expired", SNOWFLAKE_PRIVATE_KEY="")


def no_policy(place: Place) -> None:
    place.user(394400, "Programmatic access token is invalid: Network policy is required.")
    place.settings.update(SNOWFLAKE_TOKEN="pat", SNOWFLAKE_PRIVATE_KEY="")


def hidden_storage(place: Place) -> None:
    place.gate.storage_apart(reachable=False)


MISTAKES: list[tuple[str, Callable[[Place], None], str, str, int]] = [
    # what is wrong, how, which finding, what its remedy says, exit code
    ("a port where nobody listens", named(SNOWFLAKE_PORT="1"), "FAIL sign-in", "Check SNOWFLAKE_ACCOUNT", 6),
    ("an unknown user", named(SNOWFLAKE_USER="NOBODY"), "FAIL sign-in", "Check SNOWFLAKE_USER and SNOWFLAKE_ACCOUNT", 4),
    ("another key", named(SNOWFLAKE_PRIVATE_KEY=pem(OTHER)), "FAIL sign-in", "RSA_PUBLIC_KEY_FP", 4),
    ("another key, by its number", refused(394304, "JWT token is invalid."), "FAIL sign-in", "RSA_PUBLIC_KEY_2_FP", 4),
    ("a late clock", refused(394301, "JWT token is invalid."), "FAIL sign-in", "Set the clock of this machine", 4),
    ("a disabled user", refused(390101, "User access disabled."), "FAIL sign-in", "SET DISABLED = FALSE", 4),
    ("an address that a policy refuses", refused(390422, "IP 203.0.113.7 is not allowed to access Snowflake."), "FAIL sign-in", "ALTER NETWORK RULE", 4),
    ("an expired password", no_password, "FAIL sign-in", "Set a new one in Snowsight", 4),
    ("a token without a network policy", no_policy, "FAIL sign-in", "SET NETWORK_POLICY", 4),
    ("a role that is not there", named(SNOWFLAKE_ROLE="NOPE"), "FAIL sign-in", "GRANT ROLE NOPE TO USER BOT", 4),
    ("a role that every account has", named(SNOWFLAKE_ROLE="SYSADMIN"), "WARN role", "Set SNOWFLAKE_ROLE to a role of its own", 0),
    ("a warehouse that is not there", named(SNOWFLAKE_WAREHOUSE="NOPE"), "FAIL warehouse", "GRANT USAGE ON WAREHOUSE NOPE TO ROLE LOADER_ROLE", 6),
    ("no warehouse", named(SNOWFLAKE_WAREHOUSE=""), "FAIL warehouse", "SNOWFLAKE_WAREHOUSE", 6),
    ("a warehouse that stays asleep", warehouse(suspended=True, auto_resume=False), "FAIL warehouse", "ALTER WAREHOUSE LOAD_WH SET AUTO_RESUME = TRUE; Or let the loader start it: GRANT OPERATE ON WAREHOUSE LOAD_WH TO ROLE LOADER_ROLE;", 6),
    ("a quota that is used up", warehouse(monitor="NIGHTLY"), "FAIL warehouse", "ALTER RESOURCE MONITOR", 6),
    ("a database that is not there", named(SNOWFLAKE_DATABASE="NOPE"), "FAIL database", "GRANT USAGE ON DATABASE NOPE", 3),
    ("a schema that is not there", named(SNOWFLAKE_SCHEMA="NOPE"), "FAIL schema", 'GRANT USAGE ON SCHEMA "STOCKS"."NOPE" TO ROLE LOADER_ROLE; If it is not, an administrator makes it', 6),
    ("a storage that a firewall hides", hidden_storage, "FAIL storage", "STOCKPIPE_LOAD_METHOD=insert", 6),
    ("no CREATE STAGE", lacking("CREATE STAGE"), "WARN privileges", 'GRANT CREATE STAGE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE LOADER_ROLE; Without it a run loads by INSERT', 0),
]  # fmt: skip
BEFORE = [
    ("no CREATE TABLE", lacking("CREATE TABLE"), "FAIL privileges", 'GRANT CREATE TABLE ON SCHEMA "STOCKS"."PUBLIC" TO ROLE LOADER_ROLE;', 6),
    ("no CREATE VIEW", lacking("CREATE VIEW"), "WARN privileges", 'GRANT CREATE VIEW ON SCHEMA "STOCKS"."PUBLIC"', 0),
]  # fmt: skip
AFTER = [
    ("no DELETE on the table", lacking(r'DELETE ON TABLE .*"TICKERS"'), "FAIL privileges", f"GRANT SELECT, INSERT, DELETE ON TABLE {TABLE} TO ROLE LOADER_ROLE;", 6),
    ("no UPDATE on the fence", lacking("UPDATE ON TABLE .*FENCE"), "FAIL privileges", 'GRANT SELECT, UPDATE ON TABLE "STOCKS"."PUBLIC"."STOCKPIPE_FENCE"', 6),
]  # fmt: skip


def check(place: Place, plant: Callable[[Place], None], finding: str, remedy: str, code: int) -> None:
    plant(place)
    wrong = place.wrong()
    assert wrong, place.findings()
    # One mistake, one finding; a role of every account also has no grants.
    assert len(wrong) == 1 or finding == "WARN role"
    assert f"{wrong[0].level} {wrong[0].name}" == finding
    assert remedy in wrong[0].remedy
    assert wrong[0].exit_code == code


@pytest.mark.parametrize(("plant", "finding", "remedy", "code"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])  # fmt: skip
def test_a_mistake_in_either_state(
    place: Place, plant: Callable[[Place], None], finding: str, remedy: str, code: int
) -> None:
    if re.search("390|394", str(plant)) and snowflake.connector.__version__.startswith("3."):
        pytest.skip("connector 3 keeps the number to itself")
    check(place, plant, finding, remedy, code)


@pytest.mark.parametrize(
    ("loaded", "plant", "finding", "remedy", "code"),
    [(loaded, *row[1:]) for loaded, rows in ((False, BEFORE), (True, AFTER)) for row in rows],
    ids=[row[0] for row in (*BEFORE, *AFTER)],
)
def test_a_mistake_that_counts_in_one_state(
    place: Place, loaded: bool, plant: Callable[[Place], None], finding: str, remedy: str, code: int
) -> None:
    if place.loaded == loaded:
        check(place, plant, finding, remedy, code)
    else:
        plant(place)
        assert place.wrong() == []


def test_a_schema_that_is_there_and_hidden_is_not_to_be_created(place: Place) -> None:
    """The service drops the schema from the session, and does not list it: nothing tells it from a missing one."""
    place.without("USAGE ON SCHEMA")
    place.gate.enforce_grants()
    try:
        (wrong,) = place.wrong()
    finally:
        place.gate.gate.account.privileges.enforced = False
    assert (wrong.level, wrong.name) == ("FAIL", "schema")
    assert wrong.remedy.startswith("If it is there, the role may not use it: GRANT USAGE ON SCHEMA ")
    assert "CREATE SCHEMA ON DATABASE" not in wrong.remedy


def test_one_of_several_hosts_of_the_storage_is_a_warning(place: Place) -> None:
    hosts = f'[{{"host": "127.0.0.1", "port": {place.gate.port}, "type": "STAGE"}}, {{"host": "127.0.0.1", "port": 9, "type": "STAGE"}}]'
    place.gate.answer("SELECT SYSTEM.ALLOWLIST", ["hosts"], [[hosts]])
    try:
        (wrong,) = place.wrong()
    finally:
        place.gate.gate.account.canned.clear()
    assert (wrong.level, wrong.name) == ("WARN", "storage")
    assert (
        wrong.text == "the stages' storage cannot be reached: 127.0.0.1:9 (Connection refused); others of its hosts can"
    )


def test_a_service_that_names_no_hosts_is_no_fault(place: Place) -> None:
    place.gate.fault("SYSTEM.ALLOWLIST", action=INSUFFICIENT_PRIVILEGES)
    assert place.wrong() == []
    place.settings["STOCKPIPE_LOAD_METHOD"] = "insert"
    assert "storage" not in [finding.name for finding in place.findings()]


def test_the_hosts_of_the_stages() -> None:
    answer = (
        '[{"host": "a.snowflakecomputing.com", "port": 443, "type": "SNOWFLAKE_DEPLOYMENT"}, {"host": "s3.example", "port": 443, "type": "STAGE"},'
        ' {"host": "*.s3.example", "port": 443, "type": "STAGE"}, {"host": "s3.example", "port": 443, "type": "STAGE"}]'
    )
    assert stage_hosts(answer) == [("s3.example", 443)]


def test_who_adopts_a_table_of_version_1_is_not_sent_for_grants_on_tables_that_are_not_there() -> None:
    with SnowflakeGate() as gate:
        gate.rows(
            "CREATE TABLE tickers (ticker VARCHAR(20), name VARCHAR(500), market VARCHAR(50), active BOOLEAN, ds DATE)"
        )
        script = grants_script(load_settings(gate.env(), env={}), views)
        gate.grants.extend(re.findall(r"^GRANT .*(?=;$)", script, re.MULTILINE))
        place = Place(gate, False, gate.env())
        wrong = [finding for finding in place.wrong() if finding.name != "sign-in"]
        assert [(finding.level, finding.text) for finding in wrong] == [
            ("FAIL", "LOADER_ROLE lacks OWNERSHIP on STOCKS.PUBLIC.TICKERS")
        ]
        statements = wrong[0].remedy.partition("once: ")[2]
        assert statements.count("ADD COLUMN IF NOT EXISTS") > 10
        with closing(snowflake.connector.connect(**gate.connect_kwargs())) as owner:
            for statement in statements.rstrip(";").split("; ALTER TABLE"):
                owner.cursor().execute(f"ALTER TABLE {statement.removeprefix('ALTER TABLE')}")
        assert [finding for finding in place.wrong() if finding.level == "FAIL"] == []


@pytest.mark.parametrize(
    ("statements", "text", "remedy"),
    [
        (["CREATE TABLE other (n INT)", "CREATE VIEW tickers AS SELECT * FROM other"], "is a view", "ALTER VIEW"),
        (['CREATE TABLE tickers ("ticker" VARCHAR)'], "not in upper case", 'RENAME COLUMN "ticker" TO "TICKER"'),
        (["CREATE TABLE tickers (region VARCHAR NOT NULL)"], '"REGION" that is NOT NULL', "DROP NOT NULL"),
        (["CREATE TABLE tickers (active VARCHAR)"], 'column "ACTIVE" of type VARCHAR', "RENAME COLUMN"),
    ],
)
def test_a_table_that_could_not_take_our_rows(statements: list[str], text: str, remedy: str) -> None:
    with SnowflakeGate() as gate:
        for statement in statements:
            gate.rows(statement)
        (wrong,) = [finding for finding in Place(gate, False, gate.env()).wrong() if finding.name == "table"]
    assert (wrong.level, wrong.exit_code, text in wrong.text, remedy in wrong.remedy) == ("FAIL", 6, True, True)
