"""Each foreseeable mistake: one clear message, the exit code of the contract, no traceback, nothing published."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

import stockpipe
from conftest import PROGRAM, Serve, command, flags, many, table
from stockpipe.cli import COMMANDS
from stockpipe.errors import ConfigError, NotThere, StockpipeError, UsageError, WarehouseError
from stockpipe.settings import load_settings
from stockpipe.warehouse.duckdb.reading import must_be_one_statement
from stockpipe.warehouse.duckdb.warehouse import DuckDBWarehouse

ROOT = Path(__file__).parents[2]
HOLDER = "import duckdb, sys; c = duckdb.connect('stockpipe.duckdb'); print('held', flush=True); sys.stdin.read()"


def refused(code: int, *arguments: str, env: dict[str, str], says: str) -> None:
    done = command(*arguments, env=env)
    assert (done.returncode, "Traceback" in done.stderr, done.stdout) == (code, False, "")
    assert says in done.stderr


def test_a_missing_key() -> None:
    refused(3, "run", env={}, says="POLYGON_API_KEY or MASSIVE_API_KEY is not set")


@pytest.mark.parametrize("key", ["your_massive_api_key_here", "mk_live_xxxxxxxxxxxxxxxx", "<key>"])
def test_a_placeholder_key(key: str) -> None:
    refused(3, "run", env={"POLYGON_API_KEY": key}, says="placeholder")


def test_a_wrong_key_is_not_shown(serve: Serve) -> None:
    env = flags(serve(many(1)), POLYGON_API_KEY="wrong-key-0815")
    done = command("run", "-v", env=env)
    assert (done.returncode, "Unknown API Key" in done.stderr, "wrong-key-0815" in done.stderr) == (4, True, False)


def test_a_day_outside_of_the_plan(serve: Serve) -> None:
    env = flags(serve(many(1), plan="free"))
    refused(4, "run", "--date", "2010-01-04", env=env, says="Your plan doesn't include this data timeframe")


def test_an_unreachable_host() -> None:
    env = {"POLYGON_API_KEY": "a-test-key", "MASSIVE_BASE_URL": "http://127.0.0.1:9", "STOCKPIPE_DEADLINE": "2"}
    refused(5, "run", env=env, says="deadline")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.massive.com",
        "ftp://x",
        "https://user@api.massive.com",
        "https://api.massive.com/v3",
        "nonsense",
        "https://api..massive.com",
        "https://api.m\u00e4ssive.com",
        "https://api massive.com",
        f"https://{'a' * 64}.com",
    ],
)
def test_a_base_url_that_is_no_safe_origin(url: str) -> None:
    refused(3, "run", env={"POLYGON_API_KEY": "a-test-key", "MASSIVE_BASE_URL": url}, says="MASSIVE_BASE_URL")


@pytest.mark.parametrize("name", ['T"', "T; DROP TABLE X", "1T", "A.B", ""])
def test_a_table_name_that_is_none(serve: Serve, name: str) -> None:
    env = flags(serve(many(1)), SNOWFLAKE_TABLE=name)
    done = command("run", env=env)
    assert done.returncode == (3 if name else 0)


@pytest.mark.parametrize(
    ("day", "says"), [("2003-09-09", "outside"), ("2999-01-01", "outside"), ("13.1.2026", "is not a date")]
)
def test_a_date_that_cannot_be(day: str, says: str) -> None:
    refused(2, "run", "--date", day, env={"POLYGON_API_KEY": "a-test-key"}, says=says)


def test_an_unknown_market() -> None:
    refused(
        2, "run", "--market", "bonds", env={"POLYGON_API_KEY": "a-test-key"}, says="stocks, otc, crypto, fx, indices"
    )


def test_a_file_that_is_not_duckdb(serve: Serve) -> None:
    Path("stockpipe.duckdb").write_text("not a database, but long enough to be looked at " * 40)
    refused(6, "run", env=flags(serve(many(1))), says="is not a DuckDB file")


@pytest.mark.parametrize("arguments", [["run"], ["query", "SELECT 1"], ["status"]])
def test_a_folder_as_the_duckdb_file(serve: Serve, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "data").mkdir()
    env = flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH="data")
    says = f"data is a folder.\n       Name a file in STOCKPIPE_DUCKDB_PATH, such as {Path('data/stockpipe.duckdb')}."
    refused(6, *arguments, env=env, says=says)


@pytest.mark.parametrize(
    ("path", "file"), [(".", "stockpipe.duckdb"), ("..", "../stockpipe.duckdb"), ("/", "/stockpipe.duckdb")]
)
def test_a_folder_without_a_name_as_the_duckdb_file(serve: Serve, path: str, file: str) -> None:
    sandbox = serve(many(1))
    env = flags(sandbox, STOCKPIPE_DUCKDB_PATH=path, MASSIVE_PLAN="free")
    # As Windows writes them.
    path, file = str(Path(path)), str(Path(file))
    says = f"{path} is a folder.\n       Name a file in STOCKPIPE_DUCKDB_PATH, such as {file}."
    refused(6, "run", env=env, says=says)
    assert sandbox.calls == []
    with pytest.raises(WarehouseError, match=r"is a folder\. Name a file in duckdb_path, such as"):
        stockpipe.load(duckdb_path=path, settings=env)
    done = command("doctor", env=env)
    failed = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert (done.returncode, failed) == (6, [["warehouse", path, "is", "a", "folder."]])


def test_a_locked_duckdb_file(serve: Serve) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        refused(6, "run", env=flags(serve(many(1)), STOCKPIPE_LOCK_TIMEOUT="0.1"), says=f"(process {process.pid})")
        process.communicate()


def test_a_wait_for_a_locked_duckdb_file_is_told_once(serve: Serve) -> None:
    run = [sys.executable, "-m", "stockpipe", "run"]
    env = os.environ | flags(serve(many(1)), STOCKPIPE_LOCK_TIMEOUT="45")
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with subprocess.Popen(run, env=env, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr
            told = next(line for line in waiting.stderr if "is held by" in line)
            time.sleep(1)
            process.communicate()
            rest = waiting.stderr.read()
    assert told.startswith("stockpipe.duckdb is held by ")
    assert told.endswith(f"(process {process.pid}); waiting for it, up to 45 s.\n")
    assert (waiting.returncode, "is held by" in rest) == (0, False)


def test_a_folder_that_is_not_there(serve: Serve) -> None:
    refused(
        6,
        "run",
        env=flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH="nowhere/x.duckdb"),
        says="cannot be opened or created",
    )


def test_a_folder_that_takes_no_files(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    # Root writes everywhere but into what the kernel shows.
    folder = "/proc" if hasattr(os, "geteuid") and os.geteuid() == 0 else "shut"
    path = f"{folder}/x.duckdb"
    refused(6, "run", env=flags(serve(many(1)), STOCKPIPE_DUCKDB_PATH=path), says="cannot be opened or created")


def test_a_table_whose_columns_clash(serve: Serve) -> None:
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE TICKERS (TICKER VARCHAR, ACTIVE INTEGER, DS DATE)")
        connection.execute("INSERT INTO TICKERS VALUES ('A', 1, '2026-01-01')")
    refused(6, "run", env=flags(serve(many(1))), says='"ACTIVE" of type INTEGER')
    assert table("SELECT * EXCLUDE (DS) FROM TICKERS") == [("A", 1)]


def test_a_data_file_that_cannot_be_served() -> None:
    Path("x.csv").write_text("a,b\n1,2\n")
    refused(3, "sandbox", "--data", "x.csv", env={}, says="it has no column `ticker`")
    Path("README.md").write_text('{"ticker": "A"}\n# Mine\n')
    says = "README.md cannot be served: line 2 is not a JSON object, so it is neither JSON lines nor CSV"
    refused(3, "sandbox", "--data", "README.md", env={}, says=says)
    refused(3, "sandbox", "--data", "none.csv", env={}, says="none.csv cannot be served")
    Path("bin.csv").write_bytes(b"ticker\n\xb7\n")
    refused(3, "sandbox", "--data", "bin.csv", env={}, says="bin.csv cannot be served: it is not text in UTF-8.")
    refused(3, "sandbox", "--data", "none.csv", env={}, says="none.csv cannot be served: No such file or directory.")
    refused(2, "sandbox", "--hard", "--data", "x.csv", env={}, says="--hard is a synthetic market")
    refused(2, "sandbox", "--hard", "--rows", "9", env={}, says="--hard is a market with a size of its own.")


@pytest.mark.parametrize(
    "asked", [["runs"], ["rejects"], ["export", "a.csv"], ["export", "a.csv", "--date", "2026-02-06"], ["report"]]
)
def test_a_duckdb_file_of_another_program_has_no_day(asked: list[str]) -> None:
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    done = command(*asked, "--duckdb-path", "other.duckdb")
    assert (done.returncode, done.stdout, Path("a.csv").exists()) == (6, "", False)
    assert "is published in DuckDB file other.duckdb yet.\n       Load " in done.stderr
    assert f"{PROGRAM} run --duckdb-path other.duckdb" in done.stderr


def test_a_duckdb_file_of_another_program_has_no_runs_in_python_either() -> None:
    duckdb.connect("other.duckdb").close()
    reader = stockpipe.open("other.duckdb")
    for ask in (reader.runs, reader.days):
        with pytest.raises(
            NotThere, match=r"No day is published in DuckDB file other\.duckdb yet\. .*stockpipe\.load\(\)"
        ):
            ask()


def test_a_duckdb_file_of_another_program_is_not_rewritten() -> None:
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
    before = Path("other.duckdb").read_bytes()
    refused(6, "maintain", "--duckdb-path", "other.duckdb", env={}, says="other.duckdb has no table STOCKPIPE_RUNS")
    assert Path("other.duckdb").read_bytes() == before


def test_a_settings_file_that_is_no_text_is_told_in_words() -> None:
    Path(".env").write_bytes(b"POLYGON_API_KEY=\xb7\n")
    refused(3, "status", env={}, says=".env cannot be read: it is not text in UTF-8.")


def test_python_is_told_how_to_ask_in_python() -> None:
    duckdb.connect("stockpipe.duckdb").close()
    for text in ("", "FROM NONE"):
        with pytest.raises(StockpipeError) as told:
            stockpipe.open().query(text)
        assert ('query("SHOW TABLES")' in told.value.hint, "stockpipe query" in told.value.hint) == (True, False)


def test_a_query_that_writes(serve: Serve) -> None:
    env = flags(serve(many(2)))
    assert command("run", env=env).returncode == 0
    refused(2, "query", "DELETE FROM TICKERS", env=env, says='query is read-only; it does not run DELETE.')  # fmt: skip
    refused(
        2,
        "query",
        "WITH a AS (FROM TICKERS) INSERT INTO TICKERS FROM a",
        env=env,
        says="query is read-only; it does not run INSERT.",
    )
    refused(2, "query", "COPY TICKERS TO 'x.csv'", env=env, says='reads only the tables of its DuckDB file: Permission Error: Cannot access file "x.csv"')  # fmt: skip
    refused(
        2, "query", "SELECT content FROM read_text('.env')", env=env, says="reads only the tables of its DuckDB file"
    )
    assert table("SELECT count(*) FROM TICKERS") == [(2,)]
    assert not Path("x.csv").exists()


@pytest.fixture
def queried() -> Iterator[DuckDBWarehouse]:
    """A small DuckDB file beside files that a query must not reach; nothing may be written beside them."""
    with duckdb.connect("stockpipe.duckdb") as connection:
        connection.execute("CREATE TABLE T AS SELECT 1 AS A, 'x' AS B; CREATE SEQUENCE S")
        connection.execute('CREATE TABLE "COPY" AS SELECT 2 AS C')
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("CREATE TABLE T AS SELECT 'a-secret' AS A")
    Path(".env").write_text("POLYGON_API_KEY=a-secret\n")
    Path("mine.csv").write_text("a\n1\n")
    before = sorted(Path().rglob("*"))
    yield DuckDBWarehouse(load_settings(env={}))
    assert sorted(Path().rglob("*")) == before
    assert table("SELECT A, B FROM T") == [(1, "x")]


ELSEWHERE = [
    "SELECT content FROM read_text('/etc/hostname')",
    "SELECT content FROM read_text('.env')",
    "SELECT content FROM read_blob('.env')",
    "FROM glob('/root/*')",
    "FROM glob('*')",
    "FROM '.env.csv'",
    "FROM 'mine.csv'",
    'FROM "mine.csv"',
    "FROM read_csv('mine.csv')",
    "FROM read_csv_auto('mine.csv')",
    "FROM sniff_csv('mine.csv')",
    "FROM read_json('mine.csv')",
    "FROM read_json_objects('mine.csv')",
    "FROM read_ndjson('mine.csv')",
    "FROM read_parquet('mine.csv')",
    "FROM parquet_metadata('mine.csv')",
    "FROM parquet_schema('mine.csv')",
    "FROM 'other.duckdb'",
    "FROM query('FROM read_text(''.env'')')",
    "FROM query_table('mine.csv')",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''.env'')'))",
    "SELECT (SELECT content FROM read_text('.env')) FROM T",
    "WITH a AS (FROM read_text('.env')) FROM T, a",
    "EXPLAIN ANALYZE FROM read_text('.env')",
    "SUMMARIZE FROM read_csv('mine.csv')",
    "DESCRIBE FROM read_csv('mine.csv')",
    "CREATE TEMP TABLE mine AS FROM read_text('.env')",
    "SELECT * FROM 'https://127.0.0.1:1/x.csv'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "FROM read_csv('http://127.0.0.1:1/x.csv')",
    "FROM read_text('https://127.0.0.1:1/x')",
    "COPY T TO 'x.csv'",
    "COPY T TO '/dev/stdout'",
    "EXPLAIN ANALYZE COPY T TO 'x.csv'",
    "explain (analyze, format json) /* */ copy T to 'x.csv'",
    "COPY (PIVOT T ON A USING count(*)) TO 'x.csv'",
    "COPY T FROM 'mine.csv'",
    "EXPORT DATABASE 'folder'",
    "ATTACH 'other.duckdb'",
    "ATTACH 'new.duckdb'",
    "INSTALL json",
    "FORCE INSTALL httpfs",
    "LOAD httpfs",
    "LOAD 'mine.csv'",
    "UPDATE EXTENSIONS",
    "FROM sqlite_scan('mine.csv', 't')",
    "FROM duckdb_secrets()",
]
SOMEHOW = [
    "(COPY T TO 'x.csv')",
    "WITH a AS (COPY T TO 'x.csv') SELECT 1",
    "IMPORT DATABASE 'folder'",
    "PRAGMA import_database('folder')",
    "FROM query('COPY T TO ''x.csv''')",
    "CREATE PERSISTENT SECRET s (TYPE http)",
    "Größe",
    "SELECT 'x",
    # A program's own variables are no tables.
    "FROM text",
]
SETTINGS = [
    "SET threads = 1",
    "RESET threads",
    "SET enable_external_access = true",
    "RESET enable_external_access",
    "SET lock_configuration = false",
    "SET TimeZone = 'Asia/Tokyo'",
    "SET temp_directory = 'x'",
    "SET log_query_path = 'x'",
    "SET allowed_directories = ['/']",
    "PRAGMA threads = 1",
    "PRAGMA profiling_output = 'x.json'",
]
LOGS = [
    "FROM enable_logging('QueryLog', storage = 'file', storage_path = 'logs')",
    "FROM \"enable_logging\"(level='trace', storage='file', storage_path='x', storage_buffer_size=1), read_text('/etc/hostname')",
    "SELECT * FROM \"Enable_Logging\"(storage='file', storage_path='x', storage_buffer_size=1), T",
    "CALL enable_logging(storage='file', storage_path='x')",
    "FROM query('FROM enable_logging(storage=''file'', storage_path=''x'')')",
    "EXPLAIN ANALYZE FROM system.main.enable_logging(storage='file', storage_path='x')",
]
TABLES = [
    "INSERT INTO T VALUES (2, 'y')",
    "UPDATE T SET A = 2",
    "TRUNCATE T",
    "DROP TABLE T",
    "ALTER TABLE T ADD COLUMN X INTEGER",
    "CREATE TABLE X (A INTEGER)",
    "CREATE TABLE X AS FROM T",
    "CREATE VIEW X AS FROM T",
    "CREATE MACRO X(a) AS a",
    "COMMENT ON TABLE T IS 'x'",
    "MERGE INTO T USING T AS s ON T.A = s.A WHEN MATCHED THEN DELETE",
    "EXPLAIN ANALYZE DELETE FROM T",
    "SELECT nextval('S')",
    "ATTACH ':memory:' AS m",
]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (ELSEWHERE, "stockpipe query reads only the tables of its DuckDB file: "),
        (SETTINGS, "stockpipe query is read-only and changes no setting: "),
        (TABLES, "stockpipe query is read-only; it does not run "),
        (LOGS, "stockpipe query "),
        (SOMEHOW, ("stockpipe query reads only ", "DuckDB refused the query: ")),
    ],
    ids=["elsewhere", "settings", "tables", "logs", "somehow"],
)
def test_a_query_reads_the_tables_of_its_file_and_nothing_else(
    queried: DuckDBWarehouse, texts: list[str], says: str | tuple[str, ...]
) -> None:
    answers = {text: answer(queried, text) for text in texts}
    assert {text: found for text, found in answers.items() if not found.startswith(says)} == {}
    assert "a-secret" not in str(answers)


def answer(warehouse: DuckDBWarehouse, text: str) -> str:
    """The error's message, or the rows where there is none."""
    try:
        return f"rows: {warehouse.query(text).rows}"
    except WarehouseError as error:
        return error.message


