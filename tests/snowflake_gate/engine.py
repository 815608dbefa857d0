"""fakesnow, and nothing else of it anywhere: one fresh instance a gate, errors in the service's words."""

from __future__ import annotations

import json
import logging
import re
import shutil
import uuid
import warnings
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from fakesnow import arrow
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.server import query_request, sessions
from fakesnow.transforms import stage
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp
from starlette.requests import Request

from snowflake_gate.answers import Answer, Refusal, text, translated
from snowflake_gate.parameters import MACRO

_LENGTHS = (
    "SELECT ext_column_name, ext_character_maximum_length"
    " FROM _fs_global._fs_information_schema._fs_columns_ext"
    " WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?"
    " AND ext_character_maximum_length < 16777216"
    " AND ext_column_name IN (SELECT column_name"
    " FROM duckdb_columns() WHERE database_name = ext_table_catalog AND schema_name = ext_table_schema"
    " AND table_name = ext_table_name AND data_type = 'VARCHAR')"
)
_OVERWRITE = re.compile(r"INSERT OVERWRITE INTO (?P<name>\S+) (?P<select>SELECT .*)", re.DOTALL)
_ARROW_WARNING = "Arrow output on a DB-API result"


class GateCursor(FakeSnowflakeCursor):
    def _execute(self, transformed: Any, params: Any = None) -> None:
        _expect_the_arrow_warning()
        if isinstance(transformed, exp.Create) and transformed.this.name == "MERGE_CANDIDATES":
            for kept_in_another_database in ("text_lengths", "table_comment"):  # not inside a transaction
                transformed.args.pop(kept_in_another_database, None)
        super()._execute(transformed, params)

    def execute(self, command: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        if found := _OVERWRITE.fullmatch(command):
            # The service reads before it writes; the engine's way would empty the table first.
            self._duck_conn.execute(f"CREATE OR REPLACE TEMP TABLE overwritten AS {found['select']}")
            self._duck_conn.execute(f"DELETE FROM {found['name']}")
            self._duck_conn.execute(f"INSERT INTO {found['name']} SELECT * FROM temp.overwritten")
            command, params = f"SELECT count(*) FROM {found['name']}", None
        try:
            super().execute(command, params, *args, **kwargs)
        except Exception as error:
            raise _in_the_services_words(error) from error
        self._name_the_result()
        return self

    def _name_the_result(self) -> None:
        """The result goes by the query id that the gate gave out."""
        query_id = getattr(self._conn, "query_id", "")
        if query_id and self._sfqid:
            self._conn.results_cache[query_id] = self._conn.results_cache.pop(self._sfqid)
            self._sfqid = query_id

    def _transform(self, expression: Any, params: Any) -> Any:
        if isinstance(expression, exp.Create):
            _drop_unenforced_keys(expression)
        return super()._transform(expression, params)


class GateConnection(FakeSnowflakeConnection):
    query_id = ""

    def cursor(self, cursor_class: Any = SnowflakeCursor) -> GateCursor:  # noqa: ARG002
        return GateCursor(conn=self, duck_conn=self._duck_conn)

    @property
    def duck(self) -> duckdb.DuckDBPyConnection:
        return self._duck_conn

    def use_schema(self, schema: str) -> None:
        self.duck.execute(f"SET schema='{self.database}.\"{schema}\"'")
        self._schema = schema
        self.schema_set = True


_plain_timestamps = arrow.timestamp_to_sf_struct


def _with_nulls(timestamps: Any) -> Any:
    """fakesnow hands out a NULL timestamp as 1970-01-01."""
    column = timestamps.combine_chunks() if isinstance(timestamps, pa.ChunkedArray) else timestamps
    plain = _plain_timestamps(column)
    return pa.StructArray.from_arrays(plain.flatten(), fields=list(plain.type), mask=column.is_null())


def _expect_the_arrow_warning() -> None:
    """DuckDB 2 warns about a call that fakesnow makes; each test has filters of its own, with `error`."""
    ours = ("ignore", re.compile(_ARROW_WARNING, re.IGNORECASE), UserWarning, None, 0)
    if ours not in warnings.filters:
        warnings.filterwarnings("ignore", message=_ARROW_WARNING, category=UserWarning)


def _in_the_services_words(error: Exception) -> Exception:
    known = translated(error.__cause__ if isinstance(error.__cause__, duckdb.Error) else error)
    if known is None or (isinstance(error, Error) and not isinstance(error.__cause__, duckdb.Error)):
        return error
    return ProgrammingError(msg=known.message, errno=int(known.code), sqlstate=known.sqlstate)


def _drop_unenforced_keys(create: exp.Create) -> None:
    """The service writes PRIMARY KEY and UNIQUE down and does not enforce them."""
    keys = (exp.PrimaryKey, exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.ForeignKey)
    for key in list(create.find_all(*keys)):
        holder = key.parent if isinstance(key.parent, exp.ColumnConstraint | exp.Constraint) else key
        holder.pop()


_gate: ContextVar[str] = ContextVar("gate", default="none")
_plain_internal_dir = stage.internal_dir


def _internal_dir(fqname: str, path: str = "") -> str:
    """fakesnow keeps the staged files of a whole process in one folder: here each gate has its own."""
    return _plain_internal_dir(fqname if "~" in fqname else f"{_gate.get()}~{fqname}", path)


def has_public(connection: GateConnection) -> bool:
    sql = "SELECT 1 FROM information_schema.schemata WHERE catalog_name = ? AND schema_name = 'PUBLIC'"
    return bool(connection.duck.execute(sql, [connection.database]).fetchone())


class Engine:
    def __init__(self) -> None:
        self.name = uuid.uuid4().hex[:8]
        stage.internal_dir = _internal_dir
        logging.getLogger("fakesnow.server").setLevel(logging.CRITICAL)  # its errors reach the client
        logging.getLogger("sqlglot").setLevel(logging.ERROR)
        arrow.timestamp_to_sf_struct = _with_nulls  # type: ignore[assignment]
        self._instance = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)

    def enter(self) -> None:
        """What runs now runs for this gate."""
        _gate.set(self.name)

    def connect(self, database: str | None = None, schema: str | None = None) -> GateConnection:
        connection = GateConnection(
            self._instance.duck_conn.cursor(),
            self._instance.results_cache,
            database,
            schema,
            create_database=False,
            create_schema=False,
        )
        if database and not schema and has_public(connection):
            connection.use_schema("PUBLIC")
        return connection

    def set_up(self, connection: GateConnection, zone: object) -> None:
        """What a session's parameters ask of DuckDB."""
        connection.duck.execute(MACRO)
        if zone:
            connection.duck.execute(f"SET TimeZone = {text(zone)}")

    async def run(self, connection: GateConnection, body: dict[str, Any], host: str) -> Answer:
        """One statement through fakesnow's own endpoint."""
        key = str(id(connection))
        sessions[key] = connection
        try:
            response = await query_request(_request(key, body, host))
        finally:
            del sessions[key]
        answer: Answer = json.loads(bytes(response.body))
        if response.status_code != 200:
            return Refusal(603, f"SQL execution internal error: {answer.get('message')}", "XX000").answer()
        return answer

    def too_long(self, connection: GateConnection, table: str) -> str | None:
        """A value longer than its column, which fakesnow lets in and the service refuses."""
        catalog, schema, name = table.split(".", 2)
        lengths = connection.duck.execute(_LENGTHS, [catalog, schema, name]).fetchall()
        if not lengths:
            return None
        columns = [(column.replace('"', '""'), limit) for column, limit in lengths]
        longest = " ".join(f'WHEN length("{column}") > {limit} THEN "{column}"' for column, limit in columns)
        too_long = " OR ".join(f'length("{column}") > {limit}' for column, limit in columns)
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (catalog, schema, name))
        sql = f"SELECT CASE {longest} END FROM {quoted} WHERE {too_long} LIMIT 1"
        found = connection.duck.execute(sql).fetchone()
        return str(found[0]) if found else None

    def forget_stage(self, connection: GateConnection, parts: tuple[str, str, str]) -> None:
        database, schema, name = map(text, parts)
        connection.duck.execute(
            "DELETE FROM _fs_global._fs_information_schema._fs_stages"
            f" WHERE database_name = {database} AND schema_name = {schema} AND name = {name}"
        )

    def close(self) -> None:
        for folder in Path(stage.LOCAL_BUCKET_PATH).glob(f"{self.name}~*"):
            shutil.rmtree(folder, ignore_errors=True)
        self._instance.duck_conn.close()


def _request(key: str, body: dict[str, Any], host: str) -> Request:
    content = json.dumps(body).encode()
    name, _, port = host.partition(":")
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/queries/v1/query-request",
        "query_string": b"",
        "server": (name, int(port)),
        "headers": [(b"authorization", f'Snowflake Token="{key}"'.encode()), (b"host", host.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)