PLAIN: list[tuple[str, list[object]]] = [
    ('SELECT A AS COPY, B AS "SET" FROM T', [(1, "x")]),
    ("FROM COPY;", [(2,)]),
    ("VALUES (1)", [(1,)]),
    ("TABLE T", [(1, "x")]),
    ("SHOW TABLES", [("COPY",), ("T",)]),
    ("SELECT count(*) FROM (DESCRIBE T)", [(2,)]),
    ("FROM (PIVOT T ON A USING count(*))", [("x", 1)]),
    ("SELECT name FROM pragma_table_info('T')", [("A",), ("B",)]),
    ("SELECT ';' || '''' -- ; \n /* ; */ ; ;", [(";'",)]),
    (
        "SELECT json_extract_string('{\"a\": 1}', 'a'), TIMESTAMPTZ '2026-01-01 00:00:00+00' > '2025-12-31'",
        [("1", True)],
    ),
    ("SELECT current_setting('enable_external_access'), current_setting('lock_configuration')", [(False, True)]),
]


def test_plain_questions_are_answered_as_before(queried: DuckDBWarehouse) -> None:
    assert [(text, queried.query(text).rows) for text, _ in PLAIN] == PLAIN


def test_a_table_that_does_not_exist_is_not_there(queried: DuckDBWarehouse) -> None:
    with pytest.raises(NotThere, match=r"DuckDB refused the query: .* NONE does not exist"):
        queried.query("FROM NONE")


@pytest.mark.usefixtures("queried")
def test_queries_from_several_threads_of_a_program() -> None:
    others = [DuckDBWarehouse(load_settings(env={})) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: others[number % 4].query(f"SELECT {number}").rows, range(40)))
    assert found == [[(number,)] for number in range(40)]


@pytest.mark.parametrize("text", ["", " -- SELECT 1", "/* nothing */ ; -- at all"])
def test_a_query_without_a_statement(text: str) -> None:
    refused(2, "query", text, env={}, says="There is no statement to run.")


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "SELECT 1; COPY T TO 'x.csv'", ";SELECT 1"])
def test_a_query_of_several_statements(text: str) -> None:
    with pytest.raises(UsageError, match="more than one statement"):
        must_be_one_statement(text)


def test_demo_never_loads_snowflake() -> None:
    refused(3, "demo", "--warehouse", "snowflake", env={}, says="never goes to Snowflake")


def test_a_command_that_is_mistyped() -> None:
    refused(2, "rum", env={}, says="Did you mean 'run'?")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--nope"], "There is no option '--nope'."),
        (["run", "--for"], "There is no option '--for'."),
        (["run", "--source=x"], "There is no option '--source'."),
        (["run", "--froce"], "There is no option '--froce'. Did you mean '--force'?"),
        (["run", "--marktes", "fx"], "There is no option '--marktes'. Did you mean '--market'?"),
        (["run", "--josn"], "There is no option '--josn'. Did you mean '--json'?"),
        (["run", "--dry"], "There is no option '--dry'. Did you mean '--dry-run'?"),
        (["run", "--log=x"], "There is no option '--log'. Did you mean '--log-file' or '--log-format'?"),
        (["run", "-x"], "There is no option '-x'."),
        (["universe", "--market", "fx"], "There is no option '--market'."),
        (["master", "build", "--nope"], "There is no option '--nope'."),
        (["master", "build", "--rebiuld"], "There is no option '--rebiuld'. Did you mean '--rebuild'?"),
        (["--versoin"], "There is no option '--versoin'. Did you mean '--version'?"),
        (["nothing-like-it"], "There is no command 'nothing-like-it'."),
    ],
)
def test_a_mistyped_word_is_told_with_what_is_near_it_alone(words: list[str], says: str) -> None:
    done = command(*words)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"Error: {says}")
    assert "--help' for help." in done.stderr


@pytest.mark.parametrize("script", ["script.py", "scheduler.py"])
@pytest.mark.parametrize("package", ["click", "duckdb"])
def test_a_python_without_the_packages_is_told_so(script: str, package: str) -> None:
    program = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_path({str(ROOT / script)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"Error: The package {package} is not installed for {sys.executable}.")
    assert "pip install -r requirements.txt" in done.stderr


NO_TIME_ZONES = {"PYTHONTZPATH": "/nonexistent"}
"""A slim image: no time zones but those of the package."""


@pytest.mark.parametrize("arguments", [("config",), ("run", "--help"), ("schedule", "--tz", "Mars/Base")])
def test_the_package_tzdata_serves_where_the_machine_has_no_time_zones(arguments: tuple[str, ...]) -> None:
    done = command(*arguments, env=NO_TIME_ZONES)
    assert (done.returncode, "Traceback" in done.stderr) == (2 if "--tz" in arguments else 0, False)


def test_a_day_is_loaded_where_the_machine_has_no_time_zones(serve: Serve) -> None:
    done = command("run", env=NO_TIME_ZONES | flags(serve(many(3))))
    assert (done.returncode, table("SELECT count(*) FROM TICKERS")) == (0, [(3,)])


def without_time_zones(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program where neither the machine nor a package has time zones."""
    text = f"import sys; sys.modules['tzdata'] = None; {program}"
    environment = os.environ | NO_TIME_ZONES
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("arguments", [[name] for name in COMMANDS] + [["doctor", "--json"], ["run", "--help"]])
def test_without_any_time_zones_every_command_names_the_package(arguments: list[str]) -> None:
    done = without_time_zones(f"from stockpipe.__main__ import main; main({arguments!r})")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(f"Error: The package tzdata is not installed for {sys.executable}.")


@pytest.mark.parametrize("script", ["script.py", "scheduler.py"])
def test_without_any_time_zones_the_scripts_name_the_package(script: str) -> None:
    done = without_time_zones(f"import runpy; runpy.run_path({str(ROOT / script)!r}, run_name='__main__')")
    assert (done.returncode, "The package tzdata is not installed" in done.stderr) == (3, True)
    assert done.stderr.count("\n") == 1


def test_without_any_time_zones_help_and_version_work() -> None:
    for argument in ("--help", "--version"):
        done = without_time_zones(f"from stockpipe.__main__ import main; main([{argument!r}])")
        assert (done.returncode, done.stderr) == (0, "")


def test_without_any_time_zones_a_program_of_ones_own_gets_an_error_of_ours() -> None:
    done = without_time_zones(
        "import stockpipe\ntry: stockpipe.load()\nexcept stockpipe.ConfigError as error: print(error.exit_code, error.message)"
    )
    assert (done.returncode, done.stdout[:36]) == (0, "3 The package tzdata is not installe")


def test_a_time_zone_file_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "America").mkdir()
    (tmp_path / "America/New_York").write_bytes(b"not a time zone")
    done = command("config", env={"PYTHONTZPATH": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (3, 1, False)
    assert "The time zone America/New_York cannot be read" in done.stderr
    assert "PYTHONTZPATH" in done.stderr


@pytest.mark.parametrize(
    ("command_and_flag", "says"),
    [
        (("run", "--deadline", "-1"), "--deadline is '-1': it must be a number from 1"),
        (("run", "--requests-per-second", "x"), "--requests-per-second is 'x': it must be a number from "),
        (("run", "--warehouse", "oracle"), "--warehouse is 'oracle': it must be duckdb or snowflake."),
        (("status", "--warehouse", "oracle"), "--warehouse is 'oracle': it must be duckdb or snowflake."),
    ],
)
def test_a_wrong_flag_is_named_as_it_was_written(command_and_flag: tuple[str, ...], says: str) -> None:
    refused(2, *command_and_flag, env={"POLYGON_API_KEY": "a-test-key"}, says=says)


def test_the_same_in_the_environment_or_from_python_is_a_wrong_setting() -> None:
    env = {"POLYGON_API_KEY": "a-test-key", "STOCKPIPE_DEADLINE": "-1"}
    refused(3, "run", env=env, says="STOCKPIPE_DEADLINE is '-1' (from the environment): it must be a number from 1")
    with pytest.raises(ConfigError, match=r"STOCKPIPE_DEADLINE is '-1' \(from the settings of this call\)"):
        stockpipe.load(settings=env)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--deadline", "soon"),
        ("run", "--requests-per-second", "1000"),
        ("run", "--warehouse", "oracle"),
        ("schedule", "--warehouse", "oracle"),
        ("run", "--market", "bonds"),
        ("run", "--date", "tomorrow"),
    ],
)
def test_a_wrong_flag_is_told_before_a_missing_key(words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.returncode, "POLYGON_API_KEY" in done.stderr, words[2] in done.stderr) == (2, False, True)
